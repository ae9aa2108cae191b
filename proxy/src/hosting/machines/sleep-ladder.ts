/** The sleep ladder: idle, then paused with its memory, then asleep with its files alone. */
import type { UnixMs } from '../../kernel/index.ts'
import { ACTIVITIES, type Activity, type Machine } from './machine.ts'

/** What is known of a machine's use: memory is ahead of the row. */
export interface Use {
  readonly activeAt: UnixMs
  readonly activeWhy: Activity
  /** Calls in flight; each holds it awake. */
  readonly calls: number
}

export interface SleepForecast {
  /** When it goes one step down if nothing happens; null: it does not. */
  readonly at: UnixMs | null
  readonly to: 'paused' | 'asleep' | null
  /** For a person: `is paused in 12 min because a message came 3 min ago`. */
  readonly because: string
  /** Its place among all that wait for the host's memory, from 1; null: it waits for none. */
  readonly memoryQueuePosition: number | null
}

/** Where its state is no word for a person. */
const IN_WORDS: Partial<Record<Machine['observed'], string>> = {
  creating: 'being made',
  deleting: 'being removed',
}
const stays = (because: string): SleepForecast => ({ at: null, to: null, because, memoryQueuePosition: null })
const minutes = (ms: number): string => (ms < 60_000 ? 'just now' : `${Math.floor(ms / 60_000)} min ago`)

export interface Ladder {
  /** How long it is paused before it sleeps; null: until memory is short. */
  readonly asleepAfterMs: number | null
  /** Its driver has that step. */
  readonly pauses: boolean
}

export function forecastSleep(
  { observed, desired, spec, changedAt }: Pick<Machine, 'observed' | 'desired' | 'spec' | 'changedAt'>,
  use: Use,
  now: UnixMs,
  { asleepAfterMs, pauses }: Ladder,
): SleepForecast {
  const because = `${ACTIVITIES[use.activeWhy]} ${minutes(now - use.activeAt)}`
  if (observed === 'running' && desired === 'awake') {
    if (use.calls > 0) return stays(`${ACTIVITIES[use.activeWhy]}, and it is still at it`)
    if (spec.sleepAfterMs === null) return stays('it is never paused')
    // A machine that was long in waking is not put to sleep before whoever woke it has spoken.
    const at = Math.max(use.activeAt, changedAt) + spec.sleepAfterMs
    return { at, to: pauses ? 'paused' : 'asleep', because, memoryQueuePosition: null }
  }
  if (observed === 'paused' && desired === 'paused') {
    if (asleepAfterMs === null) return stays('it is paused, and sleeps when memory is short')
    return { at: changedAt + asleepAfterMs, to: 'asleep', because, memoryQueuePosition: null }
  }
  return stays(`it is ${IN_WORDS[observed] ?? observed}`)
}

/** Of one that would be awake, and has no memory yet; undefined where it waits for none. */
export const forecastInQueue = (position: number | undefined): SleepForecast | undefined =>
  position === undefined
    ? undefined
    : {
        ...stays(`it waits for memory, ${position === 1 ? 'and is next' : `with ${position - 1} before it`}`),
        memoryQueuePosition: position,
      }
