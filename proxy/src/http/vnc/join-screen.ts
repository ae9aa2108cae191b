/** A viewer's WebSocket and a machine's VNC server: bytes both ways, as fast as the slower of two takes them. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { DesktopConnection } from '../../hosting/agents/index.ts'
import { CLOSE, closeSoon, createSender } from '../account-sockets/index.ts'
import { createRfbClientFilter, RfbRefused } from './rfb-client.ts'

interface Joining {
  readonly socket: WebSocket
  readonly desktop: DesktopConnection
  /** Nothing of keys, pointer and clipboard is passed on. */
  readonly viewOnly: boolean
  /** Aborts when it is over. */
  readonly signal: AbortSignal
}

const USED_EVERY_MS = 1_000
/** RFC 6455, 7.4.1. */
const WRONG_DATA = 1003
const POLICY = 1008

/** The stream is paused behind its head; from here on either end ends the other. */
export function joinScreen({ socket, desktop, viewOnly, signal }: Joining): void {
  const { stream } = desktop
  if (signal.aborted) return void stream.destroy()
  signal.addEventListener('abort', () => stream.destroy(), { once: true })
  // Its other half may stay open: there is nothing to be said to what shows nothing any more.
  stream.on('error', () => {}).once('end', () => stream.destroy())
  stream.once('close', () => {
    if (socket.readyState === socket.OPEN)
      closeSoon(socket, CLOSE.unavailable, 'The desktop is asleep, or its screen ended.')
  })
  toViewer(stream, socket)
  fromViewer(socket, desktop, viewOnly)
  socket.resume()
}

function toViewer(stream: Duplex, socket: WebSocket): void {
  const send = createSender(stream, socket)
  stream.on('data', (chunk: Buffer) => send(chunk, true))
  stream.resume()
}

function fromViewer(
  socket: WebSocket,
  { stream, used, isAwake }: DesktopConnection,
  viewOnly: boolean,
): void {
  let usedAt = Number.NEGATIVE_INFINITY
  let wasAwake = true
  const filter = createRfbClientFilter({
    // Of a paused machine too: what was typed into it would be done when it goes on.
    mayAct: () => !viewOnly && isAwake(),
    onAct() {
      const now = performance.now()
      // Paused since it was told last, it is to be woken by the very first.
      const isPaused = wasAwake && !isAwake()
      if (viewOnly || (now - usedAt < USED_EVERY_MS && !isPaused)) return
      ;[usedAt, wasAwake] = [now, isAwake()]
      used()
    },
  })
  const refuse = (code: number, reason: string): void => {
    stream.destroy()
    closeSoon(socket, code, reason)
  }
  socket.on('message', (data, isBinary) => {
    if (!isBinary) return refuse(WRONG_DATA, 'VNC is binary.')
    try {
      const passed = filter.push(data as Buffer)
      if (passed.length === 0 || stream.write(passed)) return
    } catch (error) {
      if (error instanceof RfbRefused) return refuse(POLICY, error.message)
      throw error
    }
    socket.pause()
    stream.once('drain', () => socket.resume())
  })
}
