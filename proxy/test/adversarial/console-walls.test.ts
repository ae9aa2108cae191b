import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Browser, codeOf, createBrowser, linkOf, portOf } from '../support/console-kit.ts'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'

const PUBLIC = 'https://console.example.com'

let kit: DaemonKit
let browser: Browser
beforeAll(async () => {
  kit = await createDaemonKit({
    environment: { OAUTH3_PUBLIC_URL: PUBLIC, OAUTH3_TRUSTED_PROXIES: '127.0.0.1' },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
  browser = createBrowser(kit)
  expect((await browser.signIn()).status).toBe(200)
})
afterAll(async () => await kit?.[Symbol.asyncDispose]())

const REVOKE = '/console/api/v1/sessions/ses_0000000000000000'
const codeIn = (answer: { body: { error?: { code: string } } }): string | undefined =>
  answer.body?.error?.code

describe('the console answers under its own names alone', () => {
  test.each([
    'attacker.example:3737',
    'attacker.example',
    'localhost',
    'localhost.attacker.example:3737',
    'localhost:1',
    '127.0.0.2:3737',
    '0.0.0.0:3737',
    'console.example.com.attacker.example',
    'console.example.com:8443',
  ])('which %j is not (DNS rebinding)', async (host) => {
    for (const path of [
      '/console/',
      '/console/api/session',
      '/console/api/v1/status',
      '/console/api/events',
    ]) {
      const answer = await browser.send(path, { headers: { host } })
      expect(answer.status, path).toBe(403)
      expect(codeIn(answer)).toBe('origin_not_allowed')
    }
  })

  test('which two Host headers are not, and none', async () => {
    const port = portOf(kit)
    const answer = await raw(
      `GET /console/api/session HTTP/1.1\r\nHost: localhost:${port}\r\nHost: attacker.example\r\nConnection: close\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(await raw('GET /console/ HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n')).toContain('403 ')
    expect(await raw('GET /console/ HTTP/1.0\r\n\r\n')).toContain('403 ')
  })

  test('and sends who comes by an address to localhost, where passkeys work, but lets none of them call', async () => {
    for (const host of [`127.0.0.1:${portOf(kit)}`, `[::1]:${portOf(kit)}`]) {
      const page = await browser.send('/console/approvals', { headers: { host } })
      expect([page.status, page.headers.location]).toEqual([
        307,
        `http://localhost:${portOf(kit)}/console/approvals`,
      ])
      const call = await browser.send('/console/api/session', { headers: { host, origin: `http://${host}` } })
      expect(call.status).toBe(403)
    }
  })

  test('and redirects nobody anywhere else', async () => {
    const host = `127.0.0.1:${portOf(kit)}`
    for (const path of [
      '/console//attacker.example/',
      '/console/..//attacker.example',
      '/console/%2e%2e/%2fattacker.example',
      '/console/\\attacker.example',
      '/console@attacker.example/',
      '/console/?next=https://attacker.example',
      '/console?//attacker.example',
      '/console/.',
    ]) {
      for (const name of [host, `localhost:${portOf(kit)}`]) {
        const { status, headers } = await browser.send(path, { headers: { host: name } })
        const { location } = headers
        if (location === undefined) expect([404, 503, 200], path).toContain(status)
        else expect(location, path).toMatch(new RegExp(`^(http://localhost:${portOf(kit)})?/console/?$`))
      }
    }
  })

  test('of which the public one is its trusted proxy’s to bring, over TLS', async () => {
    const { host } = new URL(PUBLIC)
    const proxied = { host, origin: PUBLIC, 'x-forwarded-for': '203.0.113.9' }
    const plain = await browser.send('/console/', { headers: { ...proxied, 'x-forwarded-proto': 'http' } })
    expect([plain.status, plain.headers.location]).toEqual([307, `${PUBLIC}/console/`])
    const none = await browser.send('/console/api/session', { headers: proxied })
    expect(none.status).toBe(403)
    const own = createBrowser(kit)
    const answer = await own.send('/console/api/session/code', {
      method: 'POST',
      body: { code: codeOf(await linkOf(kit)) },
      headers: { ...proxied, 'x-forwarded-proto': 'https' },
    })
    expect(answer.status, answer.text).toBe(200)
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^__Host-oauth3_session=[\w-]{43}; HttpOnly; SameSite=Strict; Secure; Path=\/; Max-Age=\d+$/,
    )
    expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d{7,}/)
    const row = (await kit.admin('GET', '/v1/audit?limit=1&event=session.opened')).body.rows[0]
    expect(JSON.parse(row.data).address).toBe('203.0.113.9')
    // Brought by the proxy under this machine's own name it would be a session without TLS.
    const local = await browser.send('/console/api/session', {
      headers: { 'x-forwarded-for': '203.0.113.9' },
    })
    expect(local.status).toBe(403)
  })
})

