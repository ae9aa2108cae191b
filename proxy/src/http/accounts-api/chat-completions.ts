/** `POST /v1/chat/completions` of an account: OpenAI's form over its hosted agents. What they answer is untrusted text. */
import type { ServerResponse } from 'node:http'
import { type CompletionChunk, type CompletionView, completionBody } from '../../contracts/accounts/index.ts'
import { type HostedAgents, hostedHere, kindOf } from '../../hosting/agents/index.ts'
import { AppError, type ErrorCode, randomToken, type TenantId } from '../../kernel/index.ts'
import { callerGone, drained, dropRest } from '../index.ts'
import type { AccountCaller } from './caller.ts'
import { NO_INSTANCE } from './instances-of.ts'

const MAX_AT_ONCE = 8
/** What is given whole waits whole in the daemon's memory, and how much there is of it is the machine's to say. */
const MAX_WHOLE_CHARS = 1_048_576
/** What clients of OpenClaw's own endpoint call its agents' own model. */
const OWN_MODELS: ReadonlySet<string> = new Set(['openclaw', 'openclaw/default', 'default'])

type Usage = CompletionView['usage']

export interface ChatCompletions {
  /** Throws what refuses before anything is answered. */
  answer(body: unknown, caller: AccountCaller, still: () => boolean, response: ServerResponse): Promise<void>
}

export function createChatCompletions({ now }: { readonly now: () => number }): ChatCompletions {
  const atOnce = new Map<TenantId, number>()
  return {
    async answer(sent, { of, principal }, still, response) {
      const body = checked(sent)
      const { tenant } = of
      const hosting = hostedHere(of.hosting)
      const count = atOnce.get(tenant) ?? 0
      if (count >= MAX_AT_ONCE)
        throw new AppError('rate_limited', `At most ${MAX_AT_ONCE} are answered at once.`, {
          retryAfterSeconds: 5,
        })
      atOnce.set(tenant, count + 1)
      const gone = callerGone(response)
      let pieces: Pieces | undefined
      try {
        const { name, model } = await chosen(hosting, body.model)
        pieces = hosting.complete(name, { messages: body.messages, model }, principal, gone)
        // A refusal before the first piece is an answer of its own.
        const first = await pieces.next()
        const head = {
          ...{ id: `chatcmpl-${randomToken(96)}`, created: Math.floor(now() / 1_000), model: body.model },
        }
        const answering = { head, first, pieces, still }
        if (body.stream === true) {
          const hasUsage = body.stream_options?.include_usage === true
          await stream(response, { ...answering, hasUsage })
        } else response.end(JSON.stringify(await whole(response, answering)))
      } finally {
        // Left early it would hold its machine awake for good.
        await pieces?.return({ isCut: true, usage: null })
        const left = (atOnce.get(tenant) ?? 1) - 1
        if (left > 0) atOnce.set(tenant, left)
        else atOnce.delete(tenant)
      }
    },
  }
}

function checked(sent: unknown) {
  const parsed = completionBody.safeParse(sent)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new AppError(
    'invalid_request',
    `${issue?.path.join('.') || 'The body'}: ${issue?.message ?? 'is not valid'}.`,
  )
}

/** By the name of an agent, with a model behind it or not; where there is one alone, by any model. */
async function chosen(
  hosting: HostedAgents,
  wanted: string,
): Promise<{ readonly name: string; readonly model: string | undefined }> {
  const names = (await hosting.list())
    .filter(({ machine }) => kindOf(machine) === 'openclaw' && machine.desired !== 'deleted')
    .map(({ machine }) => machine.name)
  const [first = '', ...rest] = wanted.split('/')
  if (names.includes(first)) return { name: first, model: rest.join('/') || undefined }
  const [only] = names
  if (only !== undefined && names.length === 1)
    return { name: only, model: OWN_MODELS.has(wanted) ? undefined : wanted }
  throw new AppError(
    'not_found',
    names.length === 0 ? NO_INSTANCE : `Name one of the hosted agents as the model: ${names.join(', ')}.`,
  )
}

type Pieces = ReturnType<HostedAgents['complete']>
interface Answering {
  readonly head: { readonly id: string; readonly created: number; readonly model: string }
  readonly first: Awaited<ReturnType<Pieces['next']>>
  readonly pieces: Pieces
  /** Whether the caller may hear more. */
  readonly still: () => boolean
}

const usageOf = (
  usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null,
): Usage =>
  usage === null ? undefined : { ...usage, total_tokens: usage.prompt_tokens + usage.completion_tokens }

async function whole(
  response: ServerResponse,
  { head, first, pieces, still }: Answering,
): Promise<CompletionView> {
  let content = ''
  let next = first
  for (; !next.done && still(); next = await pieces.next()) {
    content += next.value
    if (content.length > MAX_WHOLE_CHARS)
      throw new AppError('too_large', 'The answer is too long to be given whole; ask for a stream.')
  }
  if (!next.done || !still()) throw new AppError('unauthenticated', 'You were signed out meanwhile.')
  response.setHeader('Content-Type', 'application/json')
  return {
    ...{ ...head, object: 'chat.completion' },
    choices: [
      {
        ...{ index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null },
        finish_reason: next.value.isCut ? 'length' : 'stop',
      },
    ],
    usage: usageOf(next.value.usage),
  }
}

async function stream(
  response: ServerResponse,
  { head, first, pieces, still, hasUsage }: Answering & { readonly hasUsage: boolean },
): Promise<void> {
  response.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8', 'X-Accel-Buffering': 'no' })
  const tell = async (data: object | string): Promise<void> => {
    const text = typeof data === 'string' ? data : JSON.stringify(data)
    response.write(`data: ${text}\n\n`)
    await drained(response)
  }
  const chunk = (choices: CompletionChunk['choices'], usage?: Usage): CompletionChunk => ({
    ...{ ...head, object: 'chat.completion.chunk', choices },
    ...(usage && { usage }),
  })
  try {
    await tell(chunk([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]))
    let next = first
    for (; !next.done; next = await pieces.next()) {
      if (!still()) return void response.destroy()
      await tell(chunk([{ index: 0, delta: { content: next.value }, finish_reason: null }]))
    }
    await tell(chunk([{ index: 0, delta: {}, finish_reason: next.value.isCut ? 'length' : 'stop' }]))
    const usage = usageOf(next.value.usage)
    if (hasUsage && usage !== undefined) await tell(chunk([], usage))
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    await tell(openAiError(error))
  }
  await tell('[DONE]')
  response.end()
}

/** In OpenAI's words, as far as it has some. */
const CODES: Partial<Record<ErrorCode, string>> = {
  unauthenticated: 'invalid_api_key',
  not_found: 'model_not_found',
  rate_limited: 'rate_limit_exceeded',
}

/** Its clients try a 409 again. */
const statusOf = ({ code, status }: AppError): number => (code === 'refused' ? 403 : status)

const openAiError = ({ code, message, status }: AppError) => ({
  error: {
    ...{ message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null },
    code: CODES[code] ?? code,
  },
})

export function answerOpenAiError(response: ServerResponse, error: AppError): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  if (!response.req.complete) dropRest(response)
  const body = JSON.stringify(openAiError(error))
  if (error.retryAfterSeconds !== undefined)
    response.setHeader('Retry-After', String(error.retryAfterSeconds))
  response.writeHead(statusOf(error), {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(body)
}
