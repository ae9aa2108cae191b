/** Sessions of browsers as the daemon knows them: whose each is, and until when it waits for somebody to connect. */
import type { AgentId, Clock, UnixMs } from '../../kernel/index.ts'
import { randomToken } from '../../kernel/index.ts'

interface Session {
  readonly agent: AgentId
  /** Connections to it. */
  sockets: number
  waitsUntil: UnixMs
}

export interface CdpSessions {
  /** A name for one that begins when somebody connects to it. */
  begin(agent: AgentId): string
  /** Whose it is; undefined when it is over. */
  ownerOf(id: string): AgentId | undefined
  /** The live ones of an agent. */
  of(agent: AgentId): readonly string[]
  /** While it is in use; undefined when there are too many connections already. */
  use(id: string): Disposable | undefined
}

const WAITS_MS = 30_000
const MAX_WAITING = 32
const MAX_SOCKETS = 16

export function createCdpSessions(clock: Clock): CdpSessions {
  const sessions = new Map<string, Session>()
  const isOver = ({ sockets, waitsUntil }: Session): boolean => sockets === 0 && clock.now() >= waitsUntil
  const ofAgent = (agent: AgentId): [string, Session][] => {
    for (const [id, session] of sessions) if (isOver(session)) sessions.delete(id)
    return [...sessions].filter(([, session]) => session.agent === agent)
  }
  return {
    begin(agent) {
      const waiting = ofAgent(agent).filter(([, { sockets }]) => sockets === 0)
      // Of those that wait the oldest gives way: it was asked for, and nobody came.
      if (waiting.length >= MAX_WAITING) sessions.delete(waiting[0]?.[0] ?? '')
      const id = randomToken(128)
      sessions.set(id, { agent, sockets: 0, waitsUntil: clock.now() + WAITS_MS })
      return id
    },
    ownerOf(id) {
      const session = sessions.get(id)
      return session === undefined || isOver(session) ? undefined : session.agent
    },
    of: (agent) => ofAgent(agent).map(([id]) => id),
    use(id) {
      const session = sessions.get(id)
      if (session === undefined) return undefined
      const all = ofAgent(session.agent).reduce((sum, [, { sockets }]) => sum + sockets, 0)
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
