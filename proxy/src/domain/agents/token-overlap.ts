import { type AgentId, CLOCK_SLACK_MS, type Clock, type UnixMs } from '../../kernel/index.ts'

/** The token before the present one, good beside it for a time that the owner chose. */
export interface PreviousToken {
  readonly sha256: string
  readonly since: UnixMs
  readonly until: UnixMs
}

/** Fails closed: on a clock that was set back nobody knows how much of the time is left. */
export const isPreviousGood = ({ since, until }: PreviousToken, now: UnixMs): boolean =>
  now >= since - CLOCK_SLACK_MS && now < until

export interface TokenOverlaps {
  /** Ends those whose time is over, before anybody is evaluated; costs a comparison when there is none. Never throws. */
  endPast(): void
  /** Tries again what could not be written. Throws when it still cannot. */
  tick(): void
  /** An agent's previous token has changed. */
  touch(): void
}

export function createTokenOverlaps(deps: {
  readonly list: () => readonly { readonly id: AgentId; readonly previous: PreviousToken | null }[]
  readonly clock: Clock
  /** In one transaction: on disk it is over for good, whatever the clock says later. */
  readonly end: (ids: readonly AgentId[]) => void
}): TokenOverlaps {
  const { list, clock } = deps
  /** When the first of those that are good ends; undefined: not looked up. */
  let next: number | undefined
  let isUnwritten = false

  const nextAfter = (now: UnixMs): number =>
    Math.min(
      Number.POSITIVE_INFINITY,
      ...list().flatMap(({ previous }) => (previous && previous.until > now ? [previous.until] : [])),
    )
  const endUpTo = (now: UnixMs): void => {
    isUnwritten = true
    const past = list().flatMap(({ id, previous }) => (previous && previous.until <= now ? [id] : []))
    if (past.length > 0) deps.end(past)
    isUnwritten = false
  }

  return {
    endPast() {
      if (next === Number.POSITIVE_INFINITY) return
      const now = clock.now()
      if (next !== undefined && now < next) return
      next = nextAfter(now)
      try {
        endUpTo(now)
      } catch {
        // A full disk locks nobody out: the token is refused by its time, and `tick` writes it down.
      }
    },
    tick() {
      this.endPast()
      if (isUnwritten) endUpTo(clock.now())
    },
    touch() {
      next = undefined
    },
  }
}
