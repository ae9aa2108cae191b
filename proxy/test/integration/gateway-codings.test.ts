/** Content codings as servers write them, through the real gateway. */
import type { RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import {
  brotliCompressSync,
  constants,
  createZstdCompress,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask, openRequest } from '../support/gateway-client.ts'
import { gatewayWithUpstream } from '../support/gateway-upstream.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'
const BODY = Buffer.from(`{"echo":"${SECRET}","more":"${'x'.repeat(3_000)}"}`)
const CLEAN = BODY.toString().replace(SECRET, '[secret:API_KEY]')

const here = gatewayWithUpstream(HOST)

const url = (path = '/'): string => `https://${HOST}:${here.upstream.port}${path}`
const place = (): string => `${HOST}:${here.upstream.port}`
const run = (surfaces?: readonly 'body'[]) =>
  here.kit.run([place()], {
    API_KEY: { value: SECRET, hosts: [place()], ...(surfaces && { in: surfaces }) },
  })
const says =
  (encoding: string | readonly string[], bytes: Uint8Array): RequestListener =>
  (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': encoding as string })
    response.end(bytes)
  }

describe('an answer', () => {
  test.each([
    ...['utf-8', 'UTF8', 'iso-8859-1', 'windows-1251', 'us-ascii', 'Shift_JIS', 'none', 'NONE', 'binary'],
    ...[
      'charset=utf-8',
      'text/plain',
      'application/json',
      'aws-chunked',
      'amz-1.0',
      'identity, utf-8',
      ',',
      'utf-8,none',
    ],
  ])('with %j in place of a coding is searched as it stands', async (encoding) => {
    here.answer = says(encoding, BODY)
    const { endpoint } = await run()
    const got = await ask(endpoint, url())
    expect([got.status, got.body]).toEqual([200, CLEAN])
    expect(got.headers['content-encoding']).toBeUndefined()
  })

  test.each([
    ['zlib in deflate', 'deflate', deflateSync(BODY)],
    ['bare deflate', 'deflate', deflateRawSync(BODY)],
    ['zstd', 'zstd', zstdCompressSync(BODY)],
    [
      'zstd in two frames',
      'zstd',
      Buffer.concat([BODY.subarray(0, 20), BODY.subarray(20)].map((part) => zstdCompressSync(part))),
    ],
    [
      'gzip in two members',
      'gzip',
      Buffer.concat([BODY.subarray(0, 20), BODY.subarray(20)].map((part) => gzipSync(part))),
    ],
    ['gzip and a charset', 'gzip, utf-8', gzipSync(BODY)],
    ['gzip in br', 'gzip, br', brotliCompressSync(gzipSync(BODY))],
    ['gzip in gzip, said twice', ['gzip', 'gzip'], gzipSync(gzipSync(BODY))],
    ['zstd in deflate in gzip', 'zstd, deflate, gzip', gzipSync(deflateRawSync(zstdCompressSync(BODY)))],
  ] as const)('in %s is unpacked and searched', async (_name, encoding, bytes) => {
    here.answer = says(encoding, bytes)
    const { endpoint } = await run()
    const got = await ask(endpoint, url())
    expect([got.status, got.body]).toEqual([200, CLEAN])
  })

  test.each(['gzip', 'deflate', 'br', 'zstd'])('that is empty is empty in %s, too', async (encoding) => {
    here.answer = (_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding })
      response.flushHeaders()
      response.end()
    }
    const { endpoint } = await run()
    const got = await ask(endpoint, url())
    expect([got.status, got.body]).toEqual([200, ''])
  })

  test.each(['x-unheard-of', 'compress', 'dcb', 'gzip, x-unheard-of', 'gzip, gzip, gzip, gzip, gzip'])(
    'in %s cannot be searched',
    async (encoding) => {
      here.answer = says(encoding, BODY)
      const { endpoint } = await run()
      expect((await ask(endpoint, url())).rule).toBe('answer_unreadable')
    },
  )

  test.each([
    ['in one coding', 'br', () => brotliCompressSync(Buffer.alloc(200 * 1_048_576))],
    ['in codings of codings', 'gzip, gzip', () => gzipSync(gzipSync(Buffer.alloc(200 * 1_048_576)))],
  ])('that unpacks to 200 MiB of zeros breaks off: %s', async (_name, encoding, bomb) => {
    here.answer = says(encoding, bomb())
    const { endpoint } = await run()
    const answered = await openRequest(endpoint, url())
    let bytes = 0
    const read = async (): Promise<void> => {
      for await (const chunk of answered) bytes += (chunk as Buffer).length
    }
    await expect(read()).rejects.toThrow()
    expect(bytes).toBeLessThan(80 * 1_048_576)
  })

  test('that makes the reader keep a window of 128 MiB is not given', async () => {
    const packed = createZstdCompress({ params: { [constants.ZSTD_c_windowLog]: 27 } })
    packed.end(BODY)
    const bytes = Buffer.concat(await packed.toArray())
    here.answer = says('zstd', bytes)
    const { endpoint } = await run()
    expect((await ask(endpoint, url())).rule).toBe('answer_unreadable')
  })

  test('that is not in the coding it names is not given', async () => {
    here.answer = says('gzip', BODY)
    const { endpoint } = await run()
    expect((await ask(endpoint, url())).rule).toBe('answer_unreadable')
  })

  test('whose packed body breaks off breaks off', async () => {
    const whole = gzipSync(Buffer.concat([BODY, Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))]))
    here.answer = says('gzip', whole.subarray(0, whole.length - 9))
    const { endpoint } = await run()
    const answered = await openRequest(endpoint, url())
    await expect(text(answered)).rejects.toThrow()
  })
})

describe('a request', () => {
  test.each(['utf-8', 'none', 'identity'])(
    'with %j in place of a coding has its placeholder replaced',
    async (encoding) => {
      let got = ''
      here.answer = async (request, response) => {
        got = await text(request)
        response.end('ok')
      }
      const one = await run(['body'])
      const body = JSON.stringify({ key: placeholderOf(one.policy, 'API_KEY') })
      await ask(one.endpoint, url(), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        body,
      })
      expect(got).toBe(JSON.stringify({ key: SECRET }))
    },
  )
})
