import { afterAll, beforeAll, expect } from 'vitest'
import { WebSocket } from 'ws'
import { PASSWORD } from './accounts-kit.ts'
import { createDaemonKit, type DaemonKit } from './daemon-kit.ts'
import { createScriptedSandbox } from './domain-kit.ts'
import { createGatewayDouble, type GatewayDouble } from './gateway-double.ts'
import { createPlayedHosting } from './hosted-kit.ts'
import { patience } from './pace.ts'

interface Sent {
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Client {
  readonly socket: WebSocket
  /** `open`, or the status of a refusal. */
  readonly opened: Promise<'open' | number>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  /** The next message, as JSON. */
  next(): Promise<Record<string, unknown>>
  say(message: object): void
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
export const CONNECT = {
  ...{ type: 'req', id: '1', method: 'connect' },
  params: { minProtocol: 4, maxProtocol: 4 },
}
export const settle = async (...clients: Client[]): Promise<void> => {
  for (const { socket } of clients) socket.close()
  await Promise.all(clients.map(({ closed }) => closed))
}

/** Called once at the top of a file: a daemon with two accounts, of which Ann hosts an agent whose gateway is played. */
export function useAccountSockets() {
  const world = {
    kit: undefined as unknown as DaemonKit,
    gateway: undefined as unknown as GatewayDouble,
    /** What comes before the gateway is reached. */
    wake: async (): Promise<void> => {},
    /** As in a lockdown, or while it is removed. */
    isShut: false,
    /** Access tokens. */
    ...{ ann: '', eve: '' },
    /** Ann's. */
    ...{ machine: '', tenant: '' },
  }

  const api = async (method: string, path: string, { token, headers, body }: Sent = {}) => {
    const response = await fetch(world.kit.daemon.url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && bearer(token)),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    // biome-ignore lint/suspicious/noExplicitAny: answers are checked by the tests that read them
    return { status: response.status, body: (await response.json()) as any }
  }
  const signIn = async (name: string) => {
    const { body } = await api('POST', '/api/auth/login', {
      body: { email: `${name}@example.com`, password: PASSWORD },
    })
    return { access: body.access_token as string, refresh: body.refresh_token as string }
  }
  /** The console of an account, as a browser has it. */
  const browserOf = async (name: string) => {
    const host = new URL(world.kit.daemon.url.replace('127.0.0.1', 'localhost')).host
    const signed = await fetch(`http://${host}/api/auth/login`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ email: `${name}@example.com`, password: PASSWORD }),
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
    return { host, browse }
  }
  const ticketOf = async (token = world.ann, purpose = 'cloudbot') =>
    (await api('POST', `/api/instances/${world.machine}/tickets`, { token, body: { purpose } })).body
      .path as string
  const client = (path: string, headers: Readonly<Record<string, string>> = {}, localAddress = '127.0.0.1') =>
    connect(world.kit.daemon.url.replace('http', 'ws') + path, headers, localAddress)
  const own = () => `/api/instances/${world.machine}/cloudbot`
  /** One that the gateway has let in. */
  const joined = async (
    path = own(),
    headers: Readonly<Record<string, string>> = bearer(world.ann),
  ): Promise<Client> => {
    const one = client(path, headers)
    expect(await one.opened).toBe('open')
    expect(await one.next()).toMatchObject({ event: 'connect.challenge' })
    one.say(CONNECT)
    expect(await one.next()).toMatchObject({ id: '1', ok: true })
    return one
  }

  beforeAll(async () => {
    world.gateway = await createGatewayDouble()
    const openGateway = async () => {
      await world.wake()
      return await world.gateway.open()
    }
    world.kit = await createDaemonKit({
      environment: { OAUTH3_SIGNUP: 'password', OAUTH3_HOST_PAGES: 'http://*.localhost' },
      hosting: {
        played: () => {
          const hosting = createPlayedHosting()
          const isOpen = (id: string) => !world.isShut && hosting.isOpen(id)
          return { ...hosting, isOpen, openGateway, openBrowser: openGateway }
        },
      },
      sandbox: async () => createScriptedSandbox(() => ({})),
    })
    for (const name of ['eve', 'ann']) {
      const body = { email: `${name}@example.com`, password: PASSWORD }
      world.tenant = (await api('POST', '/api/auth/signup', { body })).body.user.tenant
    }
    world.ann = (await signIn('ann')).access
    world.eve = (await signIn('eve')).access
    const desk = { token: world.ann, body: { name: 'desk' } }
    world.machine = (await api('POST', '/api/instances', desk)).body.id
  }, patience(60_000))
  afterAll(async () => {
    await world.kit?.[Symbol.asyncDispose]()
    await world.gateway?.[Symbol.asyncDispose]()
  })
  return Object.assign(world, { api, signIn, browserOf, ticketOf, client, own, joined })
}

function connect(address: string, headers: Readonly<Record<string, string>>, localAddress: string): Client {
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
