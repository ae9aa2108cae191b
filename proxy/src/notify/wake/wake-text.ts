import { oneLine } from '../../kernel/index.ts'
import type { PendingWake } from './ports.ts'

/** How many requests one text names; more wait for the next one. */
export const REQUESTS_PER_WAKE = 50

const SKILL_CHARS = 64

/** What `oauth3 doctor` sends. */
export const TEST_TEXT =
  'OAuth3: test of the wake path by its owner (oauth3 doctor). There is nothing to fetch.'

/**
 * One line of facts, no orders: which requests ended, how, and where each result is read. It carries nothing that
 * code printed, and of the agent's own words only the skill id, cut and without anything that could end its quotes.
 * The same facts give the same text, so a target that merges repeats can do so.
 */
export function wakeText(wakes: readonly Pick<PendingWake, 'requestId' | 'skillId' | 'status'>[]): string {
  const [first, ...rest] = wakes
  if (!first) return TEST_TEXT
  if (rest.length === 0) {
    return `OAuth3: request ${first.requestId} (skill "${skillOf(first.skillId)}") is ${first.status}. Result: GET /execute/${first.requestId}`
  }
  const list = wakes.map((wake) => `${wake.requestId} (skill "${skillOf(wake.skillId)}") is ${wake.status}`)
  return `OAuth3: ${wakes.length} requests ended: ${list.join('; ')}. Result of each: GET /execute/<request id>`
}

const skillOf = (skillId: string): string => oneLine(skillId, SKILL_CHARS).replace(/[^A-Za-z0-9._:/…-]/g, '_')
