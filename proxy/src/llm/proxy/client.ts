import type { IncomingHttpHeaders } from 'node:http'
import type { AnswerSink, ClientRequest } from '../../egress/relay/index.ts'

/** A client's request, as far as the proxy looks at it: of node:http's server, or of the daemon's own. */
export interface LlmRequest extends ClientRequest {
  readonly method?: string | undefined
  /** The request target, as it came. */
  readonly url?: string | undefined
  /** Flat name, value …, as they came. */
  readonly rawHeaders: string[]
  readonly headers: IncomingHttpHeaders
  /**
   * The same object for requests of one connection whose heads differ in nothing but what `content-length` says, which is
   * `declaredBytes` (0 without one). Left out where nobody compares them.
   */
  readonly like?: object
  readonly declaredBytes?: number
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** Where its answer goes. */
export interface LlmResponse extends AnswerSink {
  readonly req: Pick<LlmRequest, 'headers'>
  writeHead(status: number, headers: string[]): unknown
  writeHead(status: number, phrase: string, headers: string[]): unknown
}
