import type { UnixMs } from '../../kernel/index.ts'
import { type KeyAnswer, type Refusal, refusalOf } from './refusal.ts'

/**
 * Which keys are left alone after a refusal of the vendor's, for what, and by whom. A refusal is about the model and the endpoint
 * that were asked for, unless the vendor says that it is the key (refusal.ts). What one agent draws is that agent's: its rush
 * (429), or a request that the vendor answers 401 for its path or its scope, must not take the key from the others. A
 * second agent that draws the same from the same part of the key, while the first is in cooldown and nobody was answered well since,
 * shows that it is the key: then it cools down for all. Agents may work together on that, so every other one may try the key once
 * meanwhile (a half-open circuit breaker): answered well, it ends the cooldown for all.
 */
export interface Cooldowns {
  /** Of a key for what an agent wants; null when it may be used. */
  until(keyId: number, use: string, agentId: string, now: UnixMs): UnixMs | null
  /** Whether this agent's one try of a key that is in cooldown for all is left; it is used up with that. */
  takeProbe(keyId: number, use: string, agentId: string, now: UnixMs): boolean
  /** For persons: when it may be used by all for everything, and what waits until then. */
  of(keyId: number, now: UnixMs): KeyCooldown | null
  answered(keyId: number, use: string, agentId: string, answer: KeyAnswer, now: UnixMs): void
  forget(keyId: number): void
}

export interface KeyCooldown {
  readonly until: UnixMs
  /** How many agents it waits for by themselves; 0: for all of them. */
  readonly agents: number
  /** How many models and endpoints it waits for; 0: for every one. */
  readonly parts: number
}

/** Each cooldown of unknown length that follows another one soon takes twice as long, up to this. */
const MAX_BACKOFF_MS = 15 * 60_000
/** So long after its end a cooldown still counts as the one before. */
const REMEMBERED_MS = 10 * 60_000
/**
 * For all: agents that work together take a key away for moments. Whoever tries it then and is refused as well is in a cooldown of
 * its own.
 */
const MAX_SHARED_MS = 10_000
/** Of all agents, in one cooldown: a key that is really refused is not tried by everybody. */
const MAX_PROBES = 16
/** Agents of one part, and parts of one key, beyond which what is over is looked for and forgotten. */
const SWEEP_AT = 64
/** Parts of a key that one agent may have drawn refusals of before all of the key is in cooldown for it: names of models are its own to invent. */
const MAX_PARTS = 32
/** The part that is all of the key; no use is called so. */
const WHOLE = ''

interface Own {
  until: UnixMs
  /** Cooldowns in a row. */
  strikes: number
}

interface Part {
  readonly agents: Map<string, Own>
  /** Who drew this status last, and until when that agent is in cooldown for it. */
  readonly suspicions: Map<number, { readonly agentId: string; readonly until: UnixMs }>
  sharedUntil: UnixMs
  /** Who has tried during the cooldown for all. */
  readonly probed: Set<string>
}

