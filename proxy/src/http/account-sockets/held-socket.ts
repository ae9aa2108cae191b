/** One WebSocket that this side holds: whether the other is there, how it ended, and its close. */
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** Two go unanswered, and it is taken for dead. */
const MAX_UNANSWERED = 2
/** Of a connection that ended without a close frame (RFC 6455, 7.4.1). */
const ABNORMAL = 1006
/** For the other side to take in a close. */
const LINGER_MS = 500

interface End {
  readonly code: number
  readonly messages_in: number
}

export interface HeldSocket {
  readonly ended: Promise<End>
  ping(): void
}

export function holdSocket(socket: WebSocket): HeldSocket {
  let [messages, unanswered] = [0, 0]
  const heard = (): void => {
    unanswered = 0
  }
  socket.on('pong', heard).on('ping', heard)
  socket.on('message', () => {
    messages += 1
    heard()
  })
  return {
    ended: new Promise((resolve) => {
      if (socket.readyState === socket.CLOSED) resolve({ code: ABNORMAL, messages_in: 0 })
      else socket.once('close', (code: number) => resolve({ code, messages_in: messages }))
    }),
    ping() {
      // Of one that is paused nothing is read, pongs included.
      if (socket.isPaused) return
      if (unanswered >= MAX_UNANSWERED) return socket.terminate()
      unanswered += 1
      if (socket.readyState === socket.OPEN) socket.ping()
    },
  }
}

/** Aborts what it holds when it is cut, at once; a moment after it closed by itself: whoever serves it hands over why first. */
export function abortAfterClose(socket: WebSocket, over: AbortController): void {
  socket.once('close', () => setTimeout(() => over.abort(), LINGER_MS).unref())
}

/** Closes it by the handshake, and without the other side's answer a moment later. `code` undefined: without a word. */
export function closeSoon(socket: WebSocket, code: number | undefined, reason: string | Buffer): void {
  socket.removeAllListeners('message')
  socket.resume()
  socket.close(code, reason)
  const timer = setTimeout(() => socket.terminate(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(timer))
}

/** As `closeSoon`, of one that is not to be read any further: what comes meanwhile is dropped. */
export function closeUnread(socket: WebSocket, raw: Duplex, code: number, reason: string): void {
  raw.removeAllListeners('data')
  closeSoon(socket, code, reason)
  raw.resume()
}
