import { createHmac, randomBytes } from 'node:crypto'
import { createScrubber, prepareScrubber, type Scrubber } from './scrubber.ts'

/** Scrubbers by what they look for, so that the runs of one set of secrets share what was worked out for the first. */
export interface ScrubberCache {
  of(secrets: ReadonlyMap<string, string>): Scrubber
  /** Prepares the one of secrets of any length, as the turns of the event loop allow; `of` has it from then on. */
  prepare(secrets: ReadonlyMap<string, string>): Promise<Scrubber>
  readonly size: number
}

const MAX_KEPT = 32
/** What was not asked for that long is given up: it holds the values. A value that was changed is not asked for again. */
const IDLE_MS = 60_000

/** `idleMs`: how long one is kept that nobody asks for. */
export function createScrubberCache(idleMs = IDLE_MS): ScrubberCache {
  /** No key says anything about a value to whoever sees it. */
  const ownKey = randomBytes(32)
  /** In the order in which they were asked for. */
  const kept = new Map<string, { readonly scrubber: Scrubber; readonly timer: NodeJS.Timeout }>()

  const underWay = new Map<string, Promise<Scrubber>>()

  const keyOf = (secrets: ReadonlyMap<string, string>): string =>
    createHmac('sha256', ownKey)
      .update(JSON.stringify([...secrets]))
      .digest('base64')

  const drop = (key: string): void => {
    clearTimeout(kept.get(key)?.timer)
    kept.delete(key)
  }

  const keep = (key: string, scrubber: Scrubber): Scrubber => {
    drop(key)
    const [oldest] = kept.keys()
    if (oldest !== undefined && kept.size >= MAX_KEPT) drop(oldest)
    kept.set(key, { scrubber, timer: setTimeout(() => drop(key), idleMs).unref() })
    return scrubber
  }

  return {
    of(secrets) {
      const key = keyOf(secrets)
      return keep(key, kept.get(key)?.scrubber ?? createScrubber(secrets))
    },
    async prepare(secrets) {
      const key = keyOf(secrets)
      const known = kept.get(key)?.scrubber
      if (known !== undefined) return keep(key, known)
      const making = underWay.get(key) ?? prepareScrubber(secrets)
      underWay.set(key, making)
      try {
        return keep(key, await making)
      } finally {
        underWay.delete(key)
      }
    },
    get size() {
      return kept.size
    },
  }
}