export function createCooldowns(maxMs: number): Cooldowns {
  const keys = new Map<number, Map<string, Part>>()

  /** A clock that was set back shall not keep a key in cooldown until it has caught up. */
  const isRunning = (until: UnixMs, now: UnixMs): boolean => until > now && until - now <= maxMs
  const running = (until: UnixMs, now: UnixMs): UnixMs => (isRunning(until, now) ? until : 0)
  const isRemembered = ({ until }: Own, now: UnixMs): boolean =>
    until - now <= maxMs && now - until < REMEMBERED_MS

  function partOf(keyId: number, use: string, agentId: string, now: UnixMs): Part {
    let parts = keys.get(keyId)
    if (parts === undefined) {
      parts = new Map()
      keys.set(keyId, parts)
    }
    const known = parts.get(use)
    if (known !== undefined) return known
    if (parts.size >= SWEEP_AT) sweepParts(parts, now)
    const drawn = [...parts.values()].filter(({ agents }) => {
      const own = agents.get(agentId)
      return own !== undefined && isRemembered(own, now)
    })
    const name = use !== WHOLE && drawn.length >= MAX_PARTS ? WHOLE : use
    const made: Part = parts.get(name) ?? {
      agents: new Map(),
      suspicions: new Map(),
      sharedUntil: 0,
      probed: new Set(),
    }
    parts.set(name, made)
    return made
  }

  function refusedTo(part: Part, agentId: string, status: number, refusal: Refusal, now: UnixMs): void {
    const { agents, suspicions } = part
    const before = suspicions.get(status)
    const own = ownUntil(agents.get(agentId), refusal, now)
    if (agents.size >= SWEEP_AT) sweepAgents(agents, now)
    agents.set(agentId, own)
    // One that draws the same again and again says nothing new of the key.
    if (own.strikes > 1) return
    if (before !== undefined && before.agentId !== agentId && isRunning(before.until, now)) {
      if (!isRunning(part.sharedUntil, now)) part.probed.clear()
      // A late answer to an earlier request does not shorten what a newer one said.
      part.sharedUntil = Math.max(now + Math.min(refusal.ms, MAX_SHARED_MS), running(part.sharedUntil, now))
      // The next cooldown for all takes two others again: a single one does not prolong this one.
      suspicions.delete(status)
      return
    }
    suspicions.set(status, { agentId, until: own.until })
  }

  function ownUntil(before: Own | undefined, { ms, isStated }: Refusal, now: UnixMs): Own {
    if (before === undefined) return { until: now + ms, strikes: 1 }
    // What was under way when it began draws nothing new.
    if (isRunning(before.until, now)) {
      return { until: Math.max(before.until, now + ms), strikes: before.strikes }
    }
    const strikes = isRemembered(before, now) ? before.strikes + 1 : 1
    if (isStated) return { until: now + ms, strikes }
    const grown = Math.min(ms * 2 ** Math.min(strikes - 1, 20), MAX_BACKOFF_MS, maxMs)
    return { until: now + Math.max(ms, grown), strikes }
  }

  const untilOf = (part: Part | undefined, agentId: string, now: UnixMs): UnixMs =>
    part === undefined
      ? 0
      : Math.max(running(part.sharedUntil, now), running(part.agents.get(agentId)?.until ?? 0, now))

  function sweepAgents(agents: Map<string, Own>, now: UnixMs): void {
    for (const [agentId, own] of agents) if (!isRemembered(own, now)) agents.delete(agentId)
  }

  function sweepParts(parts: Map<string, Part>, now: UnixMs): void {
    for (const [use, part] of parts) {
      sweepAgents(part.agents, now)
      if (part.agents.size === 0 && !isRunning(part.sharedUntil, now)) parts.delete(use)
    }
  }

  return {
    until(keyId, use, agentId, now) {
      const parts = keys.get(keyId)
      if (parts === undefined) return null
      const until = Math.max(untilOf(parts.get(WHOLE), agentId, now), untilOf(parts.get(use), agentId, now))
      return until === 0 ? null : until
    },

    takeProbe(keyId, use, agentId, now) {
      const parts = [WHOLE, use].flatMap((name) => keys.get(keyId)?.get(name) ?? [])
      const isOwn = parts.some(({ agents }) => running(agents.get(agentId)?.until ?? 0, now) > 0)
      const shared = parts.filter(({ sharedUntil }) => isRunning(sharedUntil, now))
      if (isOwn || shared.some(({ probed }) => probed.has(agentId) || probed.size >= MAX_PROBES)) return false
      for (const { probed } of shared) probed.add(agentId)
      return true
    },

    of(keyId, now) {
      const parts = keys.get(keyId)
      if (parts === undefined) return null
      const waiting = [...parts].flatMap(([use, part]) => {
        const shared = running(part.sharedUntil, now)
        if (shared > 0) return [{ use, until: shared, agentId: '' }]
        return [...part.agents].flatMap(([agentId, { until }]) =>
          isRunning(until, now) ? [{ use, until, agentId }] : [],
        )
      })
      if (waiting.length === 0) return null
      const ofWhole = waiting.filter(({ use }) => use === WHOLE)
      const told = ofWhole.length > 0 ? ofWhole : waiting
      return {
        until: Math.max(...told.map(({ until }) => until)),
        agents: told.some(({ agentId }) => agentId === '')
          ? 0
          : new Set(told.map(({ agentId }) => agentId)).size,
        parts: ofWhole.length > 0 ? 0 : new Set(told.map(({ use }) => use)).size,
      }
    },

    answered(keyId, use, agentId, answer, now) {
      const refusal = refusalOf(answer, now, maxMs)
      if (refusal !== null) {
        const part = partOf(keyId, refusal.isOfKey ? WHOLE : use, agentId, now)
        return refusedTo(part, agentId, answer.status, refusal, now)
      }
      if (answer.status >= 300 || keys.size === 0) return
      const parts = keys.get(keyId)
      if (parts === undefined) return
      // Whom the vendor answered shows that it is not the key. Not by the agent itself: its earlier requests still end.
      for (const name of [WHOLE, use]) {
        const part = parts.get(name)
        if (part === undefined) continue
        const { suspicions, agents } = part
        for (const [refused, by] of suspicions) if (by.agentId !== agentId) suspicions.delete(refused)
        if (!isRunning(agents.get(agentId)?.until ?? 0, now)) part.sharedUntil = 0
      }
    },

    forget(keyId) {
      keys.delete(keyId)
    },
  }
}
