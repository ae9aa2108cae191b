import type { OutgoingHttpHeaders } from 'node:http2'
import { wordSet } from '../../kernel/index.ts'
import type { UpstreamRequest } from './upstream-pool.ts'

/** Of this protocol no field belongs to the connection (RFC 9113, 8.2.2). */
const NOT_IN_HTTP2 = wordSet(`
  connection http2-settings keep-alive proxy-connection transfer-encoding upgrade`)

/** A request of HTTP/1.1 in the fields of HTTP/2: the host by its authority, names in lower case. */
export function http2FieldsOf(origin: string, request: UpstreamRequest): OutgoingHttpHeaders {
  const { protocol, host } = new URL(origin)
  const fields: Record<string, string | string[]> = Object.create(null)
  let authority = host
  for (let at = 0; at + 1 < request.headers.length; at += 2) {
    const name = (request.headers[at] as string).toLowerCase()
    const value = request.headers[at + 1] as string
    if (name === 'host') authority = value
    else if (!NOT_IN_HTTP2.has(name)) {
      const known = fields[name]
      fields[name] = known === undefined ? value : [known, value].flat()
    }
  }
  if (Buffer.isBuffer(request.body)) fields['content-length'] = String(request.body.length)
  return {
    ':method': request.method,
    ':scheme': protocol.slice(0, -1),
    ':authority': authority,
    ':path': request.path,
    ...fields,
  }
}
