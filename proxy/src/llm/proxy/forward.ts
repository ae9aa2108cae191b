import type { BodyFilter } from '../../egress/index.ts'
import {
  type ForwardHandle,
  type ForwardRequest,
  HeldBody,
  type RelayObserver,
  relay,
} from '../../egress/relay/index.ts'
import type { KeyAnswer } from '../provider-keys/index.ts'
import { createUsageReader, type TokenUsage, type UsageReader } from '../usage/index.ts'
import { BodyBeginning } from './body-beginning.ts'
import { IdleTimed, type IdleTimeouts } from './idle-timeouts.ts'
import type { ReadingOn } from './reading-on.ts'
import { behindProxy, type SecondAddresses } from './second-address.ts'

export interface Forwarding extends ForwardRequest {
  /** False once what the request was let through by is gone: what still comes is not given on. */
  readonly isAuthorized: () => boolean
  readonly idleTimeouts: IdleTimeouts<Forwarded>
  /** Where an answer is read to its end whose client has left; null: it is ended with its client. */
  readonly readingOn: ReadingOn | null
  /** What addresses of the vendor's in its answer become. */
  readonly addresses: SecondAddresses
  /** The request without what the proxy put in, for a server that may refuse it for that; null: it is as the client wrote it. */
  readonly plainer: (() => Pick<ForwardRequest, 'headers' | 'body'>) | null
  /** Whether the server takes what was put in, as its answers show. */
  wish(wish: 'taken' | 'refused'): void
  /** The chunk of usage figures in a stream was asked for by the proxy, and is not for the client. */
  readonly dropUsageChunk: boolean
  /** Nothing of the provider's was given to the client, and nothing will be. */
  unreachable(error: unknown): void
  /** What ends a stream of events, or of JSON lines, that is stopped in the middle. */
  lastEvent(why: 'not_allowed' | Error): string
  lastLine(why: 'not_allowed' | Error): string
  /** Once, when all is over. */
  over(outcome: Outcome): void
}

export interface Outcome {
  /** Null when the provider gave none. */
  readonly status: number | null
  /** Of a refusal that may be about the key; else null. */
  readonly refusal: Omit<KeyAnswer, 'status'> | null
  /** The answer came whole, and the client took it. */
  readonly whole: boolean
  /** The client went away in the middle of it. */
  readonly left: boolean
  /** Something of the request may have reached the provider. */
  readonly sent: boolean
  /** Of the answer's body, where it is of a kind that tells of tokens; else null. */
  readonly textBytes: number | null
  readonly usage: TokenUsage | null
  /** Whether the tokens are the provider's last word: a stream may tell some at its beginning. */
  readonly isFinal: boolean
  readonly model: string | null
}

/** Idle timeout of an answer: models think for minutes before the first byte, and pause in streams. */
export const ANSWER_IDLE_MS = 15 * 60_000

/** Sends a request on and its answer back, and reads the tokens on the way. */
export function forward(forwarding: Forwarding): void {
  const forwarded = new Forwarded(forwarding)
  forwarded.upstream = relay(forwarding, forwarded)
  forwarding.idleTimeouts.begin(forwarded)
}

/** A request upstream, from its first byte until all is over. */
export class Forwarded extends IdleTimed implements RelayObserver {
  upstream: ForwardHandle | null = null
  readonly #forwarding: Forwarding
  #reader: UsageReader | null = null
  #status: number | null = null
  #refusalHeaders: readonly string[] | null = null
  #refusalBody: BodyBeginning | null = null
  #bytes = 0
  #isRefused = false
  #stream: 'events' | 'lines' | null = null
  #isPlainer = false

  constructor(forwarding: Forwarding) {
    super()
    this.#forwarding = forwarding
  }

