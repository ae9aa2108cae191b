/**
 * Two small clients, written from what CloudBot and PoeClaw say of their routes and flows and from nothing of ours: paths, methods and
 * names of fields are those of their tables. Machines are played; all between them and the clients is the daemon.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createDaemonKit, type DaemonKit } from '../support/daemon-kit.ts'
import { createScriptedSandbox } from '../support/domain-kit.ts'
import { createGatewayDouble, type GatewayDouble } from '../support/gateway-double.ts'
import { createPlayedHosting } from '../support/hosted-kit.ts'
import { createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { json } from '../support/vendor-answers.ts'

let gateway: GatewayDouble
/** The front of a desktop's image, as far as its screen goes: it switches to RFB and says its version. */
let screen: Server
beforeAll(async () => {
  gateway = await createGatewayDouble()
  screen = createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', () => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: rfb\r\n\r\nRFB 003.008\n',
        )
      })
  }).listen(0, '127.0.0.1')
  await once(screen, 'listening')
})
afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]()
  screen?.close()
})

const played = () => {
  const open = () => gateway.open()
  async function openDesktop() {
    const stream = connect((screen.address() as AddressInfo).port, '127.0.0.1').on('error', () => {})
    await once(stream, 'connect')
    return { stream: stream.pause(), used: () => {}, isAwake: () => true }
  }
  return { ...createPlayedHosting(), openGateway: open, openBrowser: open, openDesktop }
}

interface Answered {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
  readonly body: any
}

