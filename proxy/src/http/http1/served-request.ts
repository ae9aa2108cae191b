import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { BodyFlow } from './body-flow.ts'
import type { MessageHead } from './message.ts'

/** Of a field that comes more than once, the first counts, as with node:http; other values are joined (RFC 9110, 5.2). */
const FIRST_COUNTS = new Set(
  ['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host'].concat(
    ['if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards'],
    ['proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent'],
  ),
)

/** The connection that a request came on. */
export interface RequestCarrier {
  readonly socket: Socket
  /** All of the request was told. */
  requestTold(): void
}

/** A request with its body, in the form of node:http as far as it goes. Nothing of the body is told before somebody asks for it. */
export class ServedRequest extends BodyFlow {
  readonly method: string
  readonly url: string
  readonly rawHeaders: string[]
  readonly socket: Socket
  /** As `like` of its head. */
  readonly like: object
  /** What `content-length` says; 0 without one. */
  readonly declaredBytes: number
  complete = false
  #headers: IncomingHttpHeaders | undefined = undefined
  #isAsked = false
  #whenIdle: (() => void) | undefined = undefined
  readonly #carrier: RequestCarrier

  constructor(head: MessageHead, carrier: RequestCarrier) {
    super(true)
    this.#carrier = carrier
    this.method = head.method
    this.url = head.target
    this.rawHeaders = head.rawHeaders
    this.like = head.like
    this.declaredBytes = head.length
    this.socket = carrier.socket
  }

  get headers(): IncomingHttpHeaders {
    this.#headers ??= headersOf(this.rawHeaders)
    return this.#headers
  }

  override on(event: string, listener: (bytes: Buffer) => void): this {
    super.on(event as 'data', listener)
    // As with streams: who wants the data sets it going, unless it was paused by name.
    if (event === 'data' && !this.#isAsked) this.resume()
    return this
  }

  get destroyed(): boolean {
    return this.complete || this.socket.destroyed
  }

  pause(): this {
    this.#isAsked = true
    this.stopFlow()
    return this
  }

  resume(): this {
    this.#isAsked = true
    if (this.isPaused && !this.complete) this.startFlow()
    return this
  }

  /** Reads what nobody asked for off the client's hands, so that it comes to read its answer. */
  dropUnasked(): void {
    if (!this.#isAsked) this.resume()
  }

  /** `callback` when nothing passes over the connection for so long; 0 ends that. */
  setTimeout(ms: number, callback?: () => void): this {
    this.#whenIdle = ms === 0 ? undefined : callback
    this.socket.setTimeout(ms)
    return this
  }

  idle(): void {
    this.#whenIdle?.()
  }

  /** With its connection, unless all of it was told: that is the next one's by then. */
  destroy(): this {
    if (!this.complete) this.socket.destroy()
    return this
  }

  /** The connection is gone. */
  lost(): void {
    if (this.complete) return
    this.drop()
    this.emit('close')
  }

  protected override hold(): void {
    this.socket.pause()
  }

  protected override unhold(): void {
    if (this.socket.isPaused()) this.socket.resume()
  }

  protected override tellBytes(bytes: Buffer): void {
    this.emit('data', bytes)
  }

  protected override tellEnd(): void {
    this.complete = true
    this.unhold()
    this.emit('end')
    this.emit('close')
    this.#carrier.requestTold()
  }
}

function headersOf(raw: readonly string[]): IncomingHttpHeaders {
  const headers: Record<string, string> = Object.create(null)
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase()
    const value = raw[at + 1] as string
    const known = headers[name]
    if (known === undefined) headers[name] = value
    else if (!FIRST_COUNTS.has(name)) headers[name] = `${known}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return headers
}
