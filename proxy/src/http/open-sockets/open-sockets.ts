/** The WebSockets into machines that are open, whoever serves them: told of in the audit, counted, and cut once whoever opened them may not any more. */
import type { Storage } from '../../kernel/index.ts'
import { type RecordedSocket, recordSocket } from './socket-rows.ts'

export interface OpenSocket extends RecordedSocket {
  /** Whether whoever opened it may still have it. */
  still(): boolean
  /** Ends it, and at once what it holds. */
  cut(why: 'refused' | 'stopping'): void
  /** Asks whether the other side is there, where the protocol can. */
  ping?(): void
}

export interface OpenSockets extends Disposable {
  /** Of one tenant, for that. */
  count(of: Pick<Storage, 'tenant'>, purpose: string): number
  readonly size: number
  /** Watched from here on. Resolves with the row of its opening: before that nothing goes through. */
  add(socket: OpenSocket): Promise<void>
}

/** A revocation cuts within this: a session, a key, a token or a membership ends in ways that tell nobody. */
const LOOK_MS = 250
const PING_MS = 20_000

export function createOpenSockets(log: { error(details: object, message: string): void }): OpenSockets {
  const opened = new Set<OpenSocket>()
  let timers: NodeJS.Timeout[] = []
  const stop = (): void => {
    for (const timer of timers) clearInterval(timer)
    timers = []
  }
  const look = (): void => {
    for (const one of [...opened]) {
      if (one.still()) continue
      opened.delete(one)
      one.cut('refused')
    }
  }
  const ping = (): void => {
    for (const one of opened) one.ping?.()
  }
  return {
    count: ({ tenant }, purpose) =>
      [...opened].filter(({ of, purpose: its }) => of.storage.tenant === tenant && its === purpose).length,
    get size() {
      return opened.size
    },
    add(one) {
      opened.add(one)
      if (timers.length === 0)
        timers = [setInterval(look, LOOK_MS).unref(), setInterval(ping, PING_MS).unref()]
      void one.ended.then(() => {
        opened.delete(one)
        if (opened.size === 0) stop()
      })
      return recordSocket(one, log)
    },
    [Symbol.dispose]() {
      stop()
      for (const one of opened) one.cut('stopping')
      opened.clear()
    },
  }
}
