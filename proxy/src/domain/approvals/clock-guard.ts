import { CLOCK_SLACK_MS, type Clock, type UnixMs } from '../../kernel/index.ts'
import type { Transactor } from '../audit/index.ts'

/**
 * The latest time that was seen, on disk, so that a clock set back stretches nothing that was granted. One for every
 * kind of grant.
 */
export interface ClockGuard {
  /**
   * Whether what was granted at `from` stands. Fails closed: while the clock is behind what was seen, nobody knows how
   * much of its time is left. Without an end it always stands.
   */
  stands(from: UnixMs, expiresAt: UnixMs | null, now: UnixMs): boolean
  /** Inside the transaction that ends on disk what has run out by then: no later clock brings it back. */
  seen(now: UnixMs): void
  /**
   * A person decides now, and so vouches for the clock; inside the deciding transaction. What had run out by the latest
   * time seen is ended first, of every kind.
   */
  vouch(now: UnixMs): void
  /** Something whose grants run out: `end` ends on disk what has run out by then, before the mark becomes another. */
  ends(end: (by: UnixMs) => void): void
  /** Remembers how late it is, now and then. Call after what has run out is ended. */
  tick(): void
}

export interface ClockRepository {
  highWater(): UnixMs
  setHighWater(to: UnixMs): void
}

const HIGH_WATER_EVERY_MS = 30_000

export function createClockGuard(deps: {
  readonly repository: ClockRepository
  readonly transactor: Pick<Transactor, 'transact'>
  readonly clock: Clock
}): ClockGuard {
  const { repository, transactor, clock } = deps
  const enders: ((by: UnixMs) => void)[] = []
  /** In memory, since every request of a provider asks. Not while it was written and may still be undone. */
  let remembered: UnixMs | undefined
  let isWritten = false

  const highWater = (): UnixMs => {
    if (isWritten) return repository.highWater()
    remembered ??= repository.highWater()
    return remembered
  }
  /** A transaction never waits for anything, so the next microtask runs when it is committed or undone. */
  const write = (to: UnixMs): void => {
    repository.setHighWater(to)
    if (isWritten) return
    isWritten = true
    queueMicrotask(() => {
      isWritten = false
      remembered = undefined
    })
  }

  return {
    stands: (from, expiresAt, now) =>
      expiresAt === null || (now >= from && now >= highWater() - CLOCK_SLACK_MS && now < expiresAt),
    seen(now) {
      if (now > highWater()) write(now)
    },
    vouch(now) {
      const latest = highWater()
      if (now >= latest) return
      for (const end of enders) end(latest)
      write(now)
    },
    ends: (end) => void enders.push(end),
    tick() {
      const now = clock.now()
      if (now - highWater() < HIGH_WATER_EVERY_MS) return
      transactor.transact(() => {
        for (const end of enders) end(now)
        write(now)
      })
    },
  }
}
