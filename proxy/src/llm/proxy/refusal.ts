import type { Duplex } from 'node:stream'
import { answerError, type ErrorAnswer, writeError } from '../../http/index.ts'
import { ERROR_TABLE } from '../../kernel/index.ts'
import type { LlmResponse } from './client.ts'
import {
  type AnswerShape,
  errorBody,
  errorEvent,
  errorLine,
  type StreamForm,
  type VendorError,
} from './error-form.ts'

/**
 * Every reason of the proxy's own for an error, with its status. An answer that carries one says so in the header
 * `x-oauth3-error`; everything else is the vendor's. docs/reference/llm-errors.md is generated from this table.
 */
export const LLM_ERRORS = {
  bad_request: {
    status: 400,
    help: 'The request line, a header or the body cannot be passed on; the message says which.',
  },
  ambiguous_credentials: {
    status: 400,
    help: 'The token came more than once, or two credentials came; send it in one place.',
  },
  unauthenticated: { status: ERROR_TABLE.unauthenticated.status, help: 'No valid agent token came.' },
  address_not_allowed: {
    status: ERROR_TABLE.address_not_allowed.status,
    help: "The caller's address is outside the agent's CIDR list.",
  },
  approval_pending: {
    status: 403,
    lead: 'waiting for your approval (oauth3)',
    triedOnce: true,
    help: 'The owner has not answered yet; Retry-After says when it is worth asking again.',
  },
  approval_denied: {
    status: 403,
    help: 'The owner said no; asking again is possible after so many seconds as x-oauth3-retry-after says.',
  },
  access_revoked: {
    status: 403,
    help: 'Agent, grant or key were taken back while the answer was under way: the last event of a stream.',
  },
  owner_only: {
    status: 403,
    help: "The endpoint administers the provider's account, or is not known: the owner grants it by name, never by a card.",
  },
  shared_key: {
    status: 403,
    help: 'The request is about what is kept at the provider (files, batches, stored answers), and other agents use the same key.',
  },
  unmetered: {
    status: 403,
    help: 'The grant limits tokens or money, and what this request uses or costs cannot be known: a realtime session, work that is done later, an endpoint, member or tool that is not metered, another price than the usual one, or a model without a price.',
  },
  budget_exceeded: {
    status: 402,
    help: 'This call of a run may use more than is left of the budget of the run, or of the limits of its app.',
  },
  not_allowed: {
    status: 403,
    help: "The endpoint or the model is none that the run's app may use, or the run is over.",
  },
  // Claude Code shows a 404 as a fault of the model, and asks twice; others ask three times after a 503.
  unknown_provider: { status: 403, help: 'There is no provider of this name, or none for this model.' },
  unknown_path: { status: 404, help: 'There is nothing at this path, and no provider of its name.' },
  limit_passed: {
    status: 429,
    help: 'A limit of the grant is used up, or this request may use more than is left; the message says what to make smaller, x-oauth3-retry-after when it is free again.',
  },
  keys_in_cooldown: { status: 429, help: 'Every key of the provider was refused lately; see Retry-After.' },
  rate_limited: {
    status: ERROR_TABLE.rate_limited.status,
    help: 'Too many requests at once, too much memory in bodies, too many asks, or too many failed logins.',
  },
  internal: { status: ERROR_TABLE.internal.status, help: 'A defect of the daemon; its log has the details.' },
  upstream_unreachable: {
    status: 502,
    help: 'The provider cannot be reached, or its answer cannot be read.',
  },
  no_key: { status: 403, help: 'No key is stored that this agent may use for this provider and model.' },
  provider_not_configured: {
    status: 403,
    help: 'The owner has to fill in a parameter of the provider first.',
  },
  storage_unavailable: {
    status: ERROR_TABLE.storage_unavailable.status,
    help: 'The disk of the daemon is nearly full, so the owner is not asked anything new; what is granted works.',
  },
  locked: {
    status: ERROR_TABLE.locked.status,
    help: 'The owner has stopped everything; asking again does not help until they end that.',
  },
  shutting_down: {
    status: ERROR_TABLE.shutting_down.status,
    help: 'The daemon is stopping; ask again in a moment.',
  },
} as const satisfies Record<
  string,
  { readonly status: number; readonly help: string; readonly lead?: string; readonly triedOnce?: boolean }
