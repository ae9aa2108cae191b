/**
 * Endpoints for tests of the sandboxes alone: they evaluate by the policy's list, answer https themselves under a CA of their
 * own and pass plain http on. What the real gateway does beyond that has its own tests.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls'
import {
  type EgressEndpoint,
  type EgressEndpoints,
  type EgressSession,
  type EgressTarget,
  GATEWAY_CA,
  GATEWAY_RESOLVER,
  GATEWAY_SOCKET,
  reaches,
} from '../../src/egress/index.ts'
import { policyOf } from './egress-policy.ts'
import { createTestCa, type TestCa } from './test-ca.ts'

interface TestEndpoint extends EgressEndpoint {
  readonly closed: boolean
  readonly session: EgressSession | undefined
  /** `METHOD url` of every request that came through, the refused ones too. */
  readonly seen: readonly string[]
  readonly connections: number
  /** CONNECTs, those that were refused too, and none to the resolver. */
  readonly tunnels: number
}

export interface TestEndpoints extends EgressEndpoints, AsyncDisposable {
  readonly folder: string
  readonly opened: readonly TestEndpoint[]
  /** What stands in the folder. */
  left(): Promise<string[]>
}

export interface TestEndpointsOptions {
  /** Plays every upstream that was approved; by default plain http goes there for real and https says `reached`. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse, target: EgressTarget) => void
}

export async function createTestEndpoints(options: TestEndpointsOptions = {}): Promise<TestEndpoints> {
  const folder = await mkdtemp(join(tmpdir(), 'oauth3-endpoints-'))
  const ca = createTestCa()
  const opened: TestEndpoint[] = []
  const contexts = new Map<string, SecureContext>()
  const contextFor = (host: string): SecureContext => {
    const context =
      contexts.get(host) ?? createSecureContext({ ...ca.issue([host]), ecdhCurve: 'X25519:P-256:P-384' })
    contexts.set(host, context)
    return context
  }
  let count = 0
  return {
    folder,
    opened,
    left: async () => (existsSync(folder) ? await readdir(folder) : []),
    async open() {
      count += 1
      const endpoint = await openEndpoint(
        join(folder, String(count)),
        contextFor,
        ca,
        options.answer ?? passOn,
      )
      opened.push(endpoint)
      return endpoint
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((endpoint) => endpoint.close()))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** First byte of a TLS record that carries a handshake. */
const TLS_HANDSHAKE = 0x16

/** A run that may reach these; nothing is written anywhere. */
export function testSession(network: readonly string[]): EgressSession {
  return {
    requestId: 'req_test',
    policy: policyOf(network),
    ended: false,
    begin: () => true,
    spend: () => true,
    admit: () => ({ [Symbol.dispose]() {} }),
    asker: null,
    askThrough: () => ({ [Symbol.dispose]() {} }),
    cut: () => {},
    onCut: () => {},
    record: () => {},
    recordLookup: () => {},
    end: () => ({ requests: 0, refused: [], moreRefused: 0 }),
    written: async () => {},
  }
}

async function openEndpoint(
  directory: string,
  contextFor: (host: string) => SecureContext,
  ca: TestCa,
  answer: NonNullable<TestEndpointsOptions['answer']>,
): Promise<TestEndpoint> {
  await mkdir(directory, { mode: 0o755 })
  await writeFile(join(directory, GATEWAY_CA), ca.certificate, { mode: 0o444 })
  await writeFile(join(directory, GATEWAY_RESOLVER), 'nameserver 127.0.0.1\n', { mode: 0o444 })
  const state = { closed: false, session: undefined as EgressSession | undefined, connections: 0, tunnels: 0 }
  const seen: string[] = []
  const open = new Set<Socket>()
  const handle = (incoming: IncomingMessage, response: ServerResponse, url: URL): void => {
    seen.push(`${incoming.method} ${url.href}`)
    const scheme = url.protocol === 'https:' ? 'https' : 'http'
    const port = Number(url.port) || (scheme === 'https' ? 443 : 80)
    const target: EgressTarget = { scheme, host: url.hostname, port }
    const rule =
      state.session === undefined
        ? 'no_run'
        : reaches(state.session.policy.network, target)
          ? null
          : 'host_not_approved'
    if (rule === null) answer(incoming, response, target)
    else {
      incoming.resume()
      response.writeHead(403, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { code: 'egress_refused', rule, message: `refused: ${rule}` } }))
    }
  }
  const server: Server = createServer((incoming, response) => {
    const { encrypted } = incoming.socket as TLSSocket & { encrypted?: boolean }
    const base = encrypted === true ? `https://${incoming.headers.host}` : undefined
    if (URL.canParse(incoming.url ?? '', base)) handle(incoming, response, new URL(incoming.url ?? '', base))
    else response.writeHead(400).end()
  })
  server.on('connection', (socket) => {
    if (socket instanceof TLSSocket) return
    state.connections += 1
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
  })
  server.on('connect', (incoming, socket, head) => {
    if (incoming.url !== '127.0.0.1:53') state.tunnels += 1
    // No resolver: runtimes that look names up by themselves go on without.
    if (incoming.url === '127.0.0.1:53') return void socket.destroy()
    const [host = ''] = (incoming.url ?? '').split(':')
    socket.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    if (head.length > 0) socket.unshift(head)
    socket.once('readable', () => {
      const first: Buffer | null = socket.read()
      if (first === null) return void socket.destroy()
      socket.unshift(first)
      // Plain HTTP, whose requests name no host: it goes nowhere.
      if (first[0] !== TLS_HANDSHAKE) return void socket.destroy()
      const secured = new TLSSocket(socket, { isServer: true, secureContext: contextFor(host) })
      secured.on('error', () => socket.destroy())
      server.emit('connection', secured)
    })
  })
  server.on('upgrade', (incoming, socket) => {
    const { encrypted } = incoming.socket as TLSSocket & { encrypted?: boolean }
    const url = new URL(
      incoming.url ?? '',
      encrypted === true ? `https://${incoming.headers.host}` : undefined,
    )
    seen.push(`UPGRADE ${url.href}`)
    const accept = createHash('sha1')
      .update(`${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    )
    // One unmasked text frame.
    socket.write(Buffer.from([0x81, 7, ...Buffer.from('reached')]))
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  const path = join(directory, GATEWAY_SOCKET)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  await chmod(path, 0o666)
  return {
    directory,
    seen,
    get closed() {
      return state.closed
    },
    get session() {
      return state.session
    },
    get connections() {
      return state.connections
    },
    get tunnels() {
      return state.tunnels
    },
    bindSession(session) {
      if (state.session !== undefined) throw new Error('a run was let in already')
      state.session = session
    },
    async close() {
      state.closed = true
      server.close()
      for (const socket of open) socket.destroy()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function passOn(incoming: IncomingMessage, response: ServerResponse, target: EgressTarget): void {
  if (target.scheme === 'https') {
    incoming.resume()
    response.end('reached')
    return
  }
  const { pathname, search } = new URL(incoming.url ?? '')
  const onward = request(
    { ...target, method: incoming.method ?? 'GET', path: pathname + search, headers: incoming.headers },
    (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers)
      answered.pipe(response)
    },
  )
  onward.on('error', () => response.writeHead(502).end())
  response.on('close', () => onward.destroy())
  incoming.pipe(onward)
}
