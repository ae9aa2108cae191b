import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { policyOf } from '../../test/support/egress-policy.ts'
import { createScrubber } from '../scrub/index.ts'
import { type PreparedResponse, prepareResponse, type ResponseToPrepare, scrubberFor } from './response.ts'

const VALUE = 'demo-value-to-be-scrubbed'
const scrubber = createScrubber(new Map([['KEY', VALUE]]))

const prepare = (part: Partial<ResponseToPrepare>) =>
  prepareResponse({ scrubber, status: 200, rawHeaders: [], method: 'GET', ...part })

function prepared(part: Partial<ResponseToPrepare>): PreparedResponse {
  const outcome = prepare(part)
  if ('refused' in outcome) throw new Error('refused')
  return outcome
}

async function read(response: PreparedResponse, chunks: readonly Uint8Array[]): Promise<string> {
  const out: Buffer[] = []
  const [first, ...rest] = response.transforms()
  const sink = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) out.push(chunk)
  }
  if (first === undefined) return Buffer.concat(chunks).toString()
  await pipeline([Readable.from(chunks), first, ...rest, sink] as never)
  return Buffer.concat(out).toString()
}

describe('a coding of the transfer', () => {
  it.each([['gzip, chunked'], ['gzip'], ['chunked, chunked'], ['chunked', 'gzip'], ['xchunked'], ['']])(
    'that is not taken off makes an answer unreadable: %s %s',
    (...values) => {
      const rawHeaders = values.flatMap((value) => ['Transfer-Encoding', value])
      expect(prepare({ rawHeaders })).toEqual({ refused: 'answer_unreadable' })
      // There is nothing to look for.
      expect(prepare({ rawHeaders, scrubber: null })).not.toHaveProperty('refused')
    },
  )

  it.each(['chunked', 'Chunked'])('%s is taken off', (value) => {
    expect(prepare({ rawHeaders: ['Transfer-Encoding', value] })).not.toHaveProperty('refused')
  })
})

describe('headers of an answer', () => {
  it('come without secrets, in any rendering', () => {
    const rawHeaders = [
      ...['X-Echo', `Bearer ${VALUE}`, 'Set-Cookie', `a=${VALUE}`, 'Set-Cookie', 'b=c'],
      ...['Location', `https://evil.example/?k=${encodeURIComponent(VALUE)}`],
      ...['X-Basic', Buffer.from(`user:${VALUE}`).toString('base64')],
    ]
    const { headers } = prepared({ rawHeaders })
    expect(headers.slice(0, 8)).toEqual([
      ...['x-echo', 'Bearer [secret:KEY]', 'set-cookie', 'a=[secret:KEY]', 'set-cookie', 'b=c'],
      ...['location', 'https://evil.example/?k=[secret:KEY]'],
    ])
    expect(headers.at(-1)).toContain('[secret:KEY]')
  })

  it('are dropped when a name holds a secret', () => {
    expect(prepared({ rawHeaders: [VALUE, 'a', 'X-A', 'b'] }).headers).toEqual(['x-a', 'b'])
  })

  it('are dropped when they complete a secret that another began', () => {
    const rawHeaders = ['X-A', VALUE.slice(0, 9), 'X-B', VALUE.slice(9), 'X-C', 'c']
    expect(prepared({ rawHeaders }).headers).toEqual(['x-a', VALUE.slice(0, 9), 'x-c', 'c'])
  })

  it('come without what is for one connection only', () => {
    const rawHeaders = [
      ...['Connection', 'close, X-Mine', 'X-Mine', 'a', 'Keep-Alive', 'b', 'Transfer-Encoding', 'chunked'],
      ...['Trailer', 'X-T', 'Upgrade', 'h2', 'Proxy-Authenticate', 'Basic', 'ETag', '"e"'],
    ]
    for (const one of [scrubber, null]) {
      expect(prepared({ rawHeaders, scrubber: one }).headers).toEqual(['etag', '"e"'])
    }
  })

  it('do not tell a length that may change', () => {
    const rawHeaders = ['Content-Length', '10']
    expect(prepared({ rawHeaders }).headers).toEqual([])
    expect(prepared({ rawHeaders, scrubber: null }).headers).toEqual(['content-length', '10'])
    expect(prepared({ rawHeaders, method: 'HEAD' }).headers).toEqual(['content-length', '10'])
    expect(prepared({ rawHeaders: ['Content-Length', '0'] }).headers).toEqual(['content-length', '0'])
  })

  it('keep the upgrade of a WebSocket and lose its extensions', () => {
    const rawHeaders = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Extensions', 'x']
    expect(prepared({ rawHeaders, status: 101, websocket: true }).headers).toEqual([
      ...['upgrade', 'websocket', 'connection', 'Upgrade'],
    ])
  })

  it('that are malformed make the answer unreadable', () => {
    expect(prepare({ rawHeaders: ['X-A', 'a\r\nb'] })).toEqual({ refused: 'answer_unreadable' })
  })
})

