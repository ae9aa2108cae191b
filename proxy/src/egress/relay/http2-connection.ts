import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Dispatcher } from 'undici'
import { type Http2Carrier, Http2Exchange } from './http2-exchange.ts'
import { KEEP_ALIVE_MS, MAX_HEADER_BYTES, type UpstreamRequest } from './upstream-pool.ts'

/** What may be on its way to a reader that is slow, of the one stream and of the connection. */
const WINDOW_BYTES = 256 * 1_024

/** One request at a time: what is broken off is ended with its connection, and nobody else is on that. */
export class Http2Connection implements Http2Carrier {
  readonly #session: ClientHttp2Session
  readonly #socket: TLSSocket
  readonly #became: (state: 'free' | 'gone', connection: Http2Connection) => void
  #timer: NodeJS.Timeout | undefined = undefined
  #isLeaving = false
  #isGone = false

  /** `became` is told when it is free for a request, and once when it is gone. */
  constructor(
    origin: string,
    socket: TLSSocket,
    became: (state: 'free' | 'gone', connection: Http2Connection) => void,
  ) {
    this.#socket = socket
    this.#became = became
    const options = {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES, maxHeaderListSize: MAX_HEADER_BYTES },
      // What came twice is sent on twice.
      strictSingleValueFields: false,
    }
    const session = connect(origin, options)
    this.#session = session
    session.once('connect', () => session.destroyed || session.setLocalWindowSize(WINDOW_BYTES))
    session.on('error', () => {})
    // One that goes away still answers what it has taken (RFC 9113, 6.8).
    session.once('goaway', () => {
      this.#isLeaving = true
      if (this.#timer !== undefined) this.destroy()
    })
    session.once('close', () => this.destroy())
    socket.once('close', () => this.destroy())
  }

  send(request: UpstreamRequest, handler: Dispatcher.DispatchHandler, headers: OutgoingHttpHeaders): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    new Http2Exchange(this, request, handler).start(headers)
  }

  open(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    return this.#session.request(headers, { endStream })
  }

  free(): void {
    if (this.#isLeaving || this.#isGone || this.#session.closed) {
      this.destroy()
      return
    }
    this.ending()
    this.#became('free', this)
  }

  ending(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.destroy(), KEEP_ALIVE_MS).unref()
  }

  destroy(): void {
    if (this.#isGone) return
    this.#isGone = true
    clearTimeout(this.#timer)
    this.#became('gone', this)
    this.#session.destroy()
    // Its session would wait until all that was written has left.
    this.#socket.destroy()
  }
}
