/** Amazon S3 at the wire, as far as an object store is asked: as strict, and it fails as it is told. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { signatureFault } from './sigv4.ts'

type Fault =
  | 'unavailable'
  | 'slow down'
  | 'reset'
  | 'half a body'
  | 'silent'
  | 'done and reset'
  | 'half a list'

export interface S3Double extends AsyncDisposable {
  readonly endpoint: string
  readonly objects: Map<string, Buffer>
  /** One a request that comes, in this order. */
  readonly faults: Fault[]
  /** Method and path of each request. */
  readonly asked: string[]
  /** `If-None-Match` is not looked at, as some stores do. */
  ignoresConditions: boolean
  /** Says of each page that more comes, and names no next one, or the same again. */
  truncates: 'endlessly' | 'nowhere' | undefined
}

const BUCKET = 'machines'
/** Less than a thousand: lists have several pages. */
const PAGE = 3
const MAX_SKEW_MS = 900_000

export async function startS3Double(keyId: string, secret: string): Promise<S3Double> {
  const objects = new Map<string, Buffer>()
  const double = {
    objects,
    faults: [] as Fault[],
    asked: [] as string[],
    ignoresConditions: false,
    truncates: undefined as S3Double['truncates'],
  }

  const server = createServer((request, response) => {
    void serve(request, response).catch((error: unknown) => response.destroy(error as Error))
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request)
    const { method = '', url = '' } = request
    double.asked.push(`${method} ${url}`)
    const fault = double.faults.shift()
    if (fault === 'reset') return void response.destroy()
    if (fault === 'silent') return
    if (fault === 'unavailable') return refuse(response, 503, 'ServiceUnavailable')
    if (fault === 'slow down') return refuse(response, 503, 'SlowDown')
    const said = request.headers['x-amz-content-sha256']
    if (!/^[0-9a-f]{64}$/.test(String(said))) return refuse(response, 400, 'XAmzContentSHA256Mismatch')
    const wrong = signatureFault({ method, url, headers: request.headers, body }, keyId, secret)
    if (wrong !== undefined) return refuse(response, 403, 'SignatureDoesNotMatch')
    if (Math.abs(signedAt(request) - Date.now()) > MAX_SKEW_MS)
      return refuse(response, 403, 'RequestTimeTooSkewed')
    const { pathname, searchParams } = new URL(url, 'http://s3.invalid')
    const [, bucket, ...rest] = pathname.split('/')
    if (bucket !== BUCKET) return refuse(response, 404, 'NoSuchBucket')
    const name = decodeURIComponent(rest.join('/'))
    if (method === 'PUT') put(request, response, name, body, fault)
    else if (method === 'DELETE') remove(response, name)
    else if (name !== '') get(request, response, name, fault)
    else if (searchParams.get('list-type') === '2') list(response, searchParams, fault)
    else refuse(response, 400, 'InvalidRequest')
  }

  function remove(response: ServerResponse, name: string): void {
    objects.delete(name)
    response.writeHead(204).end()
  }

  function put(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    body: Buffer,
    fault?: Fault,
  ): unknown {
    const isConditional = request.headers['if-none-match'] === '*' && !double.ignoresConditions
    if (isConditional && objects.has(name)) return refuse(response, 412, 'PreconditionFailed')
    objects.set(name, body)
    return fault === 'done and reset' ? response.destroy() : response.writeHead(200).end()
  }

  function get(request: IncomingMessage, response: ServerResponse, name: string, fault?: Fault): unknown {
    const whole = objects.get(name)
    if (whole === undefined) return refuse(response, 404, 'NoSuchKey')
    const [, from = '0', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const part = whole.subarray(Number(from), to === '' ? undefined : Number(to) + 1)
    if (part.length === 0) return refuse(response, 416, 'InvalidRange')
    const last = Number(from) + part.length - 1
    response.writeHead(request.headers.range === undefined ? 200 : 206, {
      'content-length': part.length,
      'content-range': `bytes ${from}-${last}/${whole.length}`,
    })
    if (fault !== 'half a body') return response.end(part)
    return response.write(part.subarray(0, part.length >> 1), () => void response.destroy())
  }

  function list(response: ServerResponse, query: URLSearchParams, fault?: Fault): void {
    const after = query.get('continuation-token')?.slice('after & '.length) ?? ''
    const names = [...objects.keys()]
      .sort()
      .filter((name) => name.startsWith(query.get('prefix') ?? '') && name > after)
    const page = names.slice(0, PAGE)
    const isCut = names.length > PAGE
    const keys = page.map((name) => `<Contents><Key>${encodeURIComponent(name)}</Key></Contents>`).join('')
    const { truncates } = double
    const last = truncates === 'endlessly' ? '' : page.at(-1)
    const next =
      isCut || truncates === 'endlessly'
        ? `<NextContinuationToken>after &amp; ${last}</NextContinuationToken>`
        : ''
    const text = `<?xml version="1.0"?><ListBucketResult><IsTruncated>${isCut || truncates !== undefined}</IsTruncated>${keys}${next}</ListBucketResult>`
    response.writeHead(200, { 'content-type': 'application/xml' })
    response.end(fault === 'half a list' ? text.slice(0, text.length >> 1) : text)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(double, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  })
}

function signedAt({ headers }: IncomingMessage): number {
  const [, date, hour, minute, second] =
    /^(\d{8})T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date'])) ?? []
  const day = `${date?.slice(0, 4)}-${date?.slice(4, 6)}-${date?.slice(6)}`
  return Date.parse(`${day}T${hour}:${minute}:${second}Z`)
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`)
}
