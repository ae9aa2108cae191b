/** The WebSockets that are open: pinged, counted, and cut once whoever opened them may not any more. */
import type { WebSocket } from 'ws'
import type { TenantId } from '../../kernel/index.ts'
import { CLOSE } from './closes.ts'

interface Opened {
  readonly socket: WebSocket
  readonly tenant: TenantId
  readonly purpose: string
  /** Whether whoever opened it may still have it. */
  still(): boolean
  /** What it holds ends at once, before the other side has taken in the close. */
  end(): void
}

export interface OpenSockets extends Disposable {
  count(tenant: TenantId, purpose: string): number
  readonly size: number
  add(opened: Opened): void
}

/** A revocation cuts within this: a session, a key or a membership ends in ways that tell nobody. */
const LOOK_MS = 250
/** Two go unanswered, and it is taken for dead. */
const PING_MS = 20_000
/** For the other side to take in a close. */
const LINGER_MS = 500

export function createOpenSockets(): OpenSockets {
  const opened = new Set<Opened>()
  const silent = new WeakMap<WebSocket, number>()
  let timers: NodeJS.Timeout[] = []

  const cut = (one: Opened): void => {
    one.end()
    closeSoon(one.socket, CLOSE.notSignedIn, 'You are not signed in any more.')
    opened.delete(one)
  }
  const look = (): void => {
    for (const one of [...opened]) if (!one.still()) cut(one)
  }
  const ping = (): void => {
    for (const { socket } of opened) {
      // Of one that is paused nothing is read, pongs included.
      if (socket.isPaused) continue
      const missed = silent.get(socket) ?? 0
      if (missed >= 2) socket.terminate()
      else {
        silent.set(socket, missed + 1)
        if (socket.readyState === socket.OPEN) socket.ping()
      }
    }
  }
  const stop = (): void => {
    for (const timer of timers) clearInterval(timer)
    timers = []
  }

  return {
    count: (tenant, purpose) =>
      [...opened].filter((one) => one.tenant === tenant && one.purpose === purpose).length,
    get size() {
      return opened.size
    },
    add(one) {
      opened.add(one)
      if (timers.length === 0)
        timers = [setInterval(look, LOOK_MS).unref(), setInterval(ping, PING_MS).unref()]
      const { socket } = one
      const heard = (): void => void silent.set(socket, 0)
      socket.on('pong', heard).on('message', heard).on('ping', heard)
      socket.once('close', () => {
        opened.delete(one)
        // Whoever serves it hands over why first.
        setTimeout(() => one.end(), LINGER_MS).unref()
        if (opened.size === 0) stop()
      })
    },
    [Symbol.dispose]() {
      stop()
      for (const one of opened) {
        one.end()
        closeSoon(one.socket, 1001, 'The daemon is stopping.')
      }
      opened.clear()
    },
  }
}

/** Closes it by the handshake, and without the other side's answer a moment later. `code` undefined: without a word. */
export function closeSoon(socket: WebSocket, code: number | undefined, reason: string | Buffer): void {
  socket.removeAllListeners('message')
  socket.resume()
  socket.close(code, reason)
  const timer = setTimeout(() => socket.terminate(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}
