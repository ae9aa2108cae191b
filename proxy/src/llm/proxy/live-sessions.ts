import type { Duplex } from 'node:stream'

/** Sessions that may last for hours: each is ended soon after what it depends on has ended. */
export interface LiveSessions extends Disposable {
  /** `isAuthorized` is asked every second, for as long as the socket is open. */
  watch(socket: Duplex, isAuthorized: () => boolean): void
  /** All that are open now, at once. */
  endAll(): void
}

const LOOK_MS = 1_000

/** Disposing ends them all: a server that closes knows nothing of sockets that were upgraded. */
export function createLiveSessions(log: (message: string, error: unknown) => void): LiveSessions {
  const open = new Map<Duplex, () => boolean>()
  const look = (isAuthorized: () => boolean): boolean => {
    try {
      return isAuthorized()
    } catch (error) {
      log('a session is ended, for its authorization cannot be checked', error)
      return false
    }
  }
  const clock = setInterval(() => {
    for (const [socket, isAuthorized] of open) if (!look(isAuthorized)) socket.destroy()
  }, LOOK_MS).unref()
  const endAll = (): void => {
    for (const socket of open.keys()) socket.destroy()
  }
  return {
    watch(socket, isAuthorized) {
      open.set(socket, isAuthorized)
      socket.once('close', () => open.delete(socket))
    },
    endAll,
    [Symbol.dispose]() {
      clearInterval(clock)
      endAll()
    },
  }
}
