/** A client's WebSocket to a session's Chromium: the handshake is read on both sides, and from there on bytes are passed on as they are. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type BrowserConnection, upgradeOver } from '../../hosting/agents/index.ts'
import { passedOn } from '../../kernel/index.ts'

const TO_BROWSER = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions'] as const
const TO_CLIENT = new Set(['sec-websocket-accept', 'sec-websocket-extensions'])
/** A connection whose other end vanished without a word ends its session too. */
const KEEP_ALIVE_MS = 30_000
const USED_EVERY_MS = 1_000

interface Joining {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly path: string
  readonly connection: BrowserConnection
}

/** Rejects when there is no such session; once it resolves, either end ends the other. Memory is bounded by the pipes’ own marks. */
export async function joinBrowser({ request, socket, head, path, connection }: Joining): Promise<void> {
  const { stream, used } = connection
  stream.once('close', () => socket.destroy())
  socket.once('close', () => stream.destroy())
  if (socket.destroyed) return void stream.destroy()
  const handed = TO_BROWSER.flatMap((name) => {
    const value = request.headers[name]
    return typeof value === 'string' ? [`${name}: ${value}`] : []
  })
  const lines = await upgradeOver(stream, {
    path,
    headers: ['Upgrade: websocket', ...handed],
    refused: 'The browser takes no session now.',
  })
  const kept = lines.filter((line) => TO_CLIENT.has(line.slice(0, line.indexOf(':')).toLowerCase()))
  socket.write(
    ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket', ...kept, '\r\n'].join(
      '\r\n',
    ),
  )
  if ('setKeepAlive' in socket) (socket as Socket).setKeepAlive(true, KEEP_ALIVE_MS)
  let usedAt = 0
  stream.on('data', ({ length }: Buffer) => passedOn(length))
  socket.on('data', ({ length }: Buffer) => {
    passedOn(length)
    const now = performance.now()
    if (now - usedAt < USED_EVERY_MS) return
    usedAt = now
    used()
  })
  if (head.length > 0) stream.write(head)
  socket.pipe(stream)
  stream.pipe(socket)
}
