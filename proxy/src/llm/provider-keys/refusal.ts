import type { UnixMs } from '../../kernel/index.ts'
import { wordSet } from '../../kernel/index.ts'

/** An answer of a vendor's to a request with one of its keys. */
export interface KeyAnswer {
  readonly status: number
  /** Flat name, value …, as they came; empty where none matter. */
  readonly headers: readonly string[]
  /** The beginning of the body of a 401 or 429; '' where it was not read. */
  readonly body: string
}

/** What a refusal says of the key: how long it is left alone, and for what. */
export interface Refusal {
  readonly ms: number
  /** The vendor said how long. */
  readonly isStated: boolean
  /** For every request; false: for this model at this endpoint. */
  readonly isOfKey: boolean
}

const REFUSED_MS = 5 * 60_000
const DEFAULT_MS = 30_000
const MIN_MS = 1_000

/**
 * Null when the key is not at fault. A 401 or 429 is about one model at one endpoint (RFC 9110, 15.5.2, and RFC 6585, 4, speak of
 * "the request"; vendors limit by model, and keys by scope), unless the vendor says that it is the key or its account.
 */
export function refusalOf(answer: KeyAnswer, now: UnixMs, maxMs: number): Refusal | null {
  const { status } = answer
  if (status === 401) {
    return { ms: Math.min(maxMs, REFUSED_MS), isStated: false, isOfKey: isKeyInvalid(answer) }
  }
  if (status !== 429) return null
  const asked = askedMs(answer, now)
  const isOfKey = isAccountLimited(answer)
  return asked === undefined
    ? { ms: Math.min(maxMs, DEFAULT_MS), isStated: false, isOfKey }
    : { ms: Math.min(maxMs, Math.max(MIN_MS, asked)), isStated: true, isOfKey }
}

/** How long the vendor asks for, in its own way: OpenAI and Azure, everybody, Google in the body, Anthropic's subscriptions. */
function askedMs({ headers, body }: KeyAnswer, now: UnixMs): number | undefined {
  const inMs = headerOf(headers, 'retry-after-ms')?.trim() ?? ''
  if (/^[0-9]{1,15}(?:\.[0-9]{1,6})?$/.test(inMs)) return Math.ceil(Number(inMs))
  const asked = secondsOrDate(headerOf(headers, 'retry-after')?.trim() ?? '', now)
  if (asked !== undefined) return asked
  const delay = /"retryDelay"\s*:\s*"([0-9]{1,9}(?:\.[0-9]{1,9})?)s"/.exec(body)?.[1]
  if (delay !== undefined) return Math.ceil(Number(delay) * 1_000)
  const reset = /^[0-9]{9,11}$/.exec(headerOf(headers, 'anthropic-ratelimit-unified-reset')?.trim() ?? '')
  return reset === null ? undefined : Number(reset[0]) * 1_000 - now
}

/** RFC 9110, 10.2.3; some vendors give seconds with a fraction. */
function secondsOrDate(text: string, now: UnixMs): number | undefined {
  if (/^[0-9]{1,12}(?:\.[0-9]{1,6})?$/.test(text)) return Math.ceil(Number(text) * 1_000)
  if (!/^[A-Z][a-z]{2,8},? .*GMT$/.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : at - now
}

/** Codes and types of error objects that mean the key as a whole: OpenAI and who follow it, Anthropic, Google. */
const INVALID_KEY: ReadonlySet<string> = wordSet(`
  invalid_api_key invalid_token token_expired token_revoked account_deactivated authentication_error
  invalid_authentication_error api_key_invalid unauthenticated api_key_expired key_disabled
  invalid_authentication`)
const INVALID_KEY_TEXT =
  /(?:incorrect|invalid|expired|revoked|disabled|wrong|unknown) (?:x-)?api[- ]?key|api[- ]?key (?:is |was |has been )?(?:not valid|invalid|expired|revoked|disabled|incorrect)|user not found|no auth credentials/i
/** A key that is good and may not do this one thing: OpenAI's restricted keys are told so with a 401. */
const SCOPE_TEXT =
  /insufficient[_ ](?:permissions|scope)|missing scopes?|not (?:allowed|authorized) (?:to|for)|does not have access/i

function isKeyInvalid({ headers, body }: KeyAnswer): boolean {
  const challenge = headerOf(headers, 'www-authenticate') ?? ''
  if (SCOPE_TEXT.test(body) || /insufficient_scope/i.test(challenge)) return false
  // RFC 6750, 3.1.
  if (/error="?invalid_token/i.test(challenge)) return true
  return wordsOf(body).some((word) => INVALID_KEY.has(word)) || INVALID_KEY_TEXT.test(body)
}

/** Nothing goes before somebody pays. */
const ACCOUNT_CODES: ReadonlySet<string> = wordSet(`
  insufficient_quota billing_hard_limit_reached billing_not_active insufficient_balance access_terminated
  exceeded_current_quota_error`)

/** Whether the limit that was passed is one of the key or its account, by what the vendor says of its limits. */
function isAccountLimited({ headers, body }: KeyAnswer): boolean {
  // Anthropic's subscriptions: the window that refused; some are of one model (`seven_day_opus`).
  if (headerOf(headers, 'anthropic-ratelimit-unified-status')?.trim() === 'rejected') {
    const claim = headerOf(headers, 'anthropic-ratelimit-unified-representative-claim')?.trim() ?? ''
    if (/^(?:five_hour|seven_day|overage|)$/.test(claim)) return true
  }
  // GitHub Models: `UserByModelByDay`, `UserConcurrentRequests`.
  const type = headerOf(headers, 'x-ratelimit-type')
  if (type !== null) return !/model/i.test(type)
  const scope = headerOf(headers, 'x-ratelimit-scope')?.trim().toLowerCase()
  if (scope !== undefined) return ACCOUNT_SCOPES.has(scope)
  // Google names each quota that was passed: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
  const quotas = [...body.matchAll(/"quotaId"\s*:\s*"([A-Za-z0-9_-]{1,200})"/g)].map(([, id = '']) => id)
  if (quotas.length > 0) return quotas.some((id) => !/PerModel|PerBaseModel/i.test(id))
  return wordsOf(body).some((word) => ACCOUNT_CODES.has(word))
}

const ACCOUNT_SCOPES: ReadonlySet<string> = new Set([
  ...['global', 'key', 'api_key', 'account', 'user', 'project', 'workspace', 'organization', 'org', 'team'],
])

/** Values of the members that say in a word what an error is; a body that was cut off is looked through all the same. */
const wordsOf = (body: string): string[] =>
  [...body.matchAll(/"(?:code|type|status|reason|error)"\s*:\s*"([A-Za-z0-9_.-]{1,64})"/g)].map(
    ([, word = '']) => word.toLowerCase(),
  )

function headerOf(headers: readonly string[], name: string): string | null {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if ((headers[at] as string).toLowerCase() === name) return headers[at + 1] as string
  }
  return null
}
