import { behindRoot, type Provider, upstreamPath } from '../providers/index.ts'
import type { AnswerShape } from './error-form.ts'
import { type StreamForm, streamFormAt } from './error-form.ts'
import type { Exchange } from './exchange.ts'
import type { HeldRequests } from './held-requests.ts'
import type { Reading } from './read-head.ts'

/** How long a request may be held for the owner, and what holding it takes. */
export interface Patience {
  readonly waitMs: number
  /** To be disposed of when the waiting is over; null where there is no room to wait in. */
  hold(): Disposable | null
}

export interface HoldTimes {
  /** A stream that still waits begins by then: `groq-sdk` gives up a request without an answer after 60 s, others after 300 s. */
  readonly beginMs: number
  /** From comment to comment. */
  readonly everyMs: number
}

export const HOLD_TIMES: HoldTimes = { beginMs: 50_000, everyMs: 15_000 }

/** Without a word there are 60 s before the first client gives up; one that says `Prefer: wait=N` knows what it takes. */
const PLAIN_SECONDS = { usual: 55, most: 120 }
/** Its client has an answer and reads on: as long as a card stands by default. */
const STREAM_SECONDS = { usual: 3_600, most: 3_600 }

export interface PatienceDeps {
  readonly held: HeldRequests
  readonly holdTimes: HoldTimes
}

export function patienceOf(
  { head }: Reading,
  exchange: Exchange,
  { held, holdTimes }: PatienceDeps,
  of: { readonly agentId: string; readonly form: StreamForm | null; readonly bodyBytes: number },
): Patience {
  const { usual, most } = of.form === null ? PLAIN_SECONDS : STREAM_SECONDS
  return {
    waitMs: Math.min(head.waitSeconds ?? usual, most) * 1_000,
    hold() {
      const place = held.take(of.agentId, of.bodyBytes)
      if (place === null) return null
      const holding = new DisposableStack()
      holding.use(place)
      if (of.form !== null) holding.use(keepAlive(exchange, of.form, holdTimes))
      return holding
    },
  }
}

function keepAlive(exchange: Exchange, form: StreamForm, { beginMs, everyMs }: HoldTimes): Disposable {
  const comment = (): void => {
    exchange.beginStream(form)?.comment()
    timer = setTimeout(comment, everyMs)
  }
  let timer = setTimeout(comment, exchange.stream === null ? beginMs : everyMs)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

/** `@google/generative-ai` (to 0.24, its last): a comment makes its reader fail on the whole stream. */
const READS_NO_COMMENTS = /(?:^| )genai-js\//

/**
 * The form of the stream of events that the answer will be; null where it is none, or where nobody can tell: Ollama streams
 * lines, Bedrock frames, Google without `alt=sse` a list.
 */
export function streamFormOf(asked: {
  readonly provider: Provider
  readonly shape: AnswerShape
  readonly reading: Reading
  readonly exchange: Exchange
  /** What the body says; false where it was not read. */
  readonly asksForStream: boolean
}): StreamForm | null {
  const { provider, shape, reading, exchange } = asked
  if (exchange.websocket || exchange.request.method !== 'POST') return null
  const path = behindRoot(provider, upstreamPath(provider, reading.rest))
  if (path.endsWith(':streamGenerateContent')) {
    if (READS_NO_COMMENTS.test(String(exchange.request.headers['x-goog-api-client'] ?? ''))) return null
    return new URLSearchParams(reading.credential.query).get('alt') === 'sse' ? 'google' : null
  }
  if (!asked.asksForStream) return null
  const isStream =
    /\/(?:messages|completions|responses)$/.test(path) ||
    (provider.name === 'cohere' && path.endsWith('/chat'))
  return isStream ? streamFormAt(shape, path) : null
}
