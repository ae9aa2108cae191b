/**
 * The sockets of one machine in the directory that it sees read-only: its control link, its model endpoint, the agent API and its
 * way outside; of a browser, the first and the last. At all of them the daemon listens, and whoever connects is that machine: no credential
 * of the daemon's is inside.
 */
import { chmod, rm } from 'node:fs/promises'
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { answerApiError } from '../../http/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { Configuration } from './control-lines.ts'
import { type ControlLink, createControlLink } from './control-link.ts'
import type { MachineEgress } from './machine-egress.ts'

/** What a machine's model calls are to the daemon. */
export interface ModelConnection {
  connection(socket: Socket): void
  /** Calls whose answers are still to come. */
  underWay(): number
  end(): void
}

export interface EndpointDeps {
  /** Where the driver mounts; the control link's socket. */
  readonly socketPath: string
  readonly configuration: Configuration
  /** Whether its files are all there. Before that it is up to load what is in its image, and hears nothing. */
  readonly mayBegin: () => boolean
  /**
   * Whether an agent lives in it. If not, neither a model nor the agent API is there: a browser's pages are anybody's, and whoever breaks
   * out of one into the machine is not to be the agent whose browser it is (confused deputy).
   */
  readonly isAgent: boolean
  /** Throws where it may use no model now. */
  readonly bindModel: () => ModelConnection
  /** Its token for the agent API, which it does not have itself. */
  readonly token: () => Promise<string>
  readonly agentApi: RequestListener
  /** WebSockets of the agent API. */
  readonly upgradeApi: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Throws `locked` during a lockdown. */
  readonly assertOpen: () => void
  /** Holds the machine awake until disposed of; undefined while it cannot be held. */
  readonly hold: () => Disposable | undefined
  /** Opens its way outside in its folder. */
  readonly openEgress: (folder: string) => Promise<MachineEgress>
  readonly log: (message: string, error?: unknown) => void
}

export interface MachineEndpoint {
  readonly link: ControlLink
  readonly egress: MachineEgress
  /** Ends what is under way: streams into it, its models, the agent API, and outside. */
  cut(): void
  close(): Promise<void>
}

const MAX_CONNECTIONS = 64
const HEADERS_TIMEOUT_MS = 10_000
/** How often a call that is under way is looked at, and how long after its last byte the machine stays held. */
const LOOK_MS = 1_000
/** What an answer to no credential says, in the place of one. */
export const SOCKET_IS_IDENTITY = 'the-socket-is-the-identity'

export async function openMachineEndpoint(deps: EndpointDeps): Promise<MachineEndpoint> {
  const folder = dirname(deps.socketPath)
  const link = createControlLink(deps.configuration, deps.mayBegin)
  const sockets = new Set<Socket>()
  let isClosed = false
  const track = (take: (socket: Socket) => void) => (socket: Socket) => {
    socket.on('error', () => {})
    if (isClosed || sockets.size >= MAX_CONNECTIONS * 2) return void socket.destroy()
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    take(socket)
  }

  const model = createServer(
    { allowHalfOpen: true },
    track((socket) => serveModel(socket, deps)),
  )
  const api = createHttpServer({ headersTimeout: HEADERS_TIMEOUT_MS }, (request, response) => {
    const admitted = deps.token().then((token) => {
      deps.assertOpen()
      return token
    })
    admitted.then(
      (token) => {
        request.headers.authorization = `Bearer ${token}`
        deps.agentApi(request, response)
      },
      (error: unknown) => {
        if (error instanceof AppError && error.code === 'locked') return answerApiError(response, error)
        deps.log('a machine has no token for the agent API', error)
        response.writeHead(503, { 'content-type': 'application/json' })
        response.end('{"error":{"code":"unauthenticated","message":"This machine has no agent any more."}}')
      },
    )
  })
  api.maxConnections = MAX_CONNECTIONS
  api.on('upgrade', deps.upgradeApi)
  const control = createServer({ allowHalfOpen: true }, (socket) => link.connection(socket))
  const servers: readonly (readonly [Server, string])[] = [
    ...(deps.isAgent
      ? ([
          [model, join(folder, 'model.sock')],
          [api, join(folder, 'agent.sock')],
        ] as const)
      : []),
    // The last: what it is configured for is there.
    [control, deps.socketPath],
  ]
  const egress = await deps.openEgress(folder)
  try {
    for (const [server, path] of servers) await listen(server, path)
  } catch (error) {
    await egress.close()
    throw error
  }

  const cut = (): void => {
    egress.cut()
    link.cutStreams()
    api.closeAllConnections()
    for (const socket of sockets) socket.destroy()
  }
  return {
    link,
    egress,
    cut,
    async close() {
      isClosed = true
      link.close()
      cut()
      await Promise.all([
        egress.close(),
        ...servers.map(([server]) => new Promise((resolve) => server.close(resolve))),
      ])
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // Left behind by a daemon that was killed. The machine sees the folder read-only: what is here is the daemon's.
  await rm(path, { force: true })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  server.on('error', () => {})
  // The machine's user is another one; only the daemon's may enter the folder above.
  await chmod(path, 0o666)
}

/** A binding for each connection: after a lockdown the next one is bound anew, or refused. */
function serveModel(socket: Socket, { bindModel, hold, log }: EndpointDeps): void {
  let binding: ModelConnection
  try {
    binding = bindModel()
  } catch (error) {
    log('a machine may use no model now', error)
    socket.destroy()
    return
  }
  let held: Disposable | undefined
  let seen = -1
  const look = (): void => {
    const bytes = socket.bytesRead + socket.bytesWritten
    if (binding.underWay() > 0 || bytes !== seen) held ??= hold()
    else {
      held?.[Symbol.dispose]()
      held = undefined
    }
    seen = bytes
  }
  const timer = setInterval(look, LOOK_MS).unref()
  socket.once('close', () => {
    clearInterval(timer)
    binding.end()
    held?.[Symbol.dispose]()
  })
  binding.connection(socket)
}