describe('a call of the console’s API comes from its own page alone', () => {
  const port = (): number => portOf(kit)
  const FOREIGN: [string, () => Record<string, string | undefined>][] = [
    ['another site', () => ({ origin: 'https://attacker.example', 'sec-fetch-site': 'cross-site' })],
    [
      'another site without metadata',
      () => ({ origin: 'https://attacker.example', 'sec-fetch-site': undefined }),
    ],
    [
      'another port of this machine',
      () => ({ origin: 'http://localhost:8000', 'sec-fetch-site': 'same-site' }),
    ],
    ['another port that lies of its origin', () => ({ 'sec-fetch-site': 'same-site' })],
    ['a sandboxed frame', () => ({ origin: 'null', 'sec-fetch-site': 'cross-site' })],
    ['the same name over another scheme', () => ({ origin: `https://localhost:${port()}` })],
    ['an address bar or a form', () => ({ 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' })],
    ['a form of its own page', () => ({ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })],
    ['a tag', () => ({ 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })],
  ]
  test.each(FOREIGN)('not from %s (CSRF)', async (_who, headersOf) => {
    for (const sent of [
      { path: '/console/api/v1/secrets' },
      { path: '/console/api/events' },
      { path: REVOKE, method: 'DELETE' },
      { path: '/console/api/session/logout', method: 'POST' },
      { path: '/console/api/v1/secrets/PLANTED', method: 'PUT', body: { value: 'planted' } },
    ]) {
      const answer = await browser.send(sent.path, { ...sent, headers: headersOf() })
      expect([answer.status, codeIn(answer)], JSON.stringify(sent)).toEqual([403, 'origin_not_allowed'])
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    }
    expect((await browser.send('/console/api/session')).status).toBe(200)
  })

  test('and one that changes something says from where', async () => {
    const answer = await browser.send(REVOKE, { method: 'DELETE', headers: { origin: undefined } })
    expect(answer.status).toBe(403)
  })

  test('in JSON, with a method that it has, and no more than it takes', async () => {
    const put = (headers: Record<string, string>, body = '{"value":"x"}') =>
      browser.send('/console/api/v1/secrets/PLANTED', { method: 'PUT', body, headers })
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/json, text/plain',
      'application/jsonp',
      '',
    ])
      expect((await put({ 'content-type': type })).status, type).toBe(415)
    const huge = await put({}, JSON.stringify({ value: 'x'.repeat(600_000) }))
    expect(huge.status).toBe(413)
    const code = await browser.send('/console/api/session/code', {
      method: 'POST',
      body: { code: 'x'.repeat(20_000) },
    })
    expect(code.status).toBe(413)
    for (const method of ['OPTIONS', 'TRACE', 'PROPFIND'])
      expect((await browser.send(REVOKE, { method })).status, method).toBe(405)
    for (const [method, path] of [
      ['GET', '/console/api/session/logout'],
      ['GET', '/console/api/session/code'],
      ['POST', '/console/api/session'],
      ['POST', '/console/api/events'],
      ['PUT', '/console/'],
      ['POST', '/console/'],
    ] as const)
      expect((await browser.send(path, { method })).status, `${method} ${path}`).toBeGreaterThanOrEqual(404)
    const overridden = await browser.send(REVOKE, { headers: { 'x-http-method-override': 'DELETE' } })
    expect(overridden.status).toBe(404)
    expect((await browser.send('/console/api/session')).status).toBe(200)
  })
})

test('whatever the console answers is framed by nobody, run with nothing, cached and sniffed by none', async () => {
  for (const path of [
    '/console/',
    '/console/deep/page',
    '/console/api/session',
    '/console/api/none',
    '/console/x.js',
  ]) {
    const { headers } = await browser.send(path)
    expect(headers, path).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'",
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    expect(headers['permissions-policy']).toContain('camera=()')
    expect(headers).not.toHaveProperty('x-powered-by')
    expect(headers).not.toHaveProperty('strict-transport-security')
  }
})

test('no path leads out of the folder of the page', async () => {
  for (const path of [
    '/console/../package.json',
    '/console/assets/../../package.json',
    '/console/assets/..%2f..%2fpackage.json',
    '/console/%2e%2e/%2e%2e/package.json',
    '/console/....//package.json',
    '/console/assets//etc/passwd',
    '/console/assets/%00',
    '/console/package.json',
  ])
    expect(
      await raw(`GET ${path} HTTP/1.1\r\nHost: localhost:${portOf(kit)}\r\nConnection: close\r\n\r\n`),
    ).toMatch(/^HTTP\/1\.1 40[04] /)
})

test('a cookie is nothing to the agents’ API, and an agent’s token nothing to the console', async () => {
  const headers = { host: new URL(kit.daemon.url).host, cookie: browser.cookie ?? '' }
  for (const [method, path] of [
    ['POST', '/execute'],
    ['GET', '/secrets'],
    ['POST', '/mcp'],
    ['GET', '/llm/openai/v1/models'],
  ] as const)
    expect((await plain(method, path, headers)).status, path).toBe(401)
  const bearer = { authorization: `Bearer ${kit.token}`, cookie: undefined }
  for (const path of ['/console/api/session', '/console/api/v1/secrets', '/console/api/events'])
    expect((await browser.send(path, { headers: bearer })).status, path).toBe(401)
  for (const path of ['/v1/secrets', '/v1/console/link', '/api/session'])
    expect((await browser.send(path)).status, path).toBe(404)
})

function raw(head: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(portOf(kit), '127.0.0.1', () => socket.write(head))
    text(socket).then(resolve, reject)
  })
}

