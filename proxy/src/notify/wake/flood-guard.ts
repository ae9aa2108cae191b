import type { UnixMs } from '../../kernel/index.ts'

/** OpenClaw defers wakes after the fifth in a minute; staying below keeps each of ours an immediate one. */
const WAKES_PER_WINDOW = 4
const WINDOW_MS = 60_000

/** Counts the wakes to each target over the last minute. */
export function createFloodGuard() {
  const taken = new Map<string, { readonly at: UnixMs }[]>()
  /** A time after `now` comes from a clock that was set back since; it must not close the target for long. */
  const recent = (target: string, now: UnixMs): { readonly at: UnixMs }[] => {
    const kept = (taken.get(target) ?? []).filter((wake) => wake.at > now - WINDOW_MS && wake.at <= now)
    taken.set(target, kept)
    return kept
  }
  return {
    /** When the next wake to the target may leave; `now` when it may at once. */
    opensAt(target: string, now: UnixMs): UnixMs {
      const blocking = recent(target, now).at(-WAKES_PER_WINDOW)
      return blocking ? blocking.at + WINDOW_MS : now
    },
    /** Counts one; the function it returns takes it back, for a wake that did not arrive. */
    take(target: string, now: UnixMs): () => void {
      const wake = { at: now }
      taken.set(target, [...recent(target, now), wake])
      return () => {
        taken.set(
          target,
          (taken.get(target) ?? []).filter((other) => other !== wake),
        )
      }
    },
  }
}