describe('the body of an answer', () => {
  const body = Buffer.from(`{"echo":"${VALUE}","more":"${'x'.repeat(3000)}"}`)
  const clean = body.toString().replace(VALUE, '[secret:KEY]')

  it('comes without secrets, also when they are cut by chunks', async () => {
    const chunks = [...body].map((byte) => Buffer.from([byte]))
    expect(await read(prepared({}), chunks)).toBe(clean)
  })

  it.each([
    ['gzip', gzipSync(body)],
    ['X-GZIP', gzipSync(body)],
    ['br', brotliCompressSync(body)],
    ['deflate', deflateSync(body)],
    ['zstd', zstdCompressSync(body)],
    ['identity', body],
    ['identity, gzip', gzipSync(body)],
  ])('is decoded from %s', async (encoding, bytes) => {
    const response = prepared({ rawHeaders: ['Content-Encoding', encoding, 'Content-Length', '9'] })
    expect(response.headers).toEqual([])
    const half = bytes.length >> 1
    expect(await read(response, [bytes.subarray(0, half), bytes.subarray(half)])).toBe(clean)
  })

  it.each([
    ['Content-Encoding', 'compress'],
    ['Content-Encoding', 'gzip, compress'],
    ['Content-Encoding', 'gzip', 'Content-Encoding', 'x-unheard-of'],
    ['Content-Encoding', 'constructor'],
  ])('is not given with %s: %s', (...rawHeaders) => {
    expect(prepare({ rawHeaders })).toEqual({ refused: 'answer_unreadable' })
    expect(prepare({ rawHeaders, scrubber: null })).not.toHaveProperty('refused')
  })

  it.each([
    [{ method: 'HEAD' }, ['Content-Encoding', 'compress']],
    [{ status: 304 }, ['Content-Encoding', 'gzip']],
    [{ status: 204 }, []],
  ])('is not expected for %j', (part, rawHeaders) => {
    expect(prepared({ ...part, rawHeaders }).transforms()).toEqual([])
  })

  it('that breaks off fails and gives nothing that was held back', async () => {
    const whole = gzipSync(body)
    const response = prepared({ rawHeaders: ['Content-Encoding', 'gzip'] })
    await expect(read(response, [whole.subarray(0, whole.length - 9)])).rejects.toThrow(
      'unexpected end of file',
    )
  })

  it('passes as it is for a run without placeholders', () => {
    expect(scrubberFor(policyOf(['a.example']))).toBeNull()
    const raw = { RAW: { value: VALUE, hosts: ['a.example'], mode: 'raw' as const } }
    expect(scrubberFor(policyOf(['a.example'], raw))).toBeNull()
    expect(prepared({ scrubber: null }).transforms()).toEqual([])
  })

  it('is searched for secrets in raw mode too when there are others', async () => {
    const policy = policyOf(['a.example'], {
      KEY: { value: 'demo-value-of-another', hosts: ['a.example'] },
      RAW: { value: VALUE, hosts: ['a.example'], mode: 'raw' },
    })
    const response = prepared({ scrubber: scrubberFor(policy) })
    expect(await read(response, [body])).toBe(clean.replace('KEY', 'RAW'))
  })
})
