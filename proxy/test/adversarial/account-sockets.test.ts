/** WebSockets of accounts to their hosted agents, from outside: who gets in, by what, once; what is said on the way; what cuts them. */
import { once } from 'node:events'
import { type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { TENANT_HEADER } from '../../src/contracts/admin/index.ts'
import { adminCall, createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { createGatewayDouble, type GatewayDouble } from '../support/gateway-double.ts'
import { createPlayedHosting } from '../support/hosted-kit.ts'
import { patience } from '../support/pace.ts'

let kit: DaemonKit
let gateway: GatewayDouble
let wake: () => Promise<void> = async () => {}
let ann = ''
let eve = ''
/** Ann's. */
let machine = ''
let tenant = ''

interface Sent {
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

const api = async (method: string, path: string, { token, headers, body }: Sent = {}) => {
  const response = await fetch(kit.daemon.url + path, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  return { status: response.status, body: (await response.json()) as any }
}
const PASSWORD = 'correct horse battery'
const signIn = async (name: string) => {
  const { body } = await api('POST', '/api/auth/login', {
    body: { email: `${name}@example.com`, password: PASSWORD },
  })
  return { access: body.access_token as string, refresh: body.refresh_token as string }
}
const ticketOf = async (token = ann, purpose = 'cloudbot') =>
  (await api('POST', `/api/instances/${machine}/tickets`, { token, body: { purpose } })).body.path as string

interface Client {
  readonly socket: WebSocket
  /** `open`, or the status of a refusal. */
  readonly opened: Promise<'open' | number>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  /** The next message, as JSON. */
  next(): Promise<Record<string, unknown>>
  say(message: object): void
}

function client(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  localAddress = '127.0.0.1',
): Client {
  const address = kit.daemon.url.replace('http', 'ws') + path
  const socket = new WebSocket(address, { headers, localAddress })
  const messages: string[] = []
  const waiting: ((text: string) => void)[] = []
  socket.on('message', (data) => {
    const reader = waiting.shift()
    if (reader) reader(String(data))
    else messages.push(String(data))
  })
  socket.on('error', () => {})
  return {
    socket,
    opened: new Promise((resolve) => {
      socket.once('open', () => resolve('open'))
      socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    }),
    closed: new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
    ),
    next: async () =>
      JSON.parse(messages.shift() ?? (await new Promise<string>((resolve) => waiting.push(resolve)))),
    say: (message) => socket.send(JSON.stringify(message)),
  }
}
const own = () => `/api/instances/${machine}/cloudbot`
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const CONNECT = { type: 'req', id: '1', method: 'connect', params: { minProtocol: 4, maxProtocol: 4 } }
/** One that the gateway has let in. */
async function joined(
  path = own(),
  headers: Readonly<Record<string, string>> = bearer(ann),
): Promise<Client> {
  const one = client(path, headers)
  expect(await one.opened).toBe('open')
  expect(await one.next()).toMatchObject({ event: 'connect.challenge' })
  one.say(CONNECT)
  expect(await one.next()).toMatchObject({ id: '1', ok: true })
  return one
}
const settle = async (...clients: Client[]): Promise<void> => {
  for (const { socket } of clients) socket.close()
  await Promise.all(clients.map(({ closed }) => closed))
}

beforeAll(async () => {
  gateway = await createGatewayDouble()
  const openGateway = async () => {
    await wake()
    return await gateway.open()
  }
  kit = await createDaemonKit({
    environment: { OAUTH3_SIGNUP: 'password', OAUTH3_HOST_PAGES: 'http://*.localhost' },
    hosting: { played: () => ({ ...createPlayedHosting(), openGateway, openBrowser: openGateway }) },
    sandbox: async () => createScriptedSandbox(() => ({})),
  })
  for (const name of ['eve', 'ann']) {
    const body = { email: `${name}@example.com`, password: PASSWORD }
    tenant = (await api('POST', '/api/auth/signup', { body })).body.user.tenant
  }
  ann = (await signIn('ann')).access
  eve = (await signIn('eve')).access
  machine = (await api('POST', '/api/instances', { token: ann, body: { name: 'desk' } })).body.id
}, patience(60_000))
afterAll(async () => {
  await kit?.[Symbol.asyncDispose]()
  await gateway?.[Symbol.asyncDispose]()
})

describe('a WebSocket to a hosted agent', () => {
  it('is opened by a header; the gateway’s token is put in inside, and no credential comes out', async () => {
    const one = client(own(), bearer(ann))
    expect(await one.opened).toBe('open')
    await one.next()
    one.say({ ...CONNECT, params: { ...CONNECT.params, auth: { token: 'a client’s own word' } } })
    const hello = await one.next()
    expect(hello).toEqual({
      ...{ type: 'res', id: '1', ok: true },
      payload: {
        ...{ type: 'hello-ok', protocol: 4, snapshot: {} },
        auth: { role: 'operator', scopes: ['operator.admin'] },
      },
    })
    one.say({ type: 'req', id: '2', method: 'chat.send', params: { text: 'hello' } })
    expect(await one.next()).toMatchObject({ id: '2', payload: { params: { text: 'hello' } } })
    const { headers } = gateway.openings.at(-1) ?? {}
    expect(headers).toMatchObject({ host: '127.0.0.1:18789', origin: 'http://127.0.0.1:18789' })
    expect(JSON.stringify([headers, gateway.heard])).not.toContain(ann)
    expect(JSON.stringify(headers)).not.toMatch(/authorization|cookie|forwarded/i)
    expect(gateway.used()).toBeGreaterThan(0)
    await settle(one)
    const told = async (event: string) => {
      const { body } = await adminCall(
        kit.daemon.adminSocketPath,
        'GET',
        `/v1/audit?event=${event}`,
        undefined,
        {
          [TENANT_HEADER]: tenant,
        },
      )
      return body.rows.map(({ data }: { data: string }) => JSON.parse(data))
    }
    await expect.poll(() => told('socket.ended')).toHaveLength(1)
    const [begun] = await told('socket.opened')
    expect(begun).toMatchObject({ machine, purpose: 'cloudbot', by: 'header' })
    const [ended] = await told('socket.ended')
    expect(ended).toMatchObject({ socket: begun.socket, code: 1005, messages_in: 2 })
  })

  it('takes what a device has signed as it is, and puts the token beside it', async () => {
    const one = client(own(), bearer(ann))
    await one.next()
    const device = { id: 'dev', publicKey: 'k', signature: 's', signedAt: 1, nonce: 'demo' }
    one.say({ ...CONNECT, params: { ...CONNECT.params, device } })
    expect(await one.next()).toMatchObject({ ok: true })
    expect(JSON.parse(gateway.heard.at(-1) ?? '').params).toEqual({
      ...CONNECT.params,
      ...{ device, auth: { password: gateway.token } },
    })
    await settle(one)
  })

  it('is opened by a ticket once, for that machine, by whoever asked for it', async () => {
    const path = await ticketOf()
    const one = await joined(path, {})
    await settle(one)
    const other = client(path)
    expect(await other.closed).toEqual({
      code: 4401,
      reason: 'This ticket was used, is over, or is for something else.',
    })
    const two = (await api('POST', '/api/instances', { token: ann, body: { name: 'two' } })).body.id
    expect((await client((await ticketOf()).replace(machine, two)).closed).code).toBe(4401)
    expect((await client(`${own()}?ticket=ot_${'x'.repeat(43)}`).closed).code).toBe(4401)
  })

  it('is nobody’s who is another, or nobody: not by a token in the address, not by a cookie, not from another page', async () => {
    const { headers } = await fetch(`${kit.daemon.url.replace('127.0.0.1', 'localhost')}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'ann@example.com', password: PASSWORD }),
    })
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
    const host = new URL(kit.daemon.url).host.replace('127.0.0.1', 'localhost')
    expect(cookie).toMatch(/^oauth3_session_/)
    const refused: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
      [own(), bearer(eve), 404],
      [own(), {}, 401],
      [own(), bearer('a.b.c'), 401],
      [`${own()}?token=${ann}`, {}, 401],
      [`${own()}?access_token=${ann}`, {}, 401],
      [own(), { cookie, host }, 401],
      [own(), { cookie, host, origin: `http://${host}` }, 401],
      [own(), { ...bearer(ann), origin: 'https://evil.example' }, 403],
      [await ticketOf(), { origin: 'https://evil.example' }, 403],
      [await ticketOf(), { host: 'evil.example' }, 403],
      [`/api/instances/${machine}/vnc2`, bearer(ann), 404],
      ['/api/instances/mch_none/cloudbot', bearer(ann), 404],
    ]
    for (const [path, sent, status] of refused) {
      const one = client(path, sent)
      expect(await one.opened, `${path} ${JSON.stringify(sent)}`).toBe(status)
    }
    // As any call of the API is refused (RFC 9110, 11.6.1).
    const [, refusal] = await once(client(own()).socket, 'unexpected-response')
    expect(refusal.headers).toHaveProperty('www-authenticate', 'Bearer realm="oauth3"')
    const eves = await api('POST', `/api/instances/${machine}/tickets`, {
      ...{ token: eve, body: { purpose: 'cloudbot' } },
    })
    expect(eves.status).toBe(404)
  })

  it('is cut when its session ends, and nothing more goes through', async () => {
    const { access, refresh } = await signIn('ann')
    const byHeader = await joined(own(), bearer(access))
    const byTicket = await joined(await ticketOf(access), {})
    const unused = await ticketOf(access)
    const theirs = gateway.sockets.slice(-2)
    await api('POST', '/api/auth/logout', { body: { refresh_token: refresh } })
    for (const { closed } of [byHeader, byTicket]) expect((await closed).code).toBe(4401)
    expect((await client(unused).closed).code).toBe(4401)
    await expect.poll(() => theirs.every(({ readyState }) => readyState === 3)).toBe(true)
  })

  it('goes by an access key of that scope, and with it', async () => {
    const host = new URL(kit.daemon.url).host.replace('127.0.0.1', 'localhost')
    const signed = await fetch(`http://${host}/console/api/session/password`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: `http://${host}` },
      body: JSON.stringify({ email: 'ann@example.com', password: PASSWORD }),
    })
    const cookie = signed.headers.get('set-cookie')?.split(';')[0] ?? ''
    const browse = async (method: string, path: string, body?: object) => {
      const response = await fetch(`http://${host}/console/api${path}`, {
        method,
        headers: { 'content-type': 'application/json', origin: `http://${host}`, cookie },
        ...(body && { body: JSON.stringify(body) }),
      })
      // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
      return (await response.json()) as any
    }
    const { id, key } = await browse('POST', '/account/access-keys', { name: 'bot', scopes: ['machines'] })
    const keys = await browse('POST', '/account/access-keys', { name: 'keys', scopes: ['keys'] })
    expect(await client(own(), bearer(keys.key)).opened).toBe(409)
    const one = await joined(own(), bearer(key))
    // The console's own page asks for its tickets by the name of the agent.
    const { path } = await browse('POST', '/hosts/desk/tickets', { purpose: 'cloudbot' })
    const page = await joined(path, { origin: `http://${host}`, host })
    await browse('DELETE', `/account/access-keys/${id}`)
    expect((await one.closed).code).toBe(4401)
    await browse('POST', '/session/logout')
    expect((await page.closed).code).toBe(4401)
  })

  it('hands over why each side closed, and says when the gateway is gone', async () => {
    const last = () => gateway.sockets.at(-1) as WebSocket
    const one = await joined()
    last().close(1012, 'service restart')
    expect(await one.closed).toEqual({ code: 1012, reason: 'service restart' })
    const two = await joined()
    const ended = once(last(), 'close')
    two.socket.close(3001, 'enough')
    const [code, reason] = await ended
    expect([code, String(reason)]).toEqual([3001, 'enough'])
    const three = await joined()
    last().terminate()
    expect((await three.closed).code).toBe(4503)
    const four = client(own(), bearer(ann))
    await four.next()
    four.say({ ...CONNECT, method: 'chat.send' })
    expect(await four.closed).toEqual({ code: 1008, reason: 'unauthorized' })
  })

  it('waits for a machine that wakes, and says why it did not', async () => {
    const waking = Promise.withResolvers<void>()
    wake = () => waking.promise
    const one = client(own(), bearer(ann))
    expect(await one.opened).toBe('open')
    one.say(CONNECT)
    const before = gateway.sockets.length
    waking.resolve()
    await one.next()
    expect(await one.next()).toMatchObject({ id: '1', ok: true })
    expect(gateway.sockets.length).toBe(before + 1)
    wake = () => Promise.reject(new Error('it does not wake'))
    expect((await client(own(), bearer(ann)).closed).code).toBe(1011)
    wake = async () => {}
    await settle(one)
  })

  it('has an end to what is said at once, to its messages, and to how many there are', async () => {
    const long = await joined()
    long.socket.send(Buffer.alloc(26_214_401))
    expect((await long.closed).code).toBe(1009)
    const early = client(own(), bearer(ann))
    await early.next()
    early.say({ ...CONNECT, more: 'x'.repeat(70_000) })
    expect((await early.closed).code).toBe(1008)
    const fast = await joined()
    for (let at = 0; at < 4_000; at += 1) fast.say({ type: 'req', id: 'x', method: 'health' })
    expect((await fast.closed).code).toBe(4429)
    const many = await Promise.all(Array.from({ length: 16 }, () => joined()))
    const refused = client(own(), bearer(ann))
    expect(await refused.opened).toBe(429)
    expect((await client(await ticketOf()).closed).code).toBe(4429)
    await settle(...many)
  })

  it('is read as fast as its reader reads, and loses nothing', async () => {
    const one = await joined()
    one.socket.removeAllListeners('message')
    const seen: number[] = []
    one.socket.on('message', (data) => seen.push((data as Buffer).readUInt32BE(0)))
    one.socket.pause()
    const TOTAL = 256
    let sent = 0
    const socket = gateway.sockets.at(-1) as WebSocket
    // One after the other: of several that wait each would be told as sent when the last is.
    const sendNext = (): void => {
      if (sent === TOTAL) return
      const piece = Buffer.alloc(262_144)
      piece.writeUInt32BE(sent)
      socket.send(piece, () => {
        sent += 1
        sendNext()
      })
    }
    sendNext()
    // What fits into the buffers of two connections, and a little of ours, goes; the rest waits where it comes from.
    let before = -1
    let steady = 0
    await expect
      .poll(
        () => {
          steady = sent > 0 && sent === before ? steady + 1 : 0
          before = sent
          return steady
        },
        { interval: 100, timeout: patience(20_000) },
      )
      .toBe(5)
    expect(sent).toBeLessThan(TOTAL / 2)
    one.socket.resume()
    await expect.poll(() => seen.length, { timeout: patience(20_000) }).toBe(TOTAL)
    expect(seen).toEqual([...Array(TOTAL).keys()])
    await settle(one)
  })
})

describe('the page of a hosted agent', () => {
  const hostOf = (id: string) => `${id.replace('_', '-')}.localhost:${new URL(kit.daemon.url).port}`
  /** As a browser asks that page's host. */
  const visit = (
    path: string,
    headers: Readonly<Record<string, string>> = {},
    { id = machine, method = 'GET' } = {},
  ): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(kit.daemon.url)
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
  const addressOf = async (token: string) =>
    new URL((await api('POST', `/api/instances/${machine}/page`, { token })).body.url)
  const cookieOf = async (token = ann): Promise<string> => {
    const { search } = await addressOf(token)
    const { headers } = await visit(`/${search}`, NAVIGATION)
    return headers['set-cookie']?.[0]?.split(';')[0] ?? ''
  }

  it('is opened by a ticket once, at an origin of its own, whose cookie is good there alone', async () => {
    const address = await addressOf(ann)
    expect(address.host).toBe(hostOf(machine))
    const begun = await visit(`/${address.search}`, NAVIGATION)
    expect(begun).toMatchObject({ status: 303, headers: { location: '/' } })
    const [set = ''] = begun.headers['set-cookie'] ?? []
    expect(set).toMatch(/^oauth3_page=[\w-]{43}; HttpOnly; SameSite=Lax; Path=\/$/)
    expect((await visit(`/${address.search}`, NAVIGATION)).status).toBe(401)
    const cookie = set.split(';')[0] ?? ''
    const page = await visit('/chat?x=1', { cookie, ...NAVIGATION, 'x-forwarded-host': 'evil' })
    expect(page.status).toBe(200)
    const seen = JSON.parse(page.text)
    expect(seen.path).toBe('/chat?x=1')
    expect(seen.headers).toMatchObject({ host: '127.0.0.1', authorization: `Bearer ${gateway.token}` })
    expect(Object.keys(seen.headers)).not.toContain('cookie')
    expect(JSON.stringify(seen.headers)).not.toMatch(/evil|sec-fetch/)
    expect(page.headers).toMatchObject({
      'content-security-policy': expect.stringContaining("connect-src 'self' data: blob:"),
      // WebRTC and leaving for an address that says something, which a policy of content lets through.
      'connection-allowlist': '(response-origin)',
      'x-frame-options': 'DENY',
    })
    expect(page.headers).not.toHaveProperty('x-own')
    const two = (await api('POST', '/api/instances', { token: ann, body: { name: 'another' } })).body.id
    expect((await visit('/', { cookie, ...NAVIGATION }, { id: two })).status).toBe(401)
    expect((await api('POST', `/api/instances/${machine}/page`, { token: eve })).status).toBe(404)
  })

  it('answers no other page, not even another agent’s, and is nothing but that page', async () => {
    const cookie = await cookieOf()
    const before = gateway.openings.length
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
    const own = `http://${hostOf(machine)}`
    for (const origin of ['http://mch-0000000000000000.localhost', 'https://evil.example', `${own}0`]) {
      const one = client('/', { host: hostOf(machine), cookie, origin })
      expect(await one.opened, origin).toBe(403)
    }
    expect(await client('/', { host: hostOf(machine), origin: own }).opened).toBe(401)
    expect(gateway.openings.length).toBe(before)
    // Whatever the path: neither the console nor the agents' API is there.
    for (const path of [
      '/console/api/session',
      '/api/auth/me',
      '/v1/models',
      '/execute',
      '/cdp/json/version',
    ])
      expect(JSON.parse((await visit(path, { cookie })).text).path, path).toBe(path)
  })

  it('ends with the session that opened it, and wakes nobody by being left open', async () => {
    const { access, refresh } = await signIn('ann')
    const cookie = await cookieOf(access)
    const origin = `http://${hostOf(machine)}`
    const socket = () => client('/', { host: hostOf(machine), cookie, origin })
    expect((await visit('/', { cookie, ...NAVIGATION })).status).toBe(200)
    const one = socket()
    expect(await one.opened).toBe('open')
    await api('POST', `/api/instances/${machine}/stop`, { token: access })
    expect(await socket().opened).toBe('open')
    const left = await cookieOf(access)
    expect((await visit('/x.js', { cookie: left, 'sec-fetch-site': 'same-origin' })).status).toBe(503)
    expect(await client('/', { host: hostOf(machine), cookie: left, origin }).opened).toBe(503)
    expect((await visit('/', { cookie: left, ...NAVIGATION })).status).toBe(200)
    await api('POST', '/api/auth/logout', { body: { refresh_token: refresh } })
    expect((await one.closed).code).toBe(4401)
    expect((await visit('/', { cookie, ...NAVIGATION })).status).toBe(401)
    expect(await socket().opened).toBe(401)
  })
})

describe('an address of an agent’s browser', () => {
  const agentOf = async (name: string, more: object = {}) =>
    (await kit.admin('POST', '/v1/agents', { name, ...more })).body.token as string
  const address = async (token: string): Promise<string> => {
    const { body } = await api('GET', '/cdp/json/version', { token })
    const { pathname, search } = new URL(body.webSocketDebuggerUrl)
    return pathname + search
  }
  const rows = async (event: string) =>
    (await kit.admin('GET', `/v1/audit?event=${event}`)).body.rows.map(({ data }: { data: string }) =>
      JSON.parse(data),
    )

  it('ends with the token that asked for it: what it opened is cut, and what is not opened yet is refused', async () => {
    const token = await agentOf('surfer')
    const one = client(await address(token))
    expect(await one.opened).toBe('open')
    const unused = await address(token)
    expect((await kit.admin('POST', '/v1/agents/surfer/token', {})).status).toBe(200)
    await one.closed
    expect(await client(unused).opened).toBe(401)
    expect((await api('GET', '/cdp/json/version', { token })).status).toBe(401)
  })

  it('outlives a rotation that leaves the old token its time', async () => {
    const token = await agentOf('patient')
    const path = await address(token)
    const rotated = await kit.admin('POST', '/v1/agents/patient/token', { overlap_ms: 60_000 })
    expect(rotated.status).toBe(200)
    const one = client(path)
    expect(await one.opened).toBe('open')
    await settle(one)
  })

  it('opens where its agent may come from, and nowhere else', async () => {
    const token = await agentOf('fenced', { cidrs: ['127.0.0.1/32'] })
    expect(await client(await address(token), {}, '127.0.0.2').opened).toBe(403)
    const one = client(await address(token))
    expect(await one.opened).toBe('open')
    await settle(one)
  })

  it('is in the audit from its opening to its end', async () => {
    const token = await agentOf('seen')
    const one = client(await address(token))
    expect(await one.opened).toBe('open')
    const [begun] = await rows('socket.opened')
    expect(begun).toMatchObject({ purpose: 'cdp', target: 'browser', by: 'ticket' })
    one.socket.terminate()
    await expect
      .poll(async () => (await rows('socket.ended')).map(({ socket }: { socket: string }) => socket))
      .toContain(begun.socket)
  })
})
