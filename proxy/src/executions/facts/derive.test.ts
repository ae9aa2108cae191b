import { expect, test } from 'vitest'
import { deriveNetwork, type RequestedHost } from './derive.ts'
import type { CodeFacts, RequestFact } from './facts.ts'

const request = (change: Partial<RequestFact> = {}): RequestFact => ({
  line: 1,
  host: 'a.com',
  method: 'GET',
  path: '/v1',
  websocket: false,
  graphql: null,
  hostFrom: null,
  methodFrom: null,
  pathFrom: null,
  ...change,
})
const facts = (requests: RequestFact[], change: Partial<CodeFacts> = {}): CodeFacts => ({
  language: 'javascript',
  readable: true,
  requests,
  dangers: [],
  secrets: [],
  imports: [],
  ...change,
})
const derive = (requested: RequestedHost[], of: CodeFacts, walled = true) =>
  deriveNetwork(requested, of, { walled }).map(({ host, methods, paths, requests, websocket, graphql }) =>
    [
      host,
      methods.join('|'),
      paths.join(' '),
      requests,
      ...(websocket ? ['websocket'] : []),
      ...(graphql === 'mutation' ? ['mutation'] : []),
    ].join(' '),
  )

test('a bare host gets what the program is seen to send there, and nothing of other hosts', () => {
  const seen = facts([
    request(),
    request({ path: '/v1/*' }),
    request({ method: 'POST', path: '/v1/refunds' }),
    request({ host: 'b.com', method: 'DELETE' }),
  ])
  expect(derive([{ host: 'a.com' }], seen)).toEqual(['a.com GET /v1 /v1/* 100', 'a.com POST /v1/refunds 100'])
})

test.each<[string, Partial<RequestFact>, string]>([
  ['a computed host counts for every host', { host: null, path: '/x' }, 'a.com GET /x 100'],
  ['a computed method', { method: null }, 'a.com * /v1 100'],
  ['a computed path', { path: null }, 'a.com GET /** 100'],
  ['a WebSocket', { websocket: true }, 'a.com  /v1 100 websocket'],
  ['a mutation', { method: 'POST', graphql: 'mutation' }, 'a.com POST /v1 100 mutation'],
  ['a computed document', { method: 'POST', graphql: 'unknown' }, 'a.com POST /v1 100 mutation'],
])('%s', (_what, change, expected) => {
  expect(derive([{ host: 'a.com' }], facts([request(change)]))).toEqual([expected])
})

test('a host that nothing names can be read from, for a redirect may lead there', () => {
  expect(derive([{ host: 'a.com' }], facts([]))).toEqual(['a.com GET /** 100'])
})

test('what cannot be read may do anything', () => {
  const any = ['a.com * /** 100 websocket mutation']
  expect(derive([{ host: 'a.com' }], facts([request()], { readable: false }))).toEqual(any)
  const sender = facts([request()], { dangers: [{ kind: 'opaque_sender', lines: [1] }] })
  expect(derive([{ host: 'a.com' }], sender)).toEqual(any)
  const evaluates = facts([request()], { dangers: [{ kind: 'code_from_text', lines: [1] }] })
  expect(derive([{ host: 'a.com' }], evaluates, false)).toEqual(any)
  expect(derive([{ host: 'a.com' }], evaluates, true)).toEqual(['a.com GET /v1 100'])
})

test('what is stated stands, whatever the program shows', () => {
  const seen = facts([request({ method: 'POST', path: '/v1/refunds' }), request()], { readable: false })
  const entry = { host: 'a.com', methods: ['GET'], paths: ['/v1/*'], requests: 5 }
  expect(derive([entry], seen)).toEqual(['a.com GET /v1/* 5'])
  expect(derive([{ host: 'a.com', methods: ['GET'] }], seen)).toEqual(['a.com GET /** 100'])
  expect(derive([{ host: 'a.com', websocket: true, paths: ['/s'] }], seen)).toEqual([
    'a.com  /s 100 websocket',
  ])
})

test('what is stated in part is made whole by what the program shows', () => {
  const seen = facts([request(), request({ method: 'POST', path: '/v1/refunds' })])
  expect(derive([{ host: 'a.com', requests: 500 }], seen)).toEqual([
    'a.com GET /v1 500',
    'a.com POST /v1/refunds 500',
  ])
  expect(derive([{ host: 'a.com', methods: ['POST'] }], seen)).toEqual(['a.com POST /v1/refunds 100'])
  expect(derive([{ host: 'a.com', methods: ['PUT'] }], seen)).toEqual(['a.com PUT /** 100'])
})

test('more paths than anybody reads are any path', () => {
  const many = facts(Array.from({ length: 40 }, (_, index) => request({ path: `/p${index}` })))
  expect(derive([{ host: 'a.com' }], many)).toEqual(['a.com GET /** 100'])
})
