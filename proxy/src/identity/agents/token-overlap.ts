import {
  type AgentId,
  CLOCK_SLACK_MS,
  type Clock,
  createWriteBehind,
  type UnixMs,
} from '../../kernel/index.ts'

/** The token before the present one, good beside it for a time that the owner chose. */
export interface PreviousToken {
  readonly sha256: string
  readonly since: UnixMs
  readonly until: UnixMs
}

/** Fails closed: on a clock that was set back nobody knows how much of the time is left. */
export const isPreviousGood = ({ since, until }: PreviousToken, now: UnixMs): boolean =>
  now >= since - CLOCK_SLACK_MS && now < until

interface Overlapping {
  readonly id: AgentId
  readonly previous: PreviousToken | null
}

export interface TokenOverlaps {
  /** Ends those whose time is over, before anybody is evaluated; costs a comparison when there is none. Never throws. */
  endPast(): void
  /** Whether this token was ended, written down or not yet: no later clock brings it back. */
  hasEnded(sha256: string): boolean
  /** Grows whenever one ends. */
  readonly revision: number
  /** Writes down what could not be written before. Rejects when it still cannot. */
  tick(): Promise<void>
}

export function createTokenOverlaps(deps: {
  /** All that is known now; its revision grows whenever it may have changed. */
  readonly rows: { readonly list: () => readonly Overlapping[]; readonly revision: () => number }
  readonly clock: Clock
  /** In one unit of work, of those that still have the token: on disk it is over for good, whatever the clock says later. */
  readonly end: (isOver: (previous: PreviousToken) => boolean) => Promise<void>
}): TokenOverlaps {
  const { rows, clock } = deps
  const ended = new Set<string>()
  /** When the first of those that are good ends. */
  let next = Number.POSITIVE_INFINITY
  let lookedAt = -1
  let revision = 0
  const hasEnded = (sha256: string): boolean => ended.has(sha256)
  // A full disk locks nobody out: the token is refused from memory, and `tick` writes it down.
  const writing = createWriteBehind(() => deps.end(({ sha256 }) => hasEnded(sha256)))

  const previousOnes = (): PreviousToken[] => rows.list().flatMap(({ previous }) => previous ?? [])
  const lookAgain = (): void => {
    lookedAt = rows.revision()
    const present = previousOnes()
    const known = new Set(present.map(({ sha256 }) => sha256))
    for (const sha256 of ended) if (!known.has(sha256)) ended.delete(sha256)
    next = Math.min(
      Number.POSITIVE_INFINITY,
      ...present.flatMap(({ sha256, until }) => (hasEnded(sha256) ? [] : [until])),
    )
  }

  const endPast = (): void => {
    if (lookedAt !== rows.revision()) lookAgain()
    if (next === Number.POSITIVE_INFINITY) return
    const now = clock.now()
    if (now < next) return
    for (const { sha256, until } of previousOnes()) if (until <= now) ended.add(sha256)
    lookAgain()
    revision += 1
    writing.begin()
  }

  return {
    endPast,
    hasEnded,
    get revision() {
      return revision
    },
    async tick() {
      endPast()
      await writing.settle()
    },
  }
}
