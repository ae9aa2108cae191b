/** The own page of a hosted agent, from outside: who is let in, at which origin, and for how long. */
import { type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { bearer, settle, useAccountSockets } from '../support/account-sockets-kit.ts'

const sockets = useAccountSockets()
const { api, signIn, client } = sockets

describe('the page of a hosted agent', () => {
  const hostOf = (id: string) => `${id.replace('_', '-')}.localhost:${new URL(sockets.kit.daemon.url).port}`
  /** As a browser asks that page's host. */
  const visit = (
    path: string,
    headers: Readonly<Record<string, string>> = {},
    { id = sockets.machine, method = 'GET' } = {},
  ): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(sockets.kit.daemon.url)
      request({
        host: '127.0.0.1',
        port,
        path,
        method,
        agent: false,
        headers: { host: hostOf(id), ...headers },
      })
        .once('response', (response) => {
          const { statusCode = 0, headers: told } = response
          text(response).then((body) => resolve({ status: statusCode, headers: told, text: body }), reject)
        })
        .once('error', reject)
        .end()
    })
  const NAVIGATION = {
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    'sec-fetch-site': 'cross-site',
  }
  /** As the page itself asks. */
  const OWN = { ...NAVIGATION, 'sec-fetch-site': 'same-origin' }
  const addressOf = async (token: string) =>
    new URL((await api('POST', `/api/instances/${sockets.machine}/page`, { token })).body.url)
  const cookieOf = async (token = sockets.ann): Promise<string> => {
    const { search } = await addressOf(token)
    const { headers } = await visit(`/${search}`, NAVIGATION)
    return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  }

  it('is opened by a ticket once, at an origin of its own, whose cookie is good there alone', async () => {
    const address = await addressOf(sockets.ann)
    expect(address.host).toBe(hostOf(sockets.machine))
    const begun = await visit(`/${address.search}`, NAVIGATION)
    expect(begun).toMatchObject({ status: 303, headers: { location: '/' } })
    const [set = ''] = begun.headers['set-cookie'] ?? []
    expect(set).toMatch(/^oauth3_page=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/$/)
    expect((await visit(`/${address.search}`, NAVIGATION)).status).toBe(401)
    const cookie = set.split(';')[0] ?? ''
    const page = await visit('/chat?x=1', { cookie, ...OWN, 'x-forwarded-host': 'evil' })
    expect(page.status).toBe(200)
    const seen = JSON.parse(page.text)
    expect(seen.path).toBe('/chat?x=1')
    expect(seen.headers).toMatchObject({
      host: '127.0.0.1',
      authorization: `Bearer ${sockets.gateway.token}`,
    })
    expect(Object.keys(seen.headers)).not.toContain('cookie')
    expect(JSON.stringify(seen.headers)).not.toMatch(/evil|sec-fetch/)
    expect(page.headers).toMatchObject({
      'content-security-policy': expect.stringContaining("connect-src 'self' data: blob:"),
      // WebRTC and leaving for an address that says something, which a policy of content lets through.
      'connection-allowlist': '(response-origin)',
      'x-frame-options': 'DENY',
      'permissions-policy': expect.stringMatching(/camera=\(\).*usb=\(\).*serial=\(\)/),
    })
    expect(page.headers).not.toHaveProperty('x-own')
    const two = (await api('POST', '/api/instances', { token: sockets.ann, body: { name: 'another' } })).body
      .id
    expect((await visit('/', { cookie, ...NAVIGATION }, { id: two })).status).toBe(401)
    expect((await api('POST', `/api/instances/${sockets.machine}/page`, { token: sockets.eve })).status).toBe(
      404,
    )
  })

  it('answers no other page, not even another agent’s, and is nothing but that page', async () => {
    const cookie = await cookieOf()
    const before = sockets.gateway.openings.length
    const refused: readonly (readonly [Readonly<Record<string, string>>, number, string?])[] = [
      [{}, 401],
      [{ cookie: `${cookie}; ${cookie}` }, 401],
      [{ cookie, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
      [{ cookie, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
      [{ cookie, origin: 'http://localhost' }, 403],
      [{ cookie, 'service-worker': 'script', 'sec-fetch-site': 'same-origin' }, 403],
      [{ cookie, 'x-forwarded-for': '203.0.113.9' }, 403],
      [{ cookie }, 405, 'POST'],
    ]
    for (const [headers, status, method = 'GET'] of refused)
      expect((await visit('/', headers, { method })).status, JSON.stringify(headers)).toBe(status)
    const own = `http://${hostOf(sockets.machine)}`
    for (const origin of ['http://mch-0000000000000000.localhost', 'https://evil.example', `${own}0`]) {
      const one = client('/', { host: hostOf(sockets.machine), cookie, origin })
      expect(await one.opened, origin).toBe(403)
    }
    expect(await client('/', { host: hostOf(sockets.machine), origin: own }).opened).toBe(401)
    expect(sockets.gateway.openings.length).toBe(before)
    // Whatever the path: neither the console nor the agents' API is there.
    for (const path of [
      '/console/api/session',
      '/api/auth/me',
      '/v1/models',
      '/execute',
      '/cdp/json/version',
    ])
      expect(JSON.parse((await visit(path, { cookie, ...OWN })).text).path, path).toBe(path)
  })

  it('is led to by another page at its beginning alone', async () => {
    const cookie = await cookieOf()
    const own = `http://${hostOf(sockets.machine)}`
    const before = sockets.gateway.openings.length
    const led: readonly Readonly<Record<string, string>>[] = [
      NAVIGATION,
      { ...NAVIGATION, 'sec-fetch-site': 'same-site' },
      { ...NAVIGATION, 'sec-fetch-site': 'unheard-of' },
      // Of a browser without Fetch Metadata, where the page itself would show as what asks.
      {},
      { referer: 'https://evil.example/' },
      { referer: `${own}.evil.example/` },
    ]
    for (const headers of led)
      for (const path of ['/chat', '/?session=main&do=x', '//', '/?', '/?ticket=a&x', '/index.html']) {
        const { status, headers: told, text: page } = await visit(path, { cookie, ...headers })
        expect({ headers, path, status, page }).toMatchObject({
          status: 403,
          page: expect.stringContaining('<a href="/">'),
        })
        expect(told['content-security-policy']).toContain("default-src 'self'")
      }
    expect(sockets.gateway.openings.length).toBe(before)
    // What it put behind a `#` is dropped on the way: by a page of ours, which goes on to the beginning.
    for (const headers of led.slice(0, 3)) {
      const begun = await visit('/', { cookie, ...headers })
      expect([begun.status, begun.text]).toEqual([200, expect.stringContaining('content="0; url=/"')])
    }
    expect(sockets.gateway.openings.length).toBe(before)
    for (const headers of [...led.slice(3), OWN])
      expect(JSON.parse((await visit('/', { cookie, ...headers })).text).path).toBe('/')
    for (const headers of [
      OWN,
      { ...OWN, 'sec-fetch-site': 'none' },
      { origin: own },
      { referer: `${own}/chat` },
    ])
      expect((await visit('/chat', { cookie, ...headers })).status).toBe(200)
  })

  it('ends with the session that opened it, and wakes nobody by being left open', async () => {
    const { access, refresh } = await signIn('ann')
    const cookie = await cookieOf(access)
    const origin = `http://${hostOf(sockets.machine)}`
    const socket = () => client('/', { host: hostOf(sockets.machine), cookie, origin })
    expect((await visit('/', { cookie, ...OWN })).status).toBe(200)
    const one = socket()
    expect(await one.opened).toBe('open')
    await api('POST', `/api/instances/${sockets.machine}/stop`, { token: access })
    expect(await socket().opened).toBe('open')
    const left = await cookieOf(access)
    expect((await visit('/x.js', { cookie: left, 'sec-fetch-site': 'same-origin' })).status).toBe(503)
    expect(await client('/', { host: hostOf(sockets.machine), cookie: left, origin }).opened).toBe(503)
    expect((await visit('/', { cookie: left, ...OWN })).status).toBe(200)
    await api('POST', '/api/auth/logout', { body: { refresh_token: refresh } })
    expect((await one.closed).code).toBe(4401)
    expect((await visit('/', { cookie, ...NAVIGATION })).status).toBe(401)
    expect(await socket().opened).toBe(401)
  })
})

describe('a WebSocket to a hosted agent, of a page or not', () => {
  it('holds no more of unfinished messages than one tenant’s share, from either side', async () => {
    const part = Buffer.alloc(24 * 1_048_576, 'x')
    const unfinished = (socket: WebSocket) =>
      new Promise((resolve) => socket.send(part, { fin: false }, resolve))
    const { body } = await api('POST', '/api/instances', { token: sockets.eve, body: { name: 'hers' } })
    for (const side of ['client', 'gateway'] as const) {
      const clients = [await sockets.joined(), await sockets.joined(), await sockets.joined()]
      const ends = clients.map((_, at) => sockets.gateway.sockets.at(at - clients.length) as WebSocket)
      const sides = side === 'client' ? clients.map(({ socket }) => socket) : ends
      const sent = sides.map(unfinished)
      expect((await Promise.race(clients.map(({ closed }) => closed))).code).toBe(4429)
      // Another tenant has a share of its own.
      const eves = await sockets.joined(`/api/instances/${body.id}/cloudbot`, bearer(sockets.eve))
      eves.say({ type: 'req', id: 'long', method: 'chat.send', params: { text: 'x'.repeat(4 * 1_048_576) } })
      expect(await eves.next()).toMatchObject({ id: 'long' })
      for (const { socket } of clients) socket.terminate()
      await Promise.all([...sent, settle(eves)])
    }
    await api('DELETE', `/api/instances/${body.id}`, { token: sockets.eve })
    // What was held is given back, and a message that ends was never too much.
    const one = await sockets.joined()
    for (const id of ['1', '2', '3']) {
      one.say({ type: 'req', id, method: 'chat.send', params: { text: 'x'.repeat(18 * 1_048_576) } })
      expect(await one.next()).toMatchObject({ id })
    }
    await settle(one)
  })
})
