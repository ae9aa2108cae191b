import { expect, it } from 'vitest'
import type { Provider } from '../providers/index.ts'
import { putKey, upstreamHead } from './upstream-headers.ts'

const fields = (...pairs: [string, string][]) => pairs.map(([name, value]) => ({ name, value }))
const namesOf = (headers: readonly string[]) => headers.filter((_text, at) => at % 2 === 0)

it('passes the headers of vendors and clients as they are', () => {
  const sent = fields(
    ['anthropic-version', '2023-06-01'],
    ['openai-organization', 'org-demo'],
    ['user-agent', 'sdk/1.0'],
    ['x-stainless-retry-count', '0'],
    ['idempotency-key', 'one'],
  )
  const head = upstreamHead(sent, false)
  expect(head?.headers).toEqual([
    ...sent.flatMap(({ name, value }) => [name, value]),
    'accept-encoding',
    'identity',
  ])
  expect(head).toMatchObject({ bodyBytes: 0, contentType: '', isEncoded: false, waitSeconds: null })
})

it('drops what belongs to one connection, and what the Connection header names', () => {
  const head = upstreamHead(
    fields(
      ['host', 'evil.example'],
      ['connection', 'keep-alive, x-mine'],
      ['keep-alive', 'timeout=5'],
      ['x-mine', 'dropped'],
      ['te', 'trailers'],
      ['trailer', 'x-late'],
      ['proxy-authorization', 'Basic demo'],
      ['expect', '100-continue'],
      ['upgrade', 'h2c'],
      ['accept-encoding', 'gzip'],
      ['x-kept', 'yes'],
    ),
    false,
  )
  expect(head?.headers).toEqual(['x-kept', 'yes', 'accept-encoding', 'identity'])
})

it('refuses a Connection header that names what is meant for the provider', () => {
  expect(upstreamHead(fields(['connection', 'authorization']), false)).toBeNull()
})

it('refuses a body that is described twice', () => {
  const length: [string, string] = ['content-length', '3']
  expect(upstreamHead(fields(length, ['transfer-encoding', 'chunked']), false)).toBeNull()
  expect(upstreamHead(fields(length, length), false)).toBeNull()
  expect(upstreamHead(fields(['transfer-encoding', 'gzip, chunked']), false)).toBeNull()
  expect(upstreamHead(fields(length), false)?.bodyBytes).toBe(3)
  expect(upstreamHead(fields(['transfer-encoding', 'chunked']), false)?.bodyBytes).toBeNull()
})

it('reads how long the client would wait, and keeps other preferences', () => {
  expect(upstreamHead(fields(['prefer', 'wait=7']), false)).toMatchObject({ waitSeconds: 7 })
  const other = upstreamHead(fields(['prefer', 'return=minimal']), false)
  expect(other?.waitSeconds).toBeNull()
  expect(namesOf(other?.headers ?? [])).toContain('prefer')
})

it('asks for a WebSocket in its own words, without extensions that could hide what passes', () => {
  const head = upstreamHead(
    fields(
      ['connection', 'keep-alive, Upgrade'],
      ['upgrade', 'websocket'],
      ['sec-websocket-key', 'ZGVtbw=='],
      ['sec-websocket-extensions', 'permessage-deflate'],
    ),
    true,
  )
  expect(namesOf(head?.headers ?? [])).toEqual([
    'upgrade',
    'sec-websocket-key',
    'accept-encoding',
    'connection',
  ])
})

it('puts the key where the vendor wants it, once', () => {
  const provider = (auth: Provider['auth']) => ({ auth }) as Provider
  const headersFor = (auth: Provider['auth']): string[] => {
    const headers: string[] = []
    putKey(headers, provider(auth), 'demo-key')
    return headers
  }
  expect(headersFor({ kind: 'bearer' })).toEqual(['authorization', 'Bearer demo-key'])
  expect(headersFor({ kind: 'header', name: 'x-api-key' })).toEqual(['x-api-key', 'demo-key'])
  expect(headersFor({ kind: 'none' })).toEqual([])
})

it.each(['content-type', 'content-encoding'])('refuses a body that is called two things by %s', (name) => {
  for (const [first, second] of [
    ['application/json', 'text/plain'],
    ['identity', 'identity'],
    ['', 'gzip'],
  ] as const) {
    expect(upstreamHead(fields([name, first], [name, second]), false)).toBeNull()
    expect(upstreamHead(fields([name, first]), false)).not.toBeNull()
  }
})

it('asks for the whole of an answer, never for a part of it', () => {
  const sent = fields(['range', 'bytes=0-9'], ['if-range', '"demo"'], ['x-kept', 'yes'])
  expect(upstreamHead(sent, false)?.headers).toEqual(['x-kept', 'yes', 'accept-encoding', 'identity'])
})

it.each<Provider['auth']>([{ kind: 'bearer' }, { kind: 'header', name: 'X-Lab-Key' }])(
  "takes the agent's own field of that name away before the key is put: $kind",
  (auth) => {
    const name = auth.kind === 'header' ? 'x-lab-key' : 'authorization'
    const headers = [name, 'mine', 'x-kept', name, name.toUpperCase(), 'mine too']
    putKey(headers, { auth } as Provider, 'demo-key')
    const value = auth.kind === 'header' ? 'demo-key' : 'Bearer demo-key'
    expect(headers).toEqual(['x-kept', name, name, value])
  },
)
