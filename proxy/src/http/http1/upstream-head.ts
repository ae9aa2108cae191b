import { fieldLines } from './field-lines.ts'

const REQUEST_LINE = /^[A-Z]{1,20} \/[\x21-\x7e]* HTTP\/1\.1$/
/** Methods whose requests say that they have no body (RFC 9110, 8.6). */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH'])

/** What is asked, as a pool is told it. */
export interface HeadToWrite {
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Flat name, value … without `host` and `connection`; with `content-length` where the body is a stream of a known length. */
  readonly headers: readonly string[]
}

/** `length`: -1 for a body in chunks. */
export interface WrittenHead {
  readonly text: string
  readonly length: number
}

/**
 * A request's head in the bytes of latin1 (RFC 9112, 3 and 6). `bodyLength` is null where the body is a stream. Throws TypeError for
 * what no head may hold, since behind such a field another request could follow.
 */
export function writeRequestHead(
  host: string,
  { method, path, headers }: HeadToWrite,
  bodyLength: number | null,
): WrittenHead {
  const line = `${method} ${path} HTTP/1.1`
  if (!REQUEST_LINE.test(line)) throw new TypeError('the request line cannot be written')
  let text = `${line}\r\nhost: ${host}\r\nconnection: keep-alive\r\n`
  const lines = fieldLines(headers)
  let contentLength = lines.length
  text += lines.text
  if (bodyLength === null) {
    if (contentLength === -1) text += 'transfer-encoding: chunked\r\n'
  } else {
    if (contentLength !== -1 && contentLength !== bodyLength)
      throw new TypeError('the body has another length than its head says')
    if (contentLength === -1 && (bodyLength > 0 || WITH_BODY.has(method)))
      text += `content-length: ${bodyLength}\r\n`
    contentLength = bodyLength
  }
  return { text: `${text}\r\n`, length: contentLength }
}
