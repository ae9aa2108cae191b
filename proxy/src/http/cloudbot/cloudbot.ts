/** `WS /api/instances/{id}/cloudbot`: a client's WebSocket to the gateway of a hosted agent's OpenClaw, which takes its token from us. */
import { WebSocket } from 'ws'
import type { GatewayConnection } from '../../hosting/agents/index.ts'
import { hostedHere } from '../../hosting/agents/index.ts'
import { AppError } from '../../kernel/index.ts'
import { CLOSE, closeSoon, type SocketCall, type SocketRow, TOO_MUCH } from '../account-sockets/index.ts'
import { createHandshake, MAX_CONNECT_BYTES } from './handshake.ts'
import { createBucket, relay } from './relay.ts'

/** OpenClaw's own limit of a message; attachments come in one. */
const MAX_MESSAGE_BYTES = 26_214_400
const MAX_OPEN = 16
const WAKE_MS = 120_000
const HANDSHAKE_MS = 30_000
/** Of what clients say: far above what a page does at its start. */
const RATE = { perSecond: 100, burst: 1_000 }
const USED_EVERY_MS = 1_000
/** What a browser's page of the gateway's own would say of itself. */
const OWN_ADDRESS = '127.0.0.1:18789'

type GatewayOpener = (signal: AbortSignal) => Promise<GatewayConnection>

export const createCloudbotRow = (): SocketRow => ({
  action: 'hosted_agent.operate',
  ticketFor: () => 'cloudbot',
  maxMessageBytes: MAX_MESSAGE_BYTES,
  maxOpen: MAX_OPEN,
  serve: (socket, call: SocketCall) =>
    joinGateway(socket, (until) => hostedHere(call.of.hosting).openGateway(call.machine.id, until), call),
})

/** Wakes the machine and joins both; throws what refuses. `signal`: it is over, and nothing more goes either way. */
async function joinGateway(
  client: WebSocket,
  open: GatewayOpener,
  { signal, watchBytes }: Pick<SocketCall, 'signal' | 'watchBytes'>,
): Promise<void> {
  const connection = await open(AbortSignal.any([signal, AbortSignal.timeout(WAKE_MS)]))
  const gateway = await shakeHands(connection, signal)
  const { used, gatewayToken, stream } = connection
  watchBytes(gateway, stream, () => {
    closeSoon(client, CLOSE.tooMany, TOO_MUCH)
    gateway.terminate()
  })
  const bucket = createBucket(RATE)
  const handshake = createHandshake(gatewayToken)
  let usedAt = -USED_EVERY_MS
  relay({
    client,
    gateway,
    fromClient(data, isBinary) {
      if (!bucket.take()) return { close: CLOSE.tooMany, reason: 'Too many messages at once.' }
      const now = performance.now()
      if (now - usedAt >= USED_EVERY_MS) {
        usedAt = now
        used()
      }
      if (handshake.isDone) return { send: data }
      if (isBinary || data.length > MAX_CONNECT_BYTES) return { close: 1008, reason: 'Begin with `connect`.' }
      return { send: handshake.fromClient(data) }
    },
    fromGateway: (data) => handshake.fromGateway(data),
  })
  client.resume()
}

/** Resolves to the gateway's side, open and paused. */
function shakeHands({ stream }: GatewayConnection, signal: AbortSignal): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const gateway = new WebSocket(`ws://${OWN_ADDRESS}/`, {
      ...{ perMessageDeflate: false, maxPayload: MAX_MESSAGE_BYTES, handshakeTimeout: HANDSHAKE_MS },
      // It asks of a browser that its page is the gateway's own; whose page it is was asked before.
      origin: `http://${OWN_ADDRESS}`,
      createConnection: () => stream as never,
      // It was paused behind the line that it began with; its reader is there now.
      finishRequest: (request) => void request.once('socket', (socket) => socket.resume()).end(),
    })
    const end = (): void => gateway.terminate()
    signal.addEventListener('abort', end, { once: true })
    gateway.once('close', () => signal.removeEventListener('abort', end))
    gateway.on('error', () => reject(unavailable()))
    gateway.once('open', () => {
      gateway.pause()
      resolve(gateway)
    })
    stream.once('close', end)
    if (signal.aborted) end()
  })
}

const unavailable = (): AppError =>
  new AppError('sandbox_unavailable', "The agent's gateway takes no WebSocket now.", { retryAfterSeconds: 5 })