const plain = (method: string, path: string, headers: Record<string, string>) =>
  new Promise<{ status: number }>((resolve, reject) => {
    request(
      {
        host: '127.0.0.1',
        port: portOf(kit),
        method,
        path,
        headers: { ...headers, 'content-type': 'application/json' },
      },
      (response) => {
        response.resume()
        resolve({ status: response.statusCode ?? 0 })
      },
    )
      .once('error', reject)
      .end(method === 'POST' ? '{}' : undefined)
  })

test('whoever has a network of IPv6 addresses is one who guesses, and not as many as it has addresses', async () => {
  const guess = (address: string) =>
    createBrowser(kit).send('/console/api/session/code', {
      method: 'POST',
      body: { code: 'A'.repeat(43) },
      headers: {
        ...{ host: new URL(PUBLIC).host, origin: PUBLIC, 'x-forwarded-proto': 'https' },
        'x-forwarded-for': address,
      },
    })
  const of = async (addresses: readonly string[]) =>
    (await Promise.all(addresses.map(guess))).map(({ status }) => status)
  const network = Array.from({ length: 40 }, (_, at) => `2001:db8:1:2:${at.toString(16)}::${at + 1}`)
  expect((await of(network)).filter((status) => status === 429).length).toBe(10)
  expect(await of(['2001:db8:1:3::1', '203.0.113.77'])).toEqual([401, 401])
})
