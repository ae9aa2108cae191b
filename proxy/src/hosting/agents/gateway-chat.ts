/** One turn of a machine's OpenClaw, over its OpenAI-compatible endpoint, as it comes. What it answers is untrusted text. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { AppError, oneLine } from '../../kernel/index.ts'
import { eventData, unanswered } from './event-data.ts'
import { cleanerOf, pieceCleanerOf } from './gateway-token.ts'
import { requestOver } from './stream-request.ts'

/** The conversation that its plugin wakes, too. */
export const MAIN_SESSION = 'agent:main:main'

export interface GatewayRequest {
  /** As OpenAI's API has them. */
  readonly messages: readonly unknown[]
  /** `provider/model` in the place of the one that it is configured for. */
  readonly model?: string | undefined
  /** Which conversation goes on; left out: a new one, of this request alone. */
  readonly session?: string | undefined
  /** Takes what its record calls this run, as soon as that is known. */
  readonly began?: ((run: string) => void) | undefined
}

export interface GatewayEnd {
  readonly isCut: boolean
  readonly usage: { readonly prompt_tokens: number; readonly completion_tokens: number } | null
}

/** Of one answer: a piece for each token that a model can say, and what stands around them. */
const BOUNDS = { maxLineChars: 1_048_576, max: { lines: 524_288, chars: 64 * 1_048_576 } }
const MAX_ERROR_CHARS = 16_384
const SAID_CHARS = 300

const chunk = z.object({
  id: z
    .string()
    .regex(/^[\w-]{1,128}$/)
    .optional()
    .catch(undefined),
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .optional(),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
  error: z.object({ message: z.string() }).optional(),
})

/**
 * Pieces of what it says, and at the end how it ended. Throws `sandbox_unavailable` for what is no whole answer, `invalid_request` for
 * what it refuses, and the signal's reason; whoever leaves ends its turn (OpenClaw cancels what nobody waits for).
 */
export async function* askGateway(
  link: { readonly stream: Duplex; readonly gatewayToken: string },
  request: GatewayRequest,
  signal: AbortSignal,
): AsyncGenerator<string, GatewayEnd> {
  const clean = cleanerOf(link.gatewayToken)
  try {
    const response = await send(link, request, signal)
    const { statusCode } = response
    // A request that it cannot take is whoever's who sent it, and no better at the next try.
    if (statusCode === 400)
      throw new AppError('invalid_request', `The agent refuses it${await refusalOf(response, clean)}.`)
    if (statusCode !== 200) throw unanswered(`it answered ${statusCode}${await refusalOf(response, clean)}`)
    const hear = createHearing(pieceCleanerOf(link.gatewayToken), clean, request.began)
    for await (const { text, end } of eventData(response, hear, BOUNDS, signal)) {
      if (text !== '') yield text
      if (end !== undefined) return end
    }
    throw unanswered('the connection ended')
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AppError) throw error
    throw unanswered('the connection ended')
  } finally {
    link.stream.destroy()
  }
}

function send(
  { stream, gatewayToken }: { readonly stream: Duplex; readonly gatewayToken: string },
  { messages, model, session }: GatewayRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const body = JSON.stringify({
    ...{ model: 'openclaw/default', messages, stream: true },
    stream_options: { include_usage: true },
  })
  return requestOver(stream, {
    ...{ method: 'POST', path: '/v1/chat/completions', body, signal },
    headers: {
      authorization: `Bearer ${gatewayToken}`,
      'content-type': 'application/json',
      ...(session === undefined ? {} : { 'x-openclaw-session-key': session }),
      ...(model === undefined ? {} : { 'x-openclaw-model': model }),
    },
  })
}

/** Its own words for why, as far as they are of the form that is known. */
async function refusalOf(response: IncomingMessage, clean: (text: string) => string): Promise<string> {
  let text = ''
  for await (const part of response.setEncoding('utf8')) {
    text += part as string
    if (text.length > MAX_ERROR_CHARS) return ''
  }
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } }
    return typeof error?.message === 'string'
      ? `: ${oneLine(clean(error.message), SAID_CHARS).replace(/\.$/, '')}`
      : ''
  } catch {
    return ''
  }
}

/** One event after the other: what is said by it, and how all of it ended where it is the last. */
function createHearing(
  pieces: ReturnType<typeof pieceCleanerOf>,
  clean: (text: string) => string,
  began: GatewayRequest['began'],
): (data: string) => { readonly text: string; readonly end?: GatewayEnd } {
  let end: GatewayEnd | undefined
  let tell = began
  return (data) => {
    if (data === '[DONE]') {
      if (end === undefined) throw unanswered('it ended without an end')
      return { text: pieces.end(), end }
    }
    const { id, choices, usage, error } = parsedChunk(data)
    if (id !== undefined && clean(id) === id) {
      tell?.(id)
      tell = undefined
    }
    if (error !== undefined) throw unanswered(`it says “${oneLine(clean(error.message), SAID_CHARS)}”`)
    const [choice] = choices ?? []
    if (choice?.finish_reason != null) end = { isCut: choice.finish_reason === 'length', usage: null }
    if (usage != null && end !== undefined) {
      const { prompt_tokens, completion_tokens } = usage
      end = { ...end, usage: { prompt_tokens, completion_tokens } }
    }
    return { text: choice?.delta?.content ? pieces.push(choice.delta.content) : '' }
  }
}

function parsedChunk(data: string): z.output<typeof chunk> {
  try {
    const parsed = chunk.safeParse(JSON.parse(data))
    if (parsed.success) return parsed.data
  } catch {
    // As below.
  }
  throw unanswered('it is of no form that is known')
}
