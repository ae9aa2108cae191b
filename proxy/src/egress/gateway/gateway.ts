import { randomBytes } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { AppError } from '../../kernel/index.ts'
import {
  type CertificateIssuer,
  type EgressDial,
  type EgressEndpoint,
  type EgressEndpoints,
  type EgressSession,
  GATEWAY_CA,
  GATEWAY_RESOLVER,
  GATEWAY_SOCKET,
  type LargeInspections,
  type LastingEndpoint,
} from '../index.ts'
import { Endpoint } from './egress-endpoint.ts'
import { createListener } from './listener.ts'
import { createUpstreams } from './upstreams.ts'

/**
 * The only way out of a sandbox. Each sandbox has an endpoint, a unix socket of its own; what comes through it is one run's.
 * Nothing behind an endpoint is trusted: a request goes out when, and as, the run's policy says, and whatever comes back is
 * searched for the run's secrets first.
 */
export interface GatewayDeps {
  readonly dial: EgressDial
  readonly issuer: CertificateIssuer
  readonly inspections: LargeInspections
  /** Holds the endpoints' own directories and nothing else. Made when it is not there. */
  readonly directory: string
  /** Whether hosts that speak HTTP/2 only are reached; with all others HTTP/1.1 is spoken either way. */
  readonly http2ToHosts: boolean
  readonly log: (message: string, error?: unknown) => void
}

/** One server, no search list: a name is asked for as it was written. */
const RESOLVER_SETTINGS = 'nameserver 127.0.0.1\nsearch .\n'
const ENDPOINT_NAME = /^[0-9a-f]{16}$/
/** Whether a folder of this name, in that of the endpoints, is one of them. */
export const isEndpointName = (name: string): boolean => ENDPOINT_NAME.test(name)
/** `sun_path` of a unix socket has 108 bytes on Linux, one of them for the end. */
const MAX_SOCKET_PATH_BYTES = 107

export interface Gateway extends EgressEndpoints, AsyncDisposable {
  /** Of a sandbox that may outlive the daemon; so does the authority of `issuer`. */
  openLasting(
    directory: string,
    sessions: () => EgressSession | null,
    issuer: CertificateIssuer,
  ): Promise<LastingEndpoint>
}

export function createGateway(deps: GatewayDeps): Gateway {
  const directory = resolve(deps.directory)
  prepareDirectory(directory)
  const upstreams = createUpstreams(deps.dial, deps.http2ToHosts)
  const listener = createListener({ ...deps, upstreams })
  const open = new Set<EgressEndpoint | LastingEndpoint>()

  /** Serves it in the directory, which the sandbox sees read-only. */
  async function serve(endpoint: Endpoint, own: string): Promise<() => Promise<void>> {
    // Half-open, as http wants it: a client that has said everything may still wait for its answer.
    const server = createServer({ allowHalfOpen: true }, (socket) => listener.accept(socket, endpoint))
    server.on('error', (error) => deps.log('an egress endpoint failed', error))
    for (const [name, content] of [
      [GATEWAY_CA, endpoint.issuer.caPem],
      [GATEWAY_RESOLVER, RESOLVER_SETTINGS],
    ] as const) {
      writeFileSync(join(own, name), content)
      chmodSync(join(own, name), 0o644)
    }
    const socketPath = join(own, GATEWAY_SOCKET)
    // Of a daemon that was killed.
    rmSync(socketPath, { force: true })
    await new Promise<void>((done, fail) => {
      server.once('error', fail)
      server.listen(socketPath, () => {
        server.off('error', fail)
        done()
      })
    })
    chmodSync(socketPath, 0o666)
    return async () => {
      const closed = new Promise<void>((done) => server.close(() => done()))
      endpoint.close()
      await closed
    }
  }

  return {
    async open() {
      const own = join(directory, randomBytes(8).toString('hex'))
      const endpoint = new Endpoint(deps.issuer)
      mkdirSync(own)
      // Not left to the umask: the sandbox's user is another one.
      chmodSync(own, 0o755)
      const end = await serve(endpoint, own)
      const handle: EgressEndpoint = {
        directory: own,
        bindSession: (session) => endpoint.bindSession(session),
        async close() {
          if (!open.delete(handle)) return
          await end()
          // In one call: it is three files, and the run's result is being stored meanwhile.
          rmSync(own, { recursive: true, force: true })
        },
      }
      open.add(handle)
      return handle
    },
    async openLasting(own, sessions, issuer) {
      const endpoint = new Endpoint(issuer)
      endpoint.bindSessions(sessions)
      const end = await serve(endpoint, own)
      const handle: LastingEndpoint = {
        cut: () => endpoint.cut(),
        async close() {
          if (!open.delete(handle)) return
          await end()
          for (const name of [GATEWAY_SOCKET, GATEWAY_CA, GATEWAY_RESOLVER])
            await rm(join(own, name), { force: true })
        },
      }
      open.add(handle)
      return handle
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...open].map((endpoint) => endpoint.close()))
      listener.close()
      await upstreams[Symbol.asyncDispose]()
    },
  }
}

/** Only the daemon's user may enter it; endpoints that an earlier life left behind are removed. */
function prepareDirectory(directory: string): void {
  const longest = join(directory, '0'.repeat(16), GATEWAY_SOCKET)
  if (Buffer.byteLength(longest) > MAX_SOCKET_PATH_BYTES) {
    throw new AppError(
      'invalid_request',
      `OAUTH3_SOCKET_DIR is too long: the path of a socket in it has ${Buffer.byteLength(longest)} bytes, and ${MAX_SOCKET_PATH_BYTES} are possible (${directory}).`,
    )
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  if (!lstatSync(directory).isDirectory()) {
    throw new AppError('invalid_request', `OAUTH3_SOCKET_DIR is not a directory (${directory}).`)
  }
  chmodSync(directory, 0o700)
  for (const name of readdirSync(directory)) {
    if (isEndpointName(name)) rmSync(join(directory, name), { recursive: true, force: true })
  }
}
