/** Messages between two WebSockets, as fast as the slower of two takes them. */
import type { WebSocket } from 'ws'
import { CLOSE, closeSoon, createSender } from '../account-sockets/index.ts'

/** What becomes of a message of the client: it is sent on, or ends both. */
type Passed = { readonly send: Buffer } | { readonly close: number; readonly reason: string }

/** Both are open, and paused until here; a close goes over with its code (RFC 6455, 7.4). */
export function relay({
  client,
  gateway,
  fromClient,
  fromGateway,
}: {
  readonly client: WebSocket
  readonly gateway: WebSocket
  readonly fromClient: (data: Buffer, isBinary: boolean) => Passed
  readonly fromGateway: (data: Buffer, isBinary: boolean) => Buffer
}): void {
  const toGateway = createSender(client, gateway)
  const toClient = createSender(gateway, client)
  client.on('message', (data, isBinary) => {
    const passed = fromClient(data as Buffer, isBinary)
    if ('send' in passed) return toGateway(passed.send, isBinary)
    shut(client, passed.close, passed.reason)
    gateway.terminate()
  })
  gateway.on('message', (data, isBinary) => toClient(fromGateway(data as Buffer, isBinary), isBinary))
  client.once('close', (code, reason) => shut(gateway, code, reason))
  gateway.once('close', (code, reason) => {
    if (code === 1006) shut(client, CLOSE.unavailable, "The agent's gateway is gone.")
    else shut(client, code, reason)
  })
  if (client.readyState !== client.OPEN) gateway.terminate()
  gateway.resume()
}

/** Closes it with the other side's word, where that may be said (1005, 1006 and 1015 are none). */
function shut(socket: WebSocket, code: number, reason: string | Buffer): void {
  if (socket.readyState === socket.CLOSED) return
  if (code === 1006 || code === 1015) socket.terminate()
  else closeSoon(socket, code === 1005 ? undefined : code, reason)
}

/** Token bucket. */
export function createBucket(rate: { readonly perSecond: number; readonly burst: number }) {
  let left = rate.burst
  let at = performance.now()
  return {
    /** False where there is none left. */
    take(): boolean {
      const now = performance.now()
      left = Math.min(rate.burst, left + ((now - at) / 1_000) * rate.perSecond)
      at = now
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
