import { expect, test } from 'vitest'
import { requestedHosts } from './requested-hosts.ts'

test('entries come out canonical', () => {
  expect(
    requestedHosts([
      'API.Example.com:443',
      { host: 'b.example', methods: ['get', 'HEAD', 'post'], paths: ['/%61/*', '/b'], requests: 5 },
      { host: 'c.example', websocket: true, methods: [] },
    ]),
  ).toEqual([
    { host: 'api.example.com' },
    { host: 'b.example', methods: ['GET', 'GET', 'POST'], paths: ['/a/*', '/b'], requests: 5 },
    { host: 'c.example', websocket: true, methods: [] },
  ])
})

test.each<[string, object | string, RegExp]>([
  ['no host', 'a@b.example', /is not a host/],
  ['no method', { host: 'a.example', methods: ['GE T'] }, /is not a method/],
  ['a method that cannot pass', { host: 'a.example', methods: ['TRACE'] }, /cannot pass/],
  ['no methods', { host: 'a.example', methods: [] }, /has no methods/],
  ['no paths', { host: 'a.example', paths: [] }, /has no paths/],
  ['a path with a query', { host: 'a.example', paths: ['/a?b'] }, /pattern ends with the path/],
  ['a path that climbs', { host: 'a.example', paths: ['/a/../b'] }, /servers read differently/],
  ['half a wildcard', { host: 'a.example', paths: ['/a*'] }, /whole segment/],
  ['no requests', { host: 'a.example', requests: 0 }, /1 to 10000/],
  ['too many requests', { host: 'a.example', requests: 10_001 }, /1 to 10000/],
  ['too many paths', { host: 'a.example', paths: Array.from({ length: 33 }, (_, i) => `/${i}`) }, /at most/],
])('%s is refused in words', (_what, entry, problem) => {
  expect(() => requestedHosts([entry as never])).toThrow(problem)
})
