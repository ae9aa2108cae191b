import type { IncomingMessage, RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MAX_REQUESTS } from '../../src/egress/capabilities/index.ts'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask, connectThrough, openSocket, ruleIn, sayRaw, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { createTestCa } from '../support/test-ca.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'
const OTHER = 'other.example.com'

let upstream: TlsUpstream
let kit: GatewayKit
let seen: IncomingMessage[]
let answer: RequestListener
beforeEach(async () => {
  seen = []
  answer = (_request, response) => response.end('hello')
  upstream = await startTlsUpstream([HOST, OTHER], (request, response) => {
    seen.push(request)
    answer(request, response)
  })
  kit = await createGatewayKit({ tls: { ca: upstream.ca } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const place = (host = HOST): string => `${host}:${upstream.port}`
const url = (path = '/', host = HOST): string => `https://${place(host)}${path}`

/** Says these bytes inside a tunnel that was opened as it should be. */
async function sayInside(endpoint: Parameters<typeof tlsThrough>[0], bytes: string): Promise<string> {
  return await sayRaw(await tlsThrough(endpoint, place()), bytes)
}

describe('a target that was not approved', () => {
  test('is refused in words that name the rule and the host, and is not resolved', async () => {
    const asked: string[] = []
    await using own = await createGatewayKit({
      resolve: async (host) => {
        asked.push(host)
        return ['127.0.0.1']
      },
      tls: { ca: upstream.ca },
    })
    const run = await own.run([place()])
    const got = await ask(run.endpoint, url('/path?q=1', OTHER))
    expect(got.status).toBe(403)
    expect(got.headers['x-oauth3-refused']).toBe('host_not_approved')
    expect(JSON.parse(got.body)).toEqual({
      error: {
        code: 'egress_refused',
        rule: 'host_not_approved',
        message: expect.stringContaining(`https://${place(OTHER)}`),
      },
    })
    expect(asked).toEqual([])
    const [event] = await run.events()
    expect(event).toMatchObject({
      event: 'egress.refused',
      data: { rule: 'host_not_approved', origin: `https://${place(OTHER)}`, path: '/path', status: null },
    })
  })

  test.each([
    'https://api.example.com.evil.example/',
    'https://evil-api.example.com/',
    'https://xapi.example.com/',
    'https://api.example.com:8443/',
    'https://example.com/',
  ])('%s', async (target) => {
    const run = await kit.run([HOST])
    expect((await ask(run.endpoint, target)).rule).toBe('host_not_approved')
  })

  test('plain http to a host that was approved for https is told apart', async () => {
    const run = await kit.run([HOST])
    expect((await ask(run.endpoint, `http://${HOST}/`)).rule).toBe('plain_http_not_approved')
  })

  test('the origin that is told holds no secret that the code was given', async () => {
    const run = await kit.run([place()], { RAW: { value: 'demo-raw-value-77', hosts: [], mode: 'raw' } })
    const got = await ask(run.endpoint, `https://demo-raw-value-77.evil.example/demo-raw-value-77`)
    expect(got.rule).toBe('host_not_approved')
    await expect(connectThrough(run.endpoint, 'demo-raw-value-77/x:443')).rejects.toThrow('bad_request')
    expect(JSON.stringify(await run.events())).not.toContain('demo-raw-value-77')
  })
})

describe('hosts that disagree', () => {
  test('the server name of the handshake is not that of the CONNECT', async () => {
    const run = await kit.run([place(), place(OTHER)])
    for (const servername of [OTHER, null]) {
      expect((await ask(run.endpoint, url(), { servername })).rule).toBe('host_mismatch')
    }
    expect(seen).toEqual([])
  })

  test('the Host header is not that of the CONNECT, in name or port', async () => {
    const run = await kit.run([place(), place(OTHER), HOST])
    for (const host of [place(OTHER), HOST, `${HOST}:1`]) {
      expect((await ask(run.endpoint, url(), { headers: { host } })).rule).toBe('host_mismatch')
    }
    expect(seen).toEqual([])
  })

  test('the Host header of a CONNECT is not its target', async () => {
    const run = await kit.run([place()])
    const said = await sayRaw(
      await openSocket(run.endpoint),
      `CONNECT ${place()} HTTP/1.1\r\nHost: ${place(OTHER)}\r\n\r\n`,
    )
    expect(ruleIn(said)).toBe('host_mismatch')
  })

  test('the Host header of a plain request is not its URL', async () => {
    const run = await kit.run([`http://${place()}`, `http://${place(OTHER)}`])
    const got = await ask(run.endpoint, `http://${place()}/`, { headers: { host: place(OTHER) } })
    expect(got.rule).toBe('host_mismatch')
  })
})

describe('what cannot be read in one way only', () => {
  test.each([
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 'bad_request'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n', 'bad_request'],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'bad_request',
    ],
    [
      'a length beside chunks',
      'POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'bad_request',
    ],
    ['a whole URL of another host', 'GET https://x.HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n', 'bad_request'],
    ['a whole URL of another scheme', 'GET http://HOST/ HTTP/1.1\r\nHost: HOST\r\n\r\n', 'bad_request'],
    ['a CONNECT in a tunnel', 'CONNECT HOST HTTP/1.1\r\nHost: HOST\r\n\r\n', 'method_not_allowed'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'bad_request'],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: HOST\r\nA: b\r\n c\r\n\r\n', 'bad_request'],
    ['a bare line feed', 'GET / HTTP/1.1\nHost: HOST\n\n', 'bad_request'],
    ['a blank before the colon', 'GET / HTTP/1.1\r\nHost : HOST\r\n\r\n', 'bad_request'],
    ['TRACE', 'TRACE / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n', 'method_not_allowed'],
    ['no HTTP at all', '\x05\x01\x00', 'not_http'],
    ['a PostgreSQL client', '\0\0\0\x08\x04\xd2\x16\x2f', 'not_http'],
    ['a Redis client', '*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n', 'not_http'],
    ['an MQTT client', '\x10\x0c\0\x04MQTT\x04\x02\0\x3c\0\0', 'not_http'],
    ['an SSH client', 'SSH-2.0-OpenSSH_9.2\r\n', 'not_http'],
    ['a method that nobody has', 'GTE / HTTP/1.1\r\nHost: HOST\r\n\r\n', 'bad_request'],
    [
      'heads without an end',
      `GET / HTTP/1.1\r\nHost: HOST\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`,
      'bad_request',
    ],
  ])('%s', async (_name, bytes, rule) => {
    const run = await kit.run([place()])
    const closing = bytes.replace(
      '\r\n\r\n',
      bytes.startsWith('GET') ? '\r\nConnection: close\r\n\r\n' : '\r\n\r\n',
    )
    const said = await sayInside(run.endpoint, closing.replaceAll('HOST', place()))
    expect(ruleIn(said)).toBe(rule)
    expect(seen).toEqual([])
    expect((await run.events()).map((event) => event.data.rule)).toEqual([rule])
  })

  test.each([
    'GET / HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
    'GET http://user:word@HOST/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
    'GET ftp://HOST/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
    'GET http://HOST\\@evil.example/ HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n',
  ])('said to the endpoint itself: %j', async (bytes) => {
    const run = await kit.run([`http://${place()}`])
    const said = await sayRaw(await openSocket(run.endpoint), bytes.replaceAll('HOST', place()))
    expect(ruleIn(said)).toBe('bad_request')
  })

  test.each([
    ['plain', connectThrough],
    ['in TLS', tlsThrough],
  ])('a client that waits for a greeting is told why none comes: %s', async (_name, open) => {
    const run = await kit.run([place()])
    const said = await text(await open(run.endpoint, place()))
    expect(said).toMatch(/^HTTP\/1\.1 403 not_http: /)
    expect((await run.events()).map((event) => event.data.rule)).toEqual(['not_http'])
  })

  test('an https URL said to the endpoint itself, as some clients ask a proxy, is evaluated as what it is', async () => {
    const run = await kit.run([place()])
    const say = async (target: string, host: string): Promise<string> =>
      await sayRaw(
        await openSocket(run.endpoint),
        `GET https://${target}/x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      )
    expect(await say(place(), place())).toMatch(/^HTTP\/1\.1 200 .*hello/s)
    expect(seen.map(({ url }) => url)).toEqual(['/x'])
    expect(ruleIn(await say(place(OTHER), place(OTHER)))).toBe('host_not_approved')
    expect(ruleIn(await say(place(), place(OTHER)))).toBe('host_mismatch')
    expect(seen).toHaveLength(1)
  })

  test.each([
    'HOST',
    'user@HOST:443',
    'HOST:443/path',
    'HOST:0',
    'HOST:99999',
    '*.example.com:443',
    '2130706433:443',
    '0x7f000001:443',
    '127.1:443',
    '[::1%25lo]:443',
    'HOST.:443',
  ])('CONNECT %s', async (authority) => {
    const run = await kit.run([HOST])
    await expect(connectThrough(run.endpoint, authority.replace('HOST', HOST))).rejects.toThrow(/400|403/)
    expect(await run.events()).toHaveLength(1)
  })

  test('a tunnel without TLS is plain http, with its own approval', async () => {
    const run = await kit.run([place()])
    const socket = await connectThrough(run.endpoint, place())
    const said = await sayRaw(socket, `GET / HTTP/1.1\r\nHost: ${place()}\r\nConnection: close\r\n\r\n`)
    expect(ruleIn(said)).toBe('plain_http_not_approved')
  })
})

describe('addresses', () => {
  test.each([
    '10.0.0.5',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '127.0.0.53',
    '0.0.0.0',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '2130706433',
  ])('a name that leads to %s is not dialled', async (address) => {
    await using own = await createGatewayKit({
      resolve: async () => [address],
      isPublic: (await import('../../src/kernel/index.ts')).isPublicAddress,
      tls: { ca: upstream.ca },
    })
    const run = await own.run([HOST], { API_KEY: { value: SECRET, hosts: [HOST] } })
    const got = await ask(run.endpoint, `https://${HOST}/`, {
      headers: { authorization: `Bearer ${placeholderOf(run.policy, 'API_KEY')}` },
    })
    expect([got.status, got.rule]).toEqual([403, 'address_not_public'])
    expect(got.body).not.toContain(address)
    expect(upstream.connections).toBe(0)
  })

  test('one private address among public ones refuses them all', async () => {
    await using own = await createGatewayKit({ resolve: async () => ['127.0.0.1', '10.0.0.1'] })
    const run = await own.run([place()])
    expect((await ask(run.endpoint, url())).rule).toBe('address_not_public')
  })

  test('an address that was approved by itself is dialled, its certificate checked against it', async () => {
    const ca = createTestCa()
    await using there = await startTlsUpstream(['127.0.0.1'], (_request, response) => response.end('here'), {
      ca,
    })
    await using own = await createGatewayKit({ isPublic: () => false, tls: { ca: ca.certificate } })
    const approved = await own.run([`127.0.0.1:${there.port}`])
    expect((await ask(approved.endpoint, `https://127.0.0.1:${there.port}/`)).body).toBe('here')
    const not = await own.run([place('127.0.0.1')])
    expect((await ask(not.endpoint, `https://127.0.0.1:${there.port}/`)).rule).toBe('host_not_approved')
  })

  test('an approval of an address is not lent to the next run of the same host', async () => {
    await using own = await createGatewayKit({ isPublic: () => false, tls: { ca: upstream.ca } })
    const approved = await own.run([place(), place('127.0.0.1')])
    expect((await ask(approved.endpoint, url())).body).toBe('hello')
    const other = await own.run([place()])
    expect((await ask(other.endpoint, url())).rule).toBe('address_not_public')
  })

  test('a name that changes its answer is dialled where the checked answer leads, and nowhere else', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']]
    let asked = 0
    await using own = await createGatewayKit({
      resolve: async () => answers[Math.min(asked++, 1)] ?? [],
      tls: { ca: upstream.ca },
    })
    answer = (_request, response) => response.setHeader('connection', 'close').end('hello')
    const run = await own.run([place()])
    expect((await ask(run.endpoint, url())).body).toBe('hello')
    expect(asked).toBe(1)
    expect((await ask(run.endpoint, url())).rule).toBe('address_not_public')
  })

  test('a host that nobody answers for is unreachable', async () => {
    await using own = await createGatewayKit({
      resolve: () => Promise.reject(new Error('ENOTFOUND 10.9.8.7')),
    })
    const run = await own.run([place()])
    const got = await ask(run.endpoint, url())
    expect([got.status, got.rule]).toEqual([502, 'unreachable'])
    expect(got.body).not.toContain('10.9.8.7')
  })
})

describe('an upstream that cannot show who it is', () => {
  test.each([
    ['expired', async () => ({ names: [HOST], expired: true, trusted: true })],
    ['for another name', async () => ({ names: [OTHER], expired: false, trusted: true })],
    ['of an authority that nobody trusts', async () => ({ names: [HOST], expired: false, trusted: false })],
  ])('a certificate %s', async (_name, certificate) => {
    const { names, expired, trusted } = await certificate()
    const ca = createTestCa()
    await using bad = await startTlsUpstream(names, (_request, response) => response.end(), { ca, expired })
    await using own = await createGatewayKit({ tls: { ca: trusted ? ca.certificate : upstream.ca } })
    const run = await own.run([`${HOST}:${bad.port}`], {
      API_KEY: { value: SECRET, hosts: [`${HOST}:${bad.port}`] },
    })
    const got = await ask(run.endpoint, `https://${HOST}:${bad.port}/`, {
      headers: { authorization: `Bearer ${placeholderOf(run.policy, 'API_KEY')}` },
    })
    expect([got.status, got.rule]).toEqual([502, 'tls_not_verified'])
    expect(bad.seen).toEqual([])
    expect(bad.connections).toBe(1)
  })
})

describe('too much', () => {
  test('a thousand refused requests are a thousand records, told in one line with their count', async () => {
    const run = await kit.run([place()])
    const socket = await openSocket(run.endpoint)
    const line = `GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n`
    await sayRaw(socket, `${line.repeat(999)}${line.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}`)
    expect(await run.events()).toHaveLength(1_000)
    expect(run.session.end().refused).toEqual([
      { rule: 'host_not_approved', origin: 'http://evil.example', secrets: [], count: 1_000 },
    ])
  })

  test('beyond the limit of a run nothing goes out, and the audit is told of it once', async () => {
    const run = await kit.run([place()])
    for (let count = 0; count < MAX_REQUESTS; count += 1) run.session.begin()
    for (let count = 0; count < 5; count += 1) {
      const got = await ask(run.endpoint, url())
      expect([got.status, got.rule]).toEqual([429, 'too_many_requests'])
    }
    expect(seen).toEqual([])
    expect((await run.events()).map((event) => event.data.rule)).toEqual(['too_many_requests'])
  })

  test('more requests at once than a run may have are refused, the others go on', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    answer = async (_request, response) => {
      if (seen.length === 128) release()
      await released
      response.end('hello')
    }
    const run = await kit.run([`http://${place()}`, place()])
    const socket = await tlsThrough(run.endpoint, place())
    const line = `GET / HTTP/1.1\r\nHost: ${place()}\r\n\r\n`
    const last = line.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
    const text = await sayRaw(socket, `${line.repeat(140)}${last}`)
    expect(text.split('HTTP/1.1 200').length - 1).toBe(128)
    expect(
      (await run.events()).filter((event) => event.data.rule === 'too_many_requests').length,
    ).toBeGreaterThan(0)
  })
})
