import type { Readable } from 'node:stream'

/** A request of a client's as its body comes, whether that speaks HTTP/1.1 or HTTP/2. */
export interface ClientRequest extends Readable {
  /** All of it has come. */
  readonly complete: boolean
  /** `callback` when nothing came for so long; 0 ends that. */
  setTimeout(ms: number, callback?: () => void): unknown
}
