import type { Wait } from '../../../sandbox/engine/index.ts'

/** Looks again and again, with longer pauses, until there is an answer; rejects with the signal's reason. */
export type Until = <T>(signal: AbortSignal, look: () => Promise<T | undefined>) => Promise<T>

const FIRST_MS = 1_000
const LONGEST_MS = 8_000

export const createUntil =
  (wait: Wait): Until =>
  async (signal, look) => {
    for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(LONGEST_MS, pauseMs * 2)) {
      const answer = await look()
      if (answer !== undefined) return answer
      await wait(pauseMs, { signal })
    }
  }
