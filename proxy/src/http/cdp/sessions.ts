/** Sessions of browsers as the daemon knows them: whose each is, and until when it waits for somebody to connect. */
import { type Clock, randomToken, type UnixMs } from '../../kernel/index.ts'

/** Whoever has sessions: those of one `key`, and no others. */
interface Owner {
  readonly key: string
}

interface Session<T> {
  readonly owner: T
  /** Connections to it. */
  sockets: number
  waitsUntil: UnixMs
}

export interface CdpSessions<T extends Owner> {
  /** A name for one that begins when somebody connects to it. */
  begin(owner: T): string
  /** Whose it is; undefined when it is over. */
  ownerOf(id: string): T | undefined
  /** The live ones of an owner. */
  of(owner: Owner): readonly string[]
  /** While it is in use; undefined when there are too many connections already. */
  use(id: string): Disposable | undefined
}

const WAITS_MS = 30_000
const MAX_WAITING = 32
const MAX_SOCKETS = 16

export function createCdpSessions<T extends Owner>(clock: Clock): CdpSessions<T> {
  const sessions = new Map<string, Session<T>>()
  const isOver = ({ sockets, waitsUntil }: Session<T>): boolean => sockets === 0 && clock.now() >= waitsUntil
  const ofOwner = ({ key }: Owner): [string, Session<T>][] => {
    for (const [id, session] of sessions) if (isOver(session)) sessions.delete(id)
    return [...sessions].filter(([, session]) => session.owner.key === key)
  }
  return {
    begin(owner) {
      const waiting = ofOwner(owner).filter(([, { sockets }]) => sockets === 0)
      // Of those that wait the oldest gives way: it was asked for, and nobody came.
      if (waiting.length >= MAX_WAITING) sessions.delete(waiting[0]?.[0] ?? '')
      const id = randomToken(128)
      sessions.set(id, { owner, sockets: 0, waitsUntil: clock.now() + WAITS_MS })
      return id
    },
    ownerOf(id) {
      const session = sessions.get(id)
      return session === undefined || isOver(session) ? undefined : session.owner
    },
    of: (owner) => ofOwner(owner).map(([id]) => id),
    use(id) {
      const session = sessions.get(id)
      if (session === undefined) return undefined
      const all = ofOwner(session.owner).reduce((sum, [, { sockets }]) => sum + sockets, 0)
      if (all >= MAX_SOCKETS) return undefined
      session.sockets += 1
      return {
        [Symbol.dispose]() {
          session.sockets -= 1
          if (session.sockets === 0) sessions.delete(id)
        },
      }
    },
  }
}