  onAnswer(code: number, rawHeaders: readonly string[]): BodyFilter | null {
    this.isAlive = true
    this.#status = code
    if (code === 401 || code === 429) {
      this.#refusalHeaders = rawHeaders
      this.#refusalBody = new BodyBeginning()
      return this.#refusalBody
    }
    const { method } = this.#forwarding
    const dropUsageChunk = this.#forwarding.dropUsageChunk && !this.#isPlainer
    if (this.#forwarding.dropUsageChunk && code < 300)
      this.#forwarding.wish(this.#isPlainer ? 'refused' : 'taken')
    if (method !== 'HEAD' && code < 300 && code !== 204) {
      const contentType = headerOf(rawHeaders, 'content-type')
      this.#stream = kindOfStream(contentType)
      // Nothing can be written behind bytes that are compressed.
      if (this.#stream !== null && headerOf(rawHeaders, 'content-encoding') !== null) this.#stream = null
      this.#reader = createUsageReader({ contentType, dropUsageChunk })
    }
    return this.#reader
  }

  instead(status: number): Pick<ForwardRequest, 'headers' | 'body'> | null {
    const { plainer } = this.#forwarding
    if (plainer === null || this.#isPlainer || (status !== 400 && status !== 422)) return null
    if (!this.isAuthorized()) return null
    this.isAlive = true
    this.#isPlainer = true
    return plainer()
  }

  headersToGive(headers: string[]): string[] {
    return behindProxy(headers, this.#forwarding.addresses)
  }

  onBytes(count: number): void {
    this.isAlive = true
    this.#bytes += count
  }

  isAuthorized(): boolean {
    return this.#forwarding.isAuthorized()
  }

  readsOn(): boolean {
    const { readingOn, isAuthorized } = this.#forwarding
    return (
      readingOn !== null && this.upstream !== null && isAuthorized() && readingOn.begin(this, this.upstream)
    )
  }

  /** Only whole events: in the middle of one they would be taken for a part of it, and the answer is broken off instead. */
  lastWords(why: 'not_allowed' | Error, tail: Uint8Array): string | null {
    if (this.#stream === 'events' && endsEvent(tail)) return this.#forwarding.lastEvent(why)
    return this.#stream === 'lines' && endsLine(tail) ? this.#forwarding.lastLine(why) : null
  }

  refuse(why: 'unreadable' | Error): void {
    this.#isRefused = true
    this.#forwarding.unreachable(why)
  }

  onIdle(): void {
    // While the client still sends, its own clock bounds it.
    const { body } = this.#forwarding
    const isComing = body !== null && !Buffer.isBuffer(body) && !(body instanceof HeldBody)
    if (isComing && !body.readableEnded) return
    this.upstream?.breakOff(new Error('the provider has said nothing for too long'))
  }

  /** However silent it is, and whether or not its client has left. */
  breakOff(why: Error): void {
    this.upstream?.breakOff(why)
  }

  over(isWhole: boolean, wasSent: boolean): void {
    this.#forwarding.idleTimeouts.end(this)
    this.#forwarding.readingOn?.end(this)
    const reader = this.#reader
    this.#forwarding.over({
      status: this.#status,
      refusal:
        this.#refusalHeaders === null
          ? null
          : { headers: this.#refusalHeaders, body: this.#refusalBody?.text() ?? '' },
      whole: isWhole && this.#forwarding.response.writableFinished,
      left: !isWhole && !this.#isRefused,
      sent: wasSent,
      textBytes: reader === null ? null : this.#bytes,
      usage: reader?.usage() ?? null,
      isFinal: reader?.isFinal() ?? false,
      model: reader?.model() ?? null,
    })
  }
}

const LF = 0x0a
const CR = 0x0d

const endsLine = (tail: Uint8Array): boolean => tail.length === 0 || tail.at(-1) === LF

/** A blank line: LF, CR or both end a line (WHATWG HTML, 9.2.5). */
function endsEvent(tail: Uint8Array): boolean {
  if (tail.length === 0) return true
  const [before, last] = [tail.at(-2), tail.at(-1)]
  if (last === CR) return before === CR || before === LF
  return last === LF && (before === LF || (before === CR && [LF, CR].includes(tail.at(-3) ?? 0)))
}

function kindOfStream(contentType: string | null): 'events' | 'lines' | null {
  if (contentType === null) return null
  if (/^text\/event-stream\b/i.test(contentType)) return 'events'
  return /^application\/x-ndjson\b/i.test(contentType) ? 'lines' : null
}

function headerOf(rawHeaders: readonly string[], name: string): string | null {
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const found = rawHeaders[at] as string
    if (found.length === name.length && found.toLowerCase() === name) return rawHeaders[at + 1] as string
  }
  return null
}
