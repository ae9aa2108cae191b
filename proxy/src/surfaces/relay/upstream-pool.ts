import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** Shorter than what servers commonly keep, so that a request seldom meets a connection that is just being closed. */
export const KEEP_ALIVE_MS = 4_000
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

/** Connections to one place, as undici's pools are. */
export interface UpstreamPool {
  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): unknown
  destroy(): Promise<void>
}
