import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** Shorter than what servers commonly keep, so that a request seldom meets a connection that is just being closed. */
export const KEEP_ALIVE_MS = 4_000
/**
 * Of vendors, whose load balancers keep a connection for a minute and more (AWS 60 s, nginx 75 s): between two requests of an agent lie
 * seconds, and a new connection costs each its TCP and TLS handshakes.
 */
export const VENDOR_KEEP_ALIVE_MS = 55_000
/** Of an answer, or of its trailers. */
export const MAX_HEADER_BYTES = 64 * 1_024

export interface UpstreamRequest {
  readonly method: Dispatcher.HttpMethod
  /** Path and query. */
  readonly path: string
  /** Flat name, value … */
  readonly headers: string[]
  readonly body: Readable | Buffer | null
}

/** Of a request under way; RFC 9112 and RFC 9113 look the same from here. */
export interface UpstreamController {
  /** Of the answer: flat name, value … */
  readonly rawHeaders?: Dispatcher.DispatchController['rawHeaders']
  /** Ends it with its connection; the handler is told by `onResponseError`. */
  abort(why: Error): void
  /** Nothing of the body is told until `resume`. */
  pause(): void
  resume(): void
}

/** Hears of a request and its answer, in this order; the last call is `onResponseEnd` or `onResponseError`. */
export interface UpstreamHandler {
  /** It has a connection, and will be written now. */
  onRequestStart(controller: UpstreamController): void
  /** Also for each interim answer (RFC 9110, 15.2). */
  onResponseStart(controller: UpstreamController, status: number): void
  onResponseData(controller: UpstreamController, chunk: Buffer): void
  onResponseEnd(controller: UpstreamController, trailers?: RawHeaders): void
  onResponseError(controller: UpstreamController, error: Error): void
}

export type RawHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Nothing was sent: there was no connection. */
export function notSent({ body }: UpstreamRequest, handler: UpstreamHandler, error: Error): void {
  if (body !== null && 'destroy' in body) body.destroy()
  handler.onResponseError(null as never, error)
}

/** Connections to one place; undici's pools are such. */
export interface UpstreamPool {
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): unknown
  destroy(): Promise<void>
}
