import { request } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface ToldBytes {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly bytes: Buffer
  /** Of a refusal. */
  readonly code: string | undefined
}

/** A call with bytes both ways, as they are. */
export const sendBytes = (
  to: { readonly socketPath: string } | { readonly port: number },
  method: string,
  path: string,
  content?: Uint8Array,
  headers: Record<string, string> = {},
): Promise<ToldBytes> =>
  new Promise((resolve, reject) => {
    const type = content && { 'content-type': 'application/octet-stream' }
    const length = content && { 'content-length': String(content.length) }
    const call = request({ ...to, method, path, agent: false, headers: { ...type, ...length, ...headers } })
    call.once('error', reject)
    call.once('response', (response) =>
      buffer(response).then((bytes) => {
        const isJson = String(response.headers['content-type']).startsWith('application/json')
        const code = isJson ? JSON.parse(bytes.toString()).error?.code : undefined
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, code })
      }, reject),
    )
    call.end(content)
  })
