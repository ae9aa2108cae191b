/** Checks a request as Amazon S3 does: AWS Signature Version 4 in the Authorization header. */
import { createHash, createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

interface SignedRequest {
  readonly method: string
  /** Path and query, as they came. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()
const FORM =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([a-z0-9-]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/

/** What is wrong with the signature; undefined when it holds. */
export function signatureFault(request: SignedRequest, keyId: string, secret: string): string | undefined {
  const { method, headers, body } = request
  const [, id = '', date = '', region = '', names = '', signature = ''] =
    FORM.exec(headers.authorization ?? '') ?? []
  if (id !== keyId) return `unknown access key ${id}`
  const url = new URL(request.url, 'https://s3.invalid')
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&')
  const signed = names.split(';')
  const fields = signed.map((name) => `${name}:${String(headers[name] ?? '').trim()}\n`).join('')
  const said = String(headers['x-amz-content-sha256'] ?? '')
  if (/^[0-9a-f]{64}$/.test(said) && said !== sha256(body)) return 'the body is not the one that was signed'
  const canonical = [method, url.pathname, query, fields, names, said].join('\n')
  const scope = `${date}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', String(headers['x-amz-date']), scope, sha256(canonical)].join('\n')
  const key = [region, 's3', 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, date))
  return hmac(key, text).toString('hex') === signature ? undefined : 'the signature does not match'
}
