import type { UnixMs } from '../../kernel/index.ts'
import { MAX_REST_MS, restMs } from './rest.ts'

/**
 * Which keys are left alone after a refusal of the vendor's, and by whom. What one agent draws is that agent's: its rush
 * (429), or a request that the vendor answers 401 for its path or its scope, must not take the key from the others. A
 * second agent that draws the same from the key, while the first is in cooldown and nobody was answered well since, shows
 * that it is the key: then it cools down for all.
 */
export interface Cooldowns {
  /** Of a key for an agent; null when it may be used. */
  until(keyId: number, agentId: string, now: UnixMs): UnixMs | null
  /** For persons: when it may be used by all, and how many agents it waits for by themselves. */
  of(keyId: number, now: UnixMs): KeyCooldown | null
  answered(keyId: number, agentId: string, answer: Answer, now: UnixMs): void
  forget(keyId: number): void
}

export interface KeyCooldown {
  readonly until: UnixMs
  /** 0: for all of them. */
  readonly agents: number
}

interface Answer {
  readonly status: number
  /** The header as it came. */
  readonly retryAfter: string | null
}

/** Each cooldown that follows another one soon takes twice as long, up to this where the vendor asks for no more. */
const MAX_BACKOFF_MS = 15 * 60_000
/** So long after its end a cooldown still counts as the one before. */
const REMEMBERED_MS = 10 * 60_000
/** For all: two agents that work together, and are themselves kept away for longer each time, do not take a key away. */
const MAX_SHARED_MS = 60_000
/** Agents of one key beyond which what is over is looked for and forgotten. */
const SWEEP_AT = 64

interface Own {
  until: UnixMs
  /** Cooldowns in a row. */
  strikes: number
}

interface OfKey {
  readonly agents: Map<string, Own>
  /** Who drew this status last, and until when that agent is in cooldown for it. */
  readonly suspicions: Map<number, { readonly agentId: string; readonly until: UnixMs }>
  sharedUntil: UnixMs
}

export function createCooldowns(): Cooldowns {
  const keys = new Map<number, OfKey>()

  function refusedTo(keyId: number, agentId: string, status: number, ms: number, now: UnixMs): void {
    let key = keys.get(keyId)
    if (key === undefined) {
      key = { agents: new Map(), suspicions: new Map(), sharedUntil: 0 }
      keys.set(keyId, key)
    }
    const { agents, suspicions } = key
    const before = suspicions.get(status)
    if (before !== undefined && before.agentId !== agentId && isRunning(before.until, now)) {
      // A late answer to an earlier request does not shorten what a newer one said.
      key.sharedUntil = Math.max(
        now + Math.min(ms, MAX_SHARED_MS),
        isRunning(key.sharedUntil, now) ? key.sharedUntil : 0,
      )
    }
    const own = ownUntil(agents.get(agentId), ms, now)
    if (agents.size >= SWEEP_AT) sweep(agents, now)
    agents.set(agentId, own)
    suspicions.set(status, { agentId, until: own.until })
  }

  return {
    until(keyId, agentId, now) {
      const key = keys.get(keyId)
      if (key === undefined) return null
      const until = Math.max(running(key.sharedUntil, now), running(key.agents.get(agentId)?.until ?? 0, now))
      return until === 0 ? null : until
    },

    of(keyId, now) {
      const key = keys.get(keyId)
      if (key === undefined) return null
      const shared = running(key.sharedUntil, now)
      if (shared > 0) return { until: shared, agents: 0 }
      const own = [...key.agents.values()]
        .map(({ until }) => running(until, now))
        .filter((until) => until > 0)
      return own.length === 0 ? null : { until: Math.max(...own), agents: own.length }
    },

    answered(keyId, agentId, { status, retryAfter }, now) {
      const ms = restMs(status, retryAfter, now)
      if (ms > 0) return refusedTo(keyId, agentId, status, ms, now)
      if (status >= 300 || keys.size === 0) return
      const suspicions = keys.get(keyId)?.suspicions
      if (suspicions === undefined) return
      // Whom the vendor answered shows that it is not the key. Not by the agent itself: its earlier requests still end.
      for (const [refused, by] of suspicions) if (by.agentId !== agentId) suspicions.delete(refused)
    },

    forget(keyId) {
      keys.delete(keyId)
    },
  }
}

/** A clock that was set back shall not keep a key in cooldown until it has caught up. */
const isRunning = (until: UnixMs, now: UnixMs): boolean => until > now && until - now <= MAX_REST_MS
const running = (until: UnixMs, now: UnixMs): UnixMs => (isRunning(until, now) ? until : 0)

function ownUntil(before: Own | undefined, ms: number, now: UnixMs): Own {
  if (before === undefined) return { until: now + ms, strikes: 1 }
  // What was under way when it began draws nothing new.
  if (isRunning(before.until, now)) {
    return { until: Math.max(before.until, now + ms), strikes: before.strikes }
  }
  const strikes = isRemembered(before, now) ? before.strikes + 1 : 1
  const grown = Math.min(ms * 2 ** Math.min(strikes - 1, 20), MAX_BACKOFF_MS)
  return { until: now + Math.max(ms, grown), strikes }
}

const isRemembered = ({ until }: Own, now: UnixMs): boolean =>
  until - now <= MAX_REST_MS && now - until < REMEMBERED_MS

function sweep(agents: Map<string, Own>, now: UnixMs): void {
  for (const [agentId, own] of agents) if (!isRemembered(own, now)) agents.delete(agentId)
}