/** What a program has of the service: its address, and the token that it was given. */
function program(base: string) {
  let token: string | undefined
  const headers = () => (token === undefined ? {} : { authorization: `Bearer ${token}` })
  return {
    base,
    headers,
    signedIn: (given: string) => {
      token = given
    },
    async call(method: string, path: string, body?: unknown): Promise<Answered> {
      const response = await fetch(base + path, {
        ...{ method, redirect: 'error' },
        headers: { ...headers(), ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: response.status, body: await response.json() }
    },
    /** The first message, and then it hangs up. */
    async dial(path: string): Promise<string> {
      const socket = new WebSocket(base.replace('http', 'ws') + path, { headers: headers() })
      const [message] = await once(socket, 'message')
      socket.close()
      await once(socket, 'close')
      return String(message)
    },
  }
}
/** As frameworks take them, with a slash at the end and without. */
const twice = (path: string): readonly string[] => [path, `${path}/`]

describe('a client of CloudBot', () => {
  let kit: DaemonKit
  let client: ReturnType<typeof program>
  let id = ''
  beforeAll(async () => {
    kit = await createDaemonKit({
      environment: { OAUTH3_SIGNUP: 'password' },
      hosting: { played },
      sandbox: async () => createScriptedSandbox(() => ({})),
    })
    client = program(kit.daemon.url)
  })
  afterAll(async () => await kit?.[Symbol.asyncDispose]())

  test('signs up, in, refreshes and asks who it is', async () => {
    const ann = { email: 'ann@example.com', password: 'correct horse battery' }
    const tokens = {
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      token_type: 'bearer',
    }
    expect(await client.call('POST', '/api/auth/signup', ann)).toMatchObject({ status: 200, body: tokens })
    const { body: login } = await client.call('POST', '/api/auth/login', ann)
    expect(login).toMatchObject(tokens)
    const { refresh_token } = login
    const { status, body: next } = await client.call('POST', '/api/auth/refresh/', { refresh_token })
    expect({ status, next }).toMatchObject({ status: 200, next: tokens })
    client.signedIn(next.access_token)
    for (const path of twice('/api/auth/me'))
      expect(await client.call('GET', path)).toMatchObject({ status: 200, body: { email: ann.email } })
  })

  test('makes, lists, reads, stops and starts an instance', async () => {
    const { status, body: made } = await client.call('POST', '/api/instances/', {})
    expect({ status, made }).toMatchObject({
      status: 200,
      made: { id: expect.any(String), status: expect.stringMatching(/^(?:pending|running)$/) },
    })
    id = made.id
    for (const path of twice('/api/instances'))
      expect((await client.call('GET', path)).body.instances).toMatchObject([{ id }])
    for (const [method, path, now] of [
      ['POST', `/api/instances/${id}/stop`, 'stopped'],
      ['POST', `/api/instances/${id}/start/`, 'running'],
      ['GET', `/api/instances/${id}`, 'running'],
      ['GET', `/api/instances/${id}/`, 'running'],
    ] as const)
      expect(await client.call(method, path), path).toMatchObject({ status: 200, body: { id, status: now } })
  })

  test('stores, lists, updates and removes keys', async () => {
    const keys = '/api/user/api-keys'
    const stored = await client.call('POST', keys, {
      provider: 'anthropic',
      api_key: 'sk-ant-of-a-test-0001',
    })
    expect(stored).toMatchObject({ status: 200, body: { provider: 'anthropic' } })
    for (const path of twice(keys)) {
      const { status, body } = await client.call('GET', path)
      expect({ status, body }).toMatchObject({ status: 200, body: { providers: ['anthropic'] } })
      expect(JSON.stringify(body)).not.toContain('of-a-test')
    }
    const next = { api_key: 'sk-ant-of-a-test-0002' }
    expect((await client.call('PUT', `${keys}/anthropic`, next)).body).toMatchObject({ last4: '0002' })
    expect((await client.call('DELETE', `${keys}/anthropic/`)).status).toBe(200)
    expect((await client.call('DELETE', `${keys}/anthropic`)).status).toBe(404)
    expect((await client.call('GET', keys)).body.providers).toEqual([])
  })

  test('speaks to the agent and sees its desktop by WebSocket, and terminates the instance', async () => {
    expect(JSON.parse(await client.dial(`/api/instances/${id}/cloudbot`))).toMatchObject({ type: 'event' })
    // In its own world each instance has a desktop.
    expect(await client.call('POST', `/api/instances/${id}/desktop`)).toMatchObject({ status: 200 })
    expect(await client.dial(`/api/instances/${id}/vnc`)).toBe('RFB 003.008\n')
    expect((await client.call('DELETE', `/api/instances/${id}`)).status).toBe(200)
    expect((await client.call('GET', `/api/instances/${id}`)).status).toBe(404)
    expect((await client.call('GET', '/api/instances')).body.instances).toEqual([])
  })

  test('finds each of these in the description of the API, and the WebSockets too', async () => {
    const { body } = await client.call('GET', '/api/openapi.json')
    const described = Object.entries<object>(body.paths).flatMap(([path, of]) =>
      Object.keys(of).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described).toEqual(
      expect.arrayContaining([
        ...['POST /api/auth/signup', 'POST /api/auth/login', 'POST /api/auth/refresh', 'GET /api/auth/me'],
        ...[
          'GET /api/instances',
          'POST /api/instances',
          'GET /api/instances/{id}',
          'DELETE /api/instances/{id}',
        ],
        ...['POST /api/instances/{id}/stop', 'POST /api/instances/{id}/start', 'POST /api/user/api-keys'],
        ...[
          'GET /api/user/api-keys',
          'PUT /api/user/api-keys/{provider}',
          'DELETE /api/user/api-keys/{provider}',
        ],
        ...['GET /api/instances/{id}/vnc', 'GET /api/instances/{id}/cloudbot', 'POST /v1/chat/completions'],
        ...['GET /cdp/json/version', 'GET /cdp/json/list', 'GET /cdp/json/new', 'PUT /cdp/json/new'],
        ...[
          'GET /cdp/devtools/browser/{session}',
          'GET /debug/processes',
          'GET /debug/logs',
          'GET /debug/version',
        ],
      ]),
    )
  })
})

describe('a client of PoeClaw', () => {
  let kit: LlmKit
  let client: ReturnType<typeof program>
  const messages = [{ role: 'user', content: 'hello' }]
  beforeAll(async () => {
    kit = await createLlmKit({ environment: { OAUTH3_SIGNUP: 'provider-key' }, hosting: { played } })
    client = program(kit.url)
  })
  afterAll(async () => await kit?.[Symbol.asyncDispose]())

  test('signs in by a key alone, is refused with one that nobody has, and is told what it lacks', async () => {
    expect((await client.call('POST', '/api/auth/login', { apiKey: 'pb-nobody-has-this-key' })).status).toBe(
      401,
    )
    const apiKey = kit.vendors.addKey('poe')
    // What the vendor says to its holder of what is left.
    kit.vendors.next('poe', json({ current_point_balance: 1_000 }))
    const { status, body } = await client.call('POST', '/api/auth/login', { apiKey })
    expect({ status, body }).toMatchObject({
      ...{ status: 200, body: { ok: true, userHash: expect.any(String), keyLast4: apiKey.slice(-4) } },
    })
    client.signedIn(body.access_token)
    const asked = await client.call('POST', '/v1/chat/completions', { model: 'openclaw', messages })
    expect(asked).toMatchObject({
      status: 404,
      body: { error: { message: expect.stringContaining('POST /api/instances') } },
    })
    expect((await client.call('POST', '/api/instances', {})).status).toBe(200)
  })

  test('chats, with a stream and without', async () => {
    const ask = { model: 'claude-sonnet-5-5', messages }
    for (const path of twice('/v1/chat/completions')) {
      const { status, body } = await client.call('POST', path, ask)
      expect({ status, body }, path).toMatchObject({ status: 200, body: { object: 'chat.completion' } })
      expect(body.choices[0].message.content).toContain('hello')
    }
    const response = await fetch(`${client.base}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...client.headers(), 'content-type': 'application/json' },
      body: JSON.stringify({ ...ask, stream: true }),
    })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const events = (await response.text()).split('\n\n').filter(Boolean)
    expect(events.at(-1)).toBe('data: [DONE]')
    const pieces = events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)))
    expect(pieces.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toContain('hello')
  })

  test('drives a browser by the DevTools Protocol', async () => {
    for (const path of twice('/cdp/json/version'))
      expect(await client.call('GET', path)).toMatchObject({
        ...{ status: 200, body: { Browser: expect.any(String), webSocketDebuggerUrl: expect.any(String) } },
      })
    const { status, body: target } = await client.call('GET', '/cdp/json/new?about:blank')
    expect({ status, target }).toMatchObject({ status: 200, target: { url: 'about:blank' } })
    const { body } = await client.call('GET', '/cdp/json/version')
    const { pathname, search } = new URL(body.webSocketDebuggerUrl)
    expect(pathname).toMatch(/^\/cdp\/devtools\/browser\/[^/]+$/)
    expect(await client.dial(pathname + search)).not.toBe('')
    for (const path of twice('/cdp/json/list'))
      expect((await client.call('GET', path)).body).toMatchObject([{ id: target.id, type: 'page' }])
    expect((await client.call('GET', '/cdp/json/version?secret=demo')).status).toBe(401)
  })

  test('looks into its sandbox', async () => {
    for (const path of twice('/debug/processes')) {
      const { status, body } = await client.call('GET', path)
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { processes: [{ command: 'bash init.sh' }] },
      })
      const [{ id }] = body.processes
      expect((await client.call('GET', `/debug/logs?id=${id}`)).body).toMatchObject({ stdout: 'listening\n' })
    }
    expect((await client.call('GET', '/debug/logs?id=none')).status).toBe(404)
    for (const path of twice('/debug/version'))
      expect((await client.call('GET', path)).body).toMatchObject({ node_version: '24.21.0' })
  })
})
