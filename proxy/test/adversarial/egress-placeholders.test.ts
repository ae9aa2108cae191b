/** Families 23, 24 and 25: placeholders where they may not go, and requests that mean two things. */

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dockerOrSkip } from '../support/docker.ts'
import { attack, rulesOf } from '../support/egress-attack.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'
import { patience } from '../support/pace.ts'
import { findSecret } from '../support/secret-search.ts'

const docker = await dockerOrSkip()
const VALUE = `demo-value-${randomBytes(16).toString('hex')}`

describe.skipIf(!docker.available)(`a placeholder ${docker.reason}`, () => {
  let kit: EgressKit

  beforeAll(async () => {
    kit = await createEgressKit()
    await kit.store('KEY', VALUE)
  })
  beforeEach(() => {
    kit.upstream.seen.length = 0
  })
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  const both = () => [kit.at('api.demo.test'), kit.at('other.demo.test')]
  const keyFor = (extra: Record<string, unknown> = {}) => [
    { name: 'KEY', hosts: [kit.at('api.demo.test')], ...extra },
  ]
  const upstreamGot = () => new Map([['upstream', Buffer.from(JSON.stringify(kit.upstream.seen))]])

  it('is replaced where it may go: in a header, and in the password of Basic', async () => {
    const { report } = await attack(
      kit,
      `const url = 'https://api.demo.test:' + PORT + '/echo'
      tell('placeholder', key('KEY'))
      tell('header', await get(url, { headers: { authorization: 'Bearer ' + key('KEY'), 'x-api-key': key('KEY') } }))
      tell('basic', await get(url, { headers: { authorization: 'Basic ' + btoa('user:' + key('KEY')) } }))`,
      { network: both(), secrets: keyFor() },
    )
    expect(kit.upstream.seen.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${VALUE}`,
      `Basic ${Buffer.from(`user:${VALUE}`).toString('base64')}`,
    ])
    expect(kit.upstream.seen[0]?.headers['x-api-key']).toBe(VALUE)
    expect(report.placeholder).not.toBe(VALUE)
    expect(findSecret(new Map([['report', Buffer.from(JSON.stringify(report))]]), VALUE)).toEqual([])
  })

  it('is another one in each run', async () => {
    const seen = new Set<string>()
    for (let run = 0; run < 2; run++) {
      const { report } = await attack(kit, `tell('placeholder', key('KEY'))`, {
        network: both(),
        secrets: keyFor(),
      })
      seen.add(report.placeholder)
    }
    expect(seen.size).toBe(2)
  })

  const PLACES: Record<string, string> = {
    path: `await get(url + '/' + key('KEY'))`,
    'path, percent form': `await get(url + '/' + [...key('KEY')].map((c) => '%' + c.charCodeAt(0).toString(16)).join(''))`,
    query: `await get(url + '?key=' + key('KEY'))`,
    'query, percent form': `await get(url + '?key=' + [...key('KEY')].map((c, n) => n % 2 ? c : '%' + c.charCodeAt(0).toString(16)).join(''))`,
    cookie: `await get(url, { headers: { cookie: 'key=' + key('KEY') } })`,
    'user agent': `await get(url, { headers: { 'user-agent': 'attack ' + key('KEY') } })`,
    referer: `await get(url, { headers: { referer: 'https://x.test/' + key('KEY') } })`,
    'header name': `await get(url, { headers: { ['x-' + key('KEY')]: '1' } })`,
    body: `await get(url, { method: 'POST', body: 'key=' + key('KEY') })`,
    'JSON body': `await get(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ key: key('KEY') }) })`,
    'body in two writes': `await get(url, { method: 'POST', body: new ReadableStream({ async start(c) {
      const text = 'key=' + key('KEY'); c.enqueue(bytesOf(text.slice(0, 20))); await new Promise((go) => setTimeout(go, 30)); c.enqueue(bytesOf(text.slice(20))); c.close() } }) })`,
    'body in single bytes': `await tunnelled('api.demo.test:' + PORT, ['POST /echo HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nContent-Length: ' + key('KEY').length + '\\r\\nConnection: close\\r\\n\\r\\n', ...key('KEY')])`,
    'chunk extension and size': `await tunnelled('api.demo.test:' + PORT, 'POST /echo HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nTransfer-Encoding: chunked\\r\\nConnection: close\\r\\n\\r\\n1;' + key('KEY') + '=1\\r\\nx\\r\\n0\\r\\nX-Trailer: ' + key('KEY') + '\\r\\n\\r\\n')`,
    method: `await tunnelled('api.demo.test:' + PORT, key('KEY') + ' /echo HTTP/1.1\\r\\nHost: api.demo.test:' + PORT + '\\r\\nConnection: close\\r\\n\\r\\n')`,
    'websocket protocol and path': `await get(url + '/ws/' + key('KEY'), { headers: { 'sec-websocket-protocol': 'x' } })`,
  }
  /** What no server reads as content; nothing there is replaced, and nothing there needs to be told. */
  const NOT_SHOWN = ['chunk extension and size', 'method']

  it.each(Object.keys(PLACES))('is never replaced in this place: %s', async (place) => {
    const { report, answer } = await attack(
      kit,
      `const url = 'https://api.demo.test:' + PORT + '/echo'\ntell('result', ${PLACES[place]})`,
      { network: both(), secrets: keyFor(), shown: !NOT_SHOWN.includes(place) },
    )
    expect(findSecret(upstreamGot(), VALUE)).toEqual([])
    expect(
      kit.upstream.seen.filter(({ url, rawHeaders, body }) => `${url}${rawHeaders}${body}`.includes(VALUE)),
    ).toEqual([])
    if (NOT_SHOWN.includes(place)) return
    expect(answer.network.refused).toMatchObject([
      { rule: 'secret_not_for_surface', origin: `https://${kit.at('api.demo.test')}`, secrets: ['KEY'] },
    ])
    const rows = (await kit.audit(answer.request_id)).filter(({ event }) => event.startsWith('egress.'))
    expect(rows.some(({ data }) => data.misplaced?.includes('KEY'))).toBe(true)
    const card = await kit.card(answer.request_id)
    expect(card).toMatch(/⛔ KEY placeholder sent to api\.demo\.test:[0-9]+ in a part not approved/)
    expect(report.result).toBeDefined()
  })

  it('is replaced in query and body when these were approved, across two writes as well', async () => {
    await attack(
      kit,
      `const url = 'https://api.demo.test:' + PORT + '/echo'
      tell('query', await get(url + '?key=' + key('KEY')))
      tell('body', await get(url, { method: 'POST', body: new ReadableStream({ async start(c) {
        const text = 'key=' + key('KEY') + '&x=1'; c.enqueue(bytesOf(text.slice(0, 20))); await new Promise((go) => setTimeout(go, 30)); c.enqueue(bytesOf(text.slice(20))); c.close() } }) }))`,
      { network: both(), secrets: keyFor({ in: ['query', 'body'] }) },
    )
    expect(kit.upstream.seen[0]?.url).toBe(`/echo?key=${VALUE}`)
    expect(kit.upstream.seen[1]?.body).toBe(`key=${VALUE}&x=1`)
  })

  it('is not replaced for another host, in any part, and the person is told', async () => {
    const { report, answer } = await attack(
      kit,
      `const url = 'https://other.demo.test:' + PORT + '/echo'
      tell('header', await get(url, { headers: { authorization: 'Bearer ' + key('KEY') } }))
      tell('own header', await get(url, { headers: { 'x-api-key': key('KEY') } }))
      tell('basic', await get(url, { headers: { authorization: 'Basic ' + btoa('user:' + key('KEY')) } }))
      tell('query', await get(url + '?key=' + key('KEY')))
      tell('body', await get(url, { method: 'POST', body: key('KEY') }))`,
      { network: both(), secrets: keyFor({ in: ['header', 'query', 'body'] }), shown: true },
    )
    expect(findSecret(upstreamGot(), VALUE)).toEqual([])
    for (const place of ['header', 'own header', 'basic', 'query']) {
      expect([place, report[place].rule]).toEqual([place, 'secret_not_for_host'])
    }
    expect(rulesOf(answer)).toContain('secret_not_for_host')
    expect(answer.network.refused.every(({ secrets }) => secrets.includes('KEY'))).toBe(true)
    expect(await kit.card(answer.request_id)).toMatch(/⛔ KEY placeholder sent to other\.demo\.test/)
  })

  it('is not replaced for an approved host that the owner did not bind the secret to', async () => {
    await kit.store('BOUND', VALUE, [kit.at('other.demo.test')])
    const { report } = await attack(
      kit,
      `const ask = (host) => get('https://' + host + ':' + PORT + '/echo', { headers: { authorization: 'Bearer ' + key('BOUND') } })
      tell('api', await ask('api.demo.test'))
      tell('other', await ask('other.demo.test'))`,
      { network: both(), secrets: ['BOUND'] },
    )
    expect(report.api.rule).toBe('secret_not_for_host')
    expect(report.other.status).toBe(200)
    expect(kit.upstream.seen.map(({ headers }) => [headers.host, headers.authorization])).toEqual([
      [kit.at('other.demo.test'), `Bearer ${VALUE}`],
    ])
  })

  it(
    'does not follow a redirect: wherever it leads, the value stays with the approved host',
    async () => {
      const { report, answer } = await attack(
        kit,
        `const headers = { authorization: 'Bearer ' + key('KEY'), 'x-api-key': key('KEY') }
      const targets = ['https://other.demo.test:' + PORT + '/landed', 'https://evil.test/landed', 'http://api.demo.test:' + PORT + '/landed', 'https://127.0.0.1:' + PORT + '/landed', '//other.demo.test:' + PORT + '/landed']
      for (const status of [301, 302, 303, 307, 308]) for (const to of targets) {
        const url = 'https://api.demo.test:' + PORT + '/redirect/' + status + '?to=' + encodeURIComponent(to)
        tell(status + ' ' + to, await get(url, { headers, redirect: 'follow', method: status > 303 ? 'POST' : 'GET', ...(status > 303 ? { body: 'x' } : {}) }))
      }
      tell('by hand', await get((await get('https://api.demo.test:' + PORT + '/redirect-with-key', { headers })).headers.location ?? 'https://no.test/'))`,
        { network: both(), secrets: keyFor(), timeout: 60 },
      )
      const landed = kit.upstream.seen.filter(({ url }) => !url.startsWith('/redirect'))
      expect(findSecret(new Map([['landed', Buffer.from(JSON.stringify(landed))]]), VALUE)).toEqual([])
      expect(kit.upstream.seen.filter(({ url }) => url.startsWith('/redirect')).length).toBe(26)
      expect(kit.upstream.trapped).toEqual([])
      expect(findSecret(new Map([['report', Buffer.from(JSON.stringify(report))]]), VALUE)).toEqual([])
      expect(rulesOf(answer)).toEqual(expect.arrayContaining(['secret_not_for_host', 'host_not_approved']))
    },
    patience(120_000),
  )

  const AMBIGUOUS: Record<string, readonly string[]> = {
    'two Authorization headers': [
      'GET /smuggle HTTP/1.1',
      'Authorization: Bearer @KEY@',
      'Authorization: Bearer other',
    ],
    'two Authorization headers, the other first': [
      'GET /smuggle HTTP/1.1',
      'Authorization: x',
      'Authorization: Bearer @KEY@',
    ],
    'Authorization that Connection throws away': [
      'GET /smuggle HTTP/1.1',
      'Authorization: Bearer @KEY@',
      'Connection: authorization',
    ],
    'Host that Connection throws away': ['GET /smuggle HTTP/1.1', 'Connection: host'],
    'Transfer-Encoding beside Content-Length': [
      'POST /smuggle HTTP/1.1',
      'Content-Length: 4',
      'Transfer-Encoding: chunked',
      '',
      '0',
      '',
      'GET /smuggled HTTP/1.1',
      'Host: api.demo.test',
      '',
    ],
    'Content-Length beside Transfer-Encoding': [
      'POST /smuggle HTTP/1.1',
      'Transfer-Encoding: chunked',
      'Content-Length: 60',
      '',
      '0',
      '',
      'GET /smuggled HTTP/1.1',
      'Host: api.demo.test',
      '',
    ],
    'two Content-Lengths': [
      'POST /smuggle HTTP/1.1',
      'Content-Length: 0',
      'Content-Length: 50',
      '',
      'GET /smuggled HTTP/1.1',
      'Host: api.demo.test',
      '',
    ],
    'a Content-Length list': [
      'POST /smuggle HTTP/1.1',
      'Content-Length: 0, 50',
      '',
      'GET /smuggled HTTP/1.1',
      'Host: api.demo.test',
      '',
    ],
    'a signed Content-Length': ['POST /smuggle HTTP/1.1', 'Content-Length: +0', '', 'x'],
    'an unknown Transfer-Encoding': [
      'POST /smuggle HTTP/1.1',
      'Transfer-Encoding: chunked, identity',
      '',
      '0',
      '',
      '',
    ],
    'a space before the colon': ['POST /smuggle HTTP/1.1', 'Transfer-Encoding : chunked', '', '0', '', ''],
    'a header over two lines': ['GET /smuggle HTTP/1.1', 'X-A: b', ' Authorization: Bearer @KEY@'],
    'a bare line feed in a header': ['GET /smuggle HTTP/1.1', 'X-A: b\nAuthorization: Bearer @KEY@'],
    'a bare carriage return in a header': ['GET /smuggle HTTP/1.1', 'X-A: b\rAuthorization: Bearer @KEY@'],
    'a NUL in a header': ['GET /smuggle HTTP/1.1', 'X-A: b\u0000c'],
    'a space in the target': ['GET /smuggle HTTP/1.1\r\nX: HTTP/1.1'.replace('\r\n', ' '), 'X-A: b'],
    'a tab for a space': ['GET\t/smuggle\tHTTP/1.1', 'X-A: b'],
    'a fragment in the target': ['GET /x#/smuggle HTTP/1.1', 'X-A: b'],
    'a target without a slash': ['GET smuggle HTTP/1.1', 'X-A: b'],
    'an older version': ['GET /smuggle HTTP/0.9', 'X-A: b'],
    'a newer version': ['GET /smuggle HTTP/2.0', 'X-A: b'],
    'an upgrade to h2c': [
      'GET /smuggle HTTP/1.1',
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    ],
    'a list of upgrades': ['GET /smuggle HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket, h2c'],
    'the preface of HTTP/2': ['PRI * HTTP/2.0', '', 'SM', ''],
    'a chunk size beyond all': [
      'POST /smuggle HTTP/1.1',
      'Transfer-Encoding: chunked',
      '',
      'fffffffffffffffff',
      'x',
      '0',
      '',
      '',
    ],
    'a chunk that ends wrongly': [
      'POST /smuggle HTTP/1.1',
      'Transfer-Encoding: chunked',
      '',
      '1',
      'xGET /smuggled HTTP/1.1',
      '0',
      '',
      '',
    ],
  }
  /** What may pass, for it is rewritten to one meaning: the upstream sees one request, without what was ambiguous. */
  const REWRITTEN = [
    'an older version',
    'a newer version',
    'an upgrade to h2c',
    'a list of upgrades',
    'a space in the target',
  ]

  it(
    'does not pass in a request that two servers would read differently',
    async () => {
      const { report } = await attack(
        kit,
        `for (const [name, lines] of Object.entries(AMBIGUOUS)) {
        const [first, ...rest] = lines
        const text = [first, 'Host: api.demo.test:' + PORT, ...rest].join('\\r\\n').replaceAll('@KEY@', key('KEY')) + (rest.includes('') ? '\\r\\n' : '\\r\\n\\r\\n')
        tell(name, await tunnelled('api.demo.test:' + PORT, text))
      }
      // Late, so that anything that was smuggled has its request in front of this one.
      tell('after', await get('https://api.demo.test:' + PORT + '/after'))`,
        { network: both(), secrets: keyFor(), given: { AMBIGUOUS }, timeout: 120 },
      )
      expect(report.after.status).toBe(200)
      expect(kit.upstream.seen.filter(({ url }) => url.includes('smuggled'))).toEqual([])
      const passed = Object.keys(AMBIGUOUS).filter((name) => /HTTP\/1\.1 [23]\d\d/.test(report[name].line))
      expect(passed.filter((name) => !REWRITTEN.includes(name))).toEqual([])
      for (const { rawHeaders, headers } of kit.upstream.seen) {
        const names = rawHeaders.filter((_text, at) => at % 2 === 0).map((name) => name.toLowerCase())
        for (const once of ['host', 'authorization', 'content-length', 'transfer-encoding']) {
          expect(names.filter((name) => name === once).length).toBeLessThanOrEqual(1)
        }
        expect(headers.upgrade).toBeUndefined()
        expect(headers['http2-settings']).toBeUndefined()
      }
    },
    patience(150_000),
  )
})
