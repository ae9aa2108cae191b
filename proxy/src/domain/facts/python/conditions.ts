import { attributeOf, noteReference, setAttribute, setItem } from './attributes.ts'
import { type Call, callValue } from './calls.ts'
import { assignName, type Hidden, lookupName, type Machine, newEnv, step } from './machine.ts'
import { itemOf, iterate, sliceOf } from './members.ts'
import { BUILTINS } from './modules.ts'
import type { Expr, FunctionNode } from './syntax.ts'
import { concat, percentText } from './text.ts'
import {
  type Alt,
  ANSWER,
  ARGS,
  CLOCK,
  COMPUTED,
  COUNTER,
  constant,
  constantsOf,
  ENVIRONMENT,
  type Env,
  join,
  joinAll,
  mergeTaints,
  NONE,
  NOTHING,
  PLATFORM,
  RANDOM,
  refTo,
  type Taint,
  TESTED,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'
import { COMPARES, logical, operate } from './operators.ts'

/** The hidden condition that a test is, or null. */
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


