/**
 * A request of a client's as its body comes, whoever reads it off the wire and in whichever HTTP: of node:http, of node:http2 or of the
 * daemon's own reader.
 */
export interface ClientRequest {
  /** All of it has come. */
  readonly complete: boolean
  readonly destroyed: boolean
  pause(): unknown
  resume(): unknown
  destroy(): unknown
  /** `callback` when nothing came for so long; 0 ends that. */
  setTimeout(ms: number, callback?: () => void): unknown
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end' | 'close', listener: () => void): unknown
  once(event: 'end' | 'close', listener: () => void): unknown
}
