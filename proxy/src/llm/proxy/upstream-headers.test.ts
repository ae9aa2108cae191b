import { expect, it, vi } from 'vitest'
import type { Provider, Providers } from '../providers/index.ts'
import type { LlmRequest } from './client.ts'
import { agentsEntrance } from './entrance.ts'
import { createHeadReading } from './known-readings.ts'
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

const SEAT = { tokenPrefix: 'sk-ant-oat', header: 'anthropic-beta', word: 'oauth-2025-04-20' }
const AT_A_SEAT = { auth: { kind: 'header', name: 'x-api-key' }, seat: SEAT } as Provider

it.each([
  [[], 'oauth-2025-04-20'],
  [['anthropic-beta', 'one,two'], 'one,two,oauth-2025-04-20'],
  [['Anthropic-Beta', 'one', 'anthropic-beta', 'two, oauth-2025-04-20'], 'one,two, oauth-2025-04-20'],
])('puts a seat’s token beside its word, and no key: %j', (betas, wanted) => {
  const headers = ['x-kept', 'yes', 'X-Api-Key', 'mine', 'authorization', 'Bearer mine', ...betas]
  putKey(headers, AT_A_SEAT, 'demo-token', true)
  expect(headers).toEqual(['x-kept', 'yes', 'anthropic-beta', wanted, 'authorization', 'Bearer demo-token'])
})

it('puts no seat’s token where there are no seats', () => {
  expect(() => putKey([], { auth: { kind: 'bearer' } } as Provider, 'demo-token', true)).toThrow('no seats')
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

it('reads a head like one before it as that one, while providers stand as they did and no list is shared', () => {
  const provider = { name: 'lab', roots: ['/v1'], auth: { kind: 'bearer' }, errors: 'openai' }
  const state = { revision: 1, found: provider }
  const providers = {
    get revision() {
      return state.revision
    },
    find: (name: string) => (name === 'lab' ? state.found : undefined),
  } as unknown as Providers
  const { addressing } = agentsEntrance(providers, {} as never, {} as never)
  const uploads = { find: vi.fn(() => undefined) }
  const readHead = createHeadReading(providers, uploads, addressing)
  const like = {}
  const ask = (declaredBytes: number, url = '/llm/lab/v1/chat/completions', alike: object = like) => {
    const rawHeaders = ['Authorization', `Bearer oa3_${'t'.repeat(43)}`, 'X-Kept', 'yes']
    const length = declaredBytes === 0 ? [] : ['Content-Length', String(declaredBytes)]
    const request = {
      method: 'POST',
      url,
      rawHeaders: [...rawHeaders, ...length],
      like: alike,
      declaredBytes,
    }
    const reading = readHead(request as never as LlmRequest, { websocket: false })
    if ('refusal' in reading) throw new Error(reading.refusal.message)
    return reading
  }
  const seen = ({ provider: found, rest, credential, head }: ReturnType<typeof ask>) => ({
    found,
    rest,
    credential,
    head,
  })
  const readings = [ask(9), ask(12)]
  expect(readings.map(({ head }) => head.bodyBytes)).toEqual([9, 12])
  expect(readings.map(seen)).toEqual([ask(9, undefined, {}), ask(12, undefined, {})].map(seen))
  for (const { head } of readings) head.headers.push('authorization', 'Bearer the-key')
  expect(ask(12).head.headers).not.toContain('Bearer the-key')

  state.found = { ...provider, roots: ['/v2'] }
  state.revision = 2
  expect(ask(12).provider).toBe(state.found)

  // What an address stands for changes without the providers.
  const upload = '/llm/lab/v1/files?oauth3_upload=demo'
  const ofUpload = {}
  for (let at = 0; at < 2; at += 1) ask(12, upload, ofUpload)
  expect(uploads.find).toHaveBeenCalledTimes(2)
})
