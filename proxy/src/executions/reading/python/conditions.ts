import type { Hidden, Machine } from './machine.ts'
import { CLOCK, COUNTER, PLATFORM, RANDOM, type Taint, TESTED, taintOf, type Value } from './values.ts'

/** Logic bombs: the condition that a person does not see (date, chance, machine, a count) and that a test is, or null. */
export function hiddenOf(test: Value, at: number): Hidden | null {
  const of: Taint = taintOf(test)
  if (of.bits & CLOCK) return { at, detail: 'the time' }
  if (of.bits & RANDOM) return { at, detail: 'chance' }
  if (of.bits & PLATFORM) return { at, detail: 'the machine it runs on' }
  if (of.bits & TESTED) return { at, detail: 'the environment' }
  if (of.bits & COUNTER) return { at, detail: 'a counter' }
  return null
}

/** Follows something that happens only under a condition. */
export function under<T>(machine: Machine, hidden: Hidden | null, run: () => T): T {
  if (hidden === null) return run()
  machine.hidden.push(hidden)
  const result = run()
  machine.hidden.pop()
  return result
}
