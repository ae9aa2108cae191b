import {
  CLOCK_SLACK_MS,
  type Clock,
  createMirror,
  type ReadTx,
  type Storage,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'

/**
 * Clock watermark: the latest time that was seen, on disk, so that a clock set back stretches nothing that was granted. One for every
 * kind of grant.
 */
export interface ClockGuard {
  /** Once, before anything is asked. */
  load(tx: ReadTx): Promise<void>
  /**
   * Whether what was granted at `from` stands. Fails closed: while the clock is behind what was seen, nobody knows how
   * much of its time is left. Without an end it always stands.
   */
  stands(from: UnixMs, expiresAt: UnixMs | null, now: UnixMs): boolean
  /** In the unit that ends on disk what has run out by then: no later clock brings it back. */
  seen(tx: Tx, now: UnixMs): Promise<void>
  /**
   * Clock rollback: a person decides now, so this time is right, and the watermark goes down to it; in the unit that
   * decides. What had run out by the latest time seen is ended first, of every kind.
   */
  lowerWatermark(tx: Tx, now: UnixMs): Promise<void>
  /** Something whose grants run out: `end` ends on disk what has run out by then, before the mark becomes another. */
  ends(end: (tx: Tx, by: UnixMs) => Promise<void>): void
  /** Remembers how late it is, now and then. Call after what has run out is ended. */
  tick(): Promise<void>
}

interface ClockReader {
  highWater(): Promise<UnixMs>
}

export interface ClockStore extends ClockReader {
  setHighWater(to: UnixMs): Promise<void>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly clock: StorePort<ClockReader, ClockStore>
  }
}

const HIGH_WATER_EVERY_MS = 30_000

/** Whether a grant's own times let it stand: all there is to ask in a unit that has lowered the watermark. */
export const hasTimeLeft = (from: UnixMs, expiresAt: UnixMs | null, now: UnixMs): boolean =>
  expiresAt === null || (now >= from && now < expiresAt)

export function createClockGuard(deps: { readonly storage: Storage; readonly clock: Clock }): ClockGuard {
  const { storage, clock } = deps
  const enders: ((tx: Tx, by: UnixMs) => Promise<void>)[] = []
  /** In memory, since every request of a provider asks. */
  const highWater = createMirror((tx) => tx.clock.highWater())

  const write = async (tx: Tx, to: UnixMs): Promise<void> => {
    await tx.clock.setHighWater(to)
    await highWater.refresh(tx)
  }

  return {
    load: highWater.load,
    stands: (from, expiresAt, now) =>
      hasTimeLeft(from, expiresAt, now) && (expiresAt === null || now >= highWater.value - CLOCK_SLACK_MS),
    async seen(tx, now) {
      if (now > (await tx.clock.highWater())) await write(tx, now)
    },
    async lowerWatermark(tx, now) {
      const latest = await tx.clock.highWater()
      if (now >= latest) return
      for (const end of enders) await end(tx, latest)
      await write(tx, now)
    },
    ends: (end) => void enders.push(end),
    async tick() {
      const now = clock.now()
      if (now - highWater.value < HIGH_WATER_EVERY_MS) return
      await storage.transaction(async (tx) => {
        for (const end of enders) await end(tx, now)
        if (now > (await tx.clock.highWater())) await write(tx, now)
      })
    },
  }
}
