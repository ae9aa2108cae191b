import type { Readable } from 'node:stream'
import { BodyFlow } from './body-flow.ts'
import type { MessageHead } from './message.ts'
import type { HeadToWrite } from './upstream-head.ts'

export interface RequestToSend extends HeadToWrite {
  readonly body: Readable | Buffer | null
}

/** Hears of a request and its answer, in this order; the last call is `onResponseEnd` or `onResponseError`. */
export interface ExchangeHandler {
  onRequestStart(exchange: UpstreamExchange): void
  onResponseStart(exchange: UpstreamExchange, status: number): void
  onResponseData(exchange: UpstreamExchange, bytes: Buffer): void
  onResponseEnd(exchange: UpstreamExchange): void
  onResponseError(exchange: UpstreamExchange, error: Error): void
}

/** The connection that a request goes out on. */
export interface ExchangeCarrier {
  /** Stops and goes on with reading. */
  pause(): void
  resume(): void
  /** All of the answer was told. */
  answered(): void
  /** Nobody waits for the rest: it is of no use for another request. */
  destroy(): void
}

/** One request of a pool and its answer. What its handler throws ends it, as an abort does. */
export class UpstreamExchange extends BodyFlow {
  readonly request: RequestToSend
  rawHeaders: string[] = []
  readonly #handler: ExchangeHandler
  #carrier: ExchangeCarrier | null = null
  #isOver = false

  constructor(request: RequestToSend, handler: ExchangeHandler) {
    super(false)
    this.request = request
    this.#handler = handler
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** False when its handler has no use for it any more. */
  start(carrier: ExchangeCarrier): boolean {
    // Before anything was written, an abort leaves the connection as it is.
    this.#guarded(() => this.#handler.onRequestStart(this))
    if (this.#isOver) return false
    this.#carrier = carrier
    return true
  }

  answerBegins(head: MessageHead): void {
    if (this.#isOver) return
    this.rawHeaders = head.rawHeaders
    this.#guarded(() => this.#handler.onResponseStart(this, head.status))
  }

  abort(reason: Error): void {
    if (this.#isOver) return
    const carrier = this.#carrier
    this.failed(reason)
    carrier?.destroy()
  }

  pause(): void {
    this.stopFlow()
  }

  resume(): void {
    if (this.isPaused && !this.#isOver) this.startFlow()
  }

  /** Nothing more comes. */
  failed(error: Error): void {
    if (this.#isOver) return
    this.#end()
    try {
      this.#handler.onResponseError(this, error)
    } catch {}
  }

  protected override hold(): void {
    this.#carrier?.pause()
  }

  protected override unhold(): void {
    this.#carrier?.resume()
  }

  protected override tellBytes(bytes: Buffer): void {
    if (this.#isOver) return
    try {
      this.#handler.onResponseData(this, bytes)
    } catch (error) {
      this.abort(error as Error)
    }
  }

  protected override tellEnd(): void {
    const carrier = this.#carrier
    this.#end()
    carrier?.answered()
    try {
      this.#handler.onResponseEnd(this)
    } catch {}
  }

  #end(): void {
    this.#isOver = true
    this.#carrier = null
    this.drop()
    const { body } = this.request
    if (body !== null && 'destroy' in body && !body.readableEnded) body.destroy()
  }

  #guarded(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.abort(error as Error)
    }
  }
}
