/** Parts of a file: resumed downloads, the ends of archives, and pieces of an echo that are too small to be recognised. */
import type { IncomingMessage, RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'
const FILE = Buffer.from(Array.from({ length: 40_000 }, (_, at) => 97 + (at % 26)))

let upstream: TlsUpstream
let kit: GatewayKit
let answer: RequestListener
let seen: IncomingMessage[]
beforeEach(async () => {
  seen = []
  upstream = await startTlsUpstream([HOST], (request, response) => {
    seen.push(request)
    answer(request, response)
  })
  kit = await createGatewayKit({ tls: { ca: upstream.ca } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const url = (): string => `https://${HOST}:${upstream.port}/file`
const place = (): string => `${HOST}:${upstream.port}`
const runWith = () => kit.run([place()], { KEY: { value: SECRET, hosts: [place()] } })

/** As RFC 9110 has it, for one range. */
const serving =
  (file: Buffer, options: { readonly total?: boolean; readonly length?: boolean } = {}): RequestListener =>
  (request, response) => {
    const { range } = request.headers
    const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? []
    if (first === '' && last === '') return void response.end(file)
    const from = first === '' ? Math.max(0, file.length - Number(last)) : Number(first)
    const to = first === '' || last === '' ? file.length - 1 : Math.min(Number(last), file.length - 1)
    if (from > to) return void response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
    const part = file.subarray(from, to + 1)
    response.writeHead(206, {
      'content-range': `bytes ${from}-${to}/${options.total === false ? '*' : file.length}`,
      ...(options.length === false ? {} : { 'content-length': part.length }),
      etag: '"one"',
    })
    response.end(part)
  }

async function part(range: string, headers: Record<string, string> = {}) {
  const run = await runWith()
  const authorization = `Bearer ${placeholderOf(run.policy, 'KEY')}`
  return await ask(run.endpoint, url(), { headers: { authorization, range, ...headers } })
}

describe('a part of a file', () => {
  test.each([
    ['bytes=0-9', 0, 9],
    ['bytes=20000-20099', 20_000, 20_099],
    ['BYTES = 39990-', 39_990, 39_999],
    ['bytes=100-99999', 100, 39_999],
    ['bytes=-7', 39_993, 39_999],
    ['bytes=-99999', 0, 39_999],
    ['bytes=39999-39999', 39_999, 39_999],
  ])('%s comes as it was asked for', async (range, first, last) => {
    for (const options of [{}, { length: false }]) {
      answer = serving(FILE, options)
      const got = await part(range)
      expect([got.status, got.headers['content-range']]).toEqual([206, `bytes ${first}-${last}/40000`])
      expect(got.body).toBe(FILE.subarray(first, last + 1).toString())
      expect(got.headers.etag).toBe('"one"')
      if (options.length !== false) expect(got.headers['content-length']).toBe(String(last - first + 1))
    }
  })

  test('comes of a server that does not tell the length of the whole', async () => {
    answer = serving(FILE, { total: false })
    const got = await part('bytes=5-8')
    expect([got.status, got.headers['content-range'], got.body]).toEqual([206, 'bytes 5-8/*', 'fghi'])
  })

  test.each(['bytes=40000-', 'bytes=41000-41009'])('%s lies behind the end', async (range) => {
    answer = serving(FILE)
    const got = await part(range)
    expect([got.status, got.headers['content-range'], got.body]).toEqual([416, 'bytes */40000', ''])
  })

  test('is the whole where the server takes no ranges', async () => {
    answer = (_request, response) => response.end(FILE)
    const got = await part('bytes=0-9')
    expect([got.status, got.body.length]).toEqual([200, 40_000])
  })

  test('is asked for on the condition that the code set', async () => {
    answer = serving(FILE)
    await part('bytes=0-9', { 'if-range': '"one"' })
    expect(seen[0]?.headers['if-range']).toBe('"one"')
  })

  test.each([
    'bytes=0-3,4-7',
    'bytes=0-3, -5',
    'items=0-9',
    'chars=0-3',
    '0-9',
    'bytes=9-3',
    'bytes=-',
    'bytes=a-b',
  ])('%s is refused with its reason', async (range) => {
    answer = serving(FILE)
    const got = await part(range)
    expect([got.status, got.rule]).toEqual([403, 'range_not_searchable'])
    expect(seen).toEqual([])
  })

  test('that is narrower than what was asked for is shortened to what could be searched', async () => {
    answer = (_request, response) => {
      response.writeHead(206, { 'content-range': 'bytes 0-19999/40000' })
      response.end(FILE.subarray(0, 20_000))
    }
    const got = await part('bytes=100-19999')
    const [, last] = /^bytes 100-(\d+)\/40000$/.exec(got.headers['content-range'] ?? '') ?? []
    expect(Number(last)).toBeGreaterThan(10_000)
    expect(Number(last)).toBeLessThan(19_999)
    expect(got.body).toBe(FILE.subarray(100, Number(last) + 1).toString())
  })

  test.each([
    ['without its place', {}],
    ['in several parts', { 'content-type': 'multipart/byteranges; boundary=x' }],
    ['that begins where it could hide something', { 'content-range': 'bytes 20000-29999/40000' }],
    ['in a coding', { 'content-range': 'bytes 0-29999/40000', 'content-encoding': 'gzip' }],
    ['with an impossible place', { 'content-range': 'bytes 5-3/40000' }],
  ])('%s is not given', async (_name, headers) => {
    answer = (_request, response) => {
      response.writeHead(206, headers as Record<string, string>)
      response.end(FILE.subarray(20_000, 30_000))
    }
    expect((await part('bytes=20000-20009')).rule).toBe('answer_unreadable')
  })
})

describe('a secret in a file that comes in parts', () => {
  const ECHO = Buffer.concat([FILE, Buffer.from(`key=${SECRET}; `), FILE])
  const AT = FILE.length + 4

  test.each([1, 3, 6, 11])('is in no parts of %i bytes, and everything else is', async (size) => {
    answer = serving(ECHO)
    const run = await runWith()
    let joined = ''
    for (let at = AT - 12; at < AT + SECRET.length + 12; at += size) {
      const got = await ask(run.endpoint, url(), { headers: { range: `bytes=${at}-${at + size - 1}` } })
      expect(got.body).toHaveLength(size)
      joined += got.body
    }
    const expected = ECHO.subarray(AT - 12, AT - 12 + joined.length)
      .toString()
      .split(SECRET)
    expect(joined.split(/[^a-z=; ].*[^a-z=; ]|\*+/)).toEqual(expected)
  })

  test('is in neither half, nor encoded', async () => {
    for (const text of [
      SECRET,
      Buffer.from(`user:${SECRET}`).toString('base64'),
      encodeURIComponent(SECRET),
    ]) {
      const file = Buffer.concat([FILE, Buffer.from(text), FILE])
      answer = serving(file)
      const run = await runWith()
      const middle = FILE.length + (text.length >> 1)
      for (const range of [
        `bytes=0-${middle - 1}`,
        `bytes=${middle}-`,
        `bytes=-${FILE.length + (text.length >> 1)}`,
      ]) {
        const got = await ask(run.endpoint, url(), { headers: { range } })
        expect(got.status).toBe(206)
        // The part of the text in it is masked, bar what stands before the value.
        expect(got.body).not.toContain(text.slice(-12))
        expect(got.body).not.toContain(text.slice(text.length >> 1, (text.length >> 1) + 6))
        expect(got.body).toMatch(/\*|\[secret:KEY\]/)
      }
    }
  })
})