>

export type LlmErrorCode = keyof typeof LLM_ERRORS

/** A denial as a value: nothing was sent to any provider. */
export interface LlmRefusal {
  readonly code: LlmErrorCode
  /** For a person; holds no credential. */
  readonly message: string
  readonly retryAfterSeconds?: number
}

export const refused = (code: LlmErrorCode, message: string, retryAfterSeconds?: number): LlmRefusal => ({
  code,
  message,
  ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
})

/** Who says it comes first: a person reads the beginning of what a client shows, if anything. */
function errorOf({ code, message }: LlmRefusal): VendorError {
  const { status, ...more } = LLM_ERRORS[code]
  return { status, code, message: `${'lead' in more ? more.lead : 'oauth3'}: ${message}` }
}

/** Claude Code, in the terminal and below its agent SDK. */
const TAKES_403_FOR_A_FAILED_SIGN_IN = /^claude-cli\//

/**
 * The status for this client. Claude Code puts "Failed to authenticate" (in the terminal: to log in) before the message of
 * every 403; of 423 (RFC 4918, 11.3) it shows the message alone. The others are left their 403, which all of them try once:
 * LangChain tries a 423 seven times.
 */
function statusFor({ status }: ErrorAnswer, client: string | undefined): number {
  return status === 403 && TAKES_403_FOR_A_FAILED_SIGN_IN.test(client ?? '') ? 423 : status
}

/**
 * The longest `Retry-After` that is sent, in seconds. Clients that obey it sleep without a word: groq-sdk, together-ai and
 * Codex for hours where hours are said. What takes longer is told in the message and in `x-oauth3-retry-after`.
 */
const LONGEST_RETRY_AFTER = 120

/**
 * Another try helps soon, or not: SDKs retry 429 and 5xx by themselves, and those of OpenAI, Anthropic and their kin ask
 * `x-should-retry` first (docs/llm-proxy.md, "Client behaviour on refusals").
 */
function retryFields({ code, retryAfterSeconds: seconds }: LlmRefusal): string[] {
  const once = ['x-should-retry', 'false']
  if (seconds === undefined) return once
  const told = ['x-oauth3-retry-after', String(seconds)]
  if (seconds > LONGEST_RETRY_AFTER) return [...told, ...once]
  return [...told, 'retry-after', String(seconds), ...('triedOnce' in LLM_ERRORS[code] ? once : [])]
}

function answerOf(refusal: LlmRefusal, shape: AnswerShape): ErrorAnswer {
  const error = errorOf(refusal)
  return {
    status: error.status,
    headers: [
      ...['content-type', 'application/json'],
      ...['cache-control', 'no-store'],
      ...['x-oauth3-error', refusal.code],
      ...retryFields(refusal),
    ],
    body: errorBody(error, shape),
  }
}

export function answerRefusal(response: LlmResponse, refusal: LlmRefusal, shape: AnswerShape): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const answer = answerOf(refusal, shape)
  answerError(response, { ...answer, status: statusFor(answer, response.req.headers['user-agent']) })
}

/** As the last event of a stream that has begun. */
export const refusalEvent = (refusal: LlmRefusal, form: StreamForm): string =>
  errorEvent(errorOf(refusal), form)

/** As the last line of a stream of JSON lines. */
export const refusalLine = (refusal: LlmRefusal): string => errorLine(errorOf(refusal))

/** For a request that cannot be read, in the form that most clients read: which path it is for is not known for sure. */
export const writeUnreadable = (socket: Duplex, problem: string, status: number): void =>
  writeError(socket, {
    ...answerOf(
      refused('bad_request', `The request is no HTTP/1.1 that is read here: ${problem}.`),
      'openai',
    ),
    status,
  })

/** For an upgrade, which has no response object. */
export const writeRefusal = (socket: Duplex, refusal: LlmRefusal, shape: AnswerShape): void =>
  writeError(socket, answerOf(refusal, shape))
