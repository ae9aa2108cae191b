import type { Binding, Node, Program } from './ast.ts'
import type { Sink } from './sink.ts'
import type { Alternative, Frame, FunctionValue, Thing, Value } from './values.ts'
import { anything, UNDEFINED, union } from './values.ts'

/** A slot as it was before a branch wrote to it. */
interface Written {
  readonly map: Map<unknown, Value>
  readonly key: unknown
  readonly old: Value | undefined
}

/** What a branch left behind: its slots as it left them. */
export interface Outcome {
  readonly ended: boolean
  readonly writes: readonly { map: Map<unknown, Value>; key: unknown; value: Value }[]
  /** What its slots held on the way, where that was asked for. */
  readonly passed?: Outcome['writes']
}

/** What a `break`, a `continue` or a `throw` may lead to. */
export interface JumpTarget {
  readonly labels: readonly string[]
  readonly kind: 'loop' | 'switch' | 'block' | 'try'
  /** How many branches were open around it. */
  readonly depth: number
  /** The ways that lead here, each with what it set. */
  readonly ways: Outcome[]
}

/** The state of one interpretation, and the functions that everything else comes back to. */
export interface Run {
  readonly program: Program
  readonly sink: Sink
  /** Falls with every node that is looked at; below zero the interpretation ends. */
  steps: number
  /** Labels of the hidden conditions that what runs now stands under. */
  readonly conditions: string[]
  /** Everything that a variable was ever set to, from the round before; null in the first round. */
  readonly before: Map<Binding, Value> | null
  readonly ever: Map<Binding, Value>
  /** Something was read before it was set, or is set in more than one place. */
  again: boolean
  readonly closures: FunctionValue[]
  readonly executed: Set<Node>
  readonly active: Node[]
  loops: number
  /** Names under which the program keeps functions. */
  readonly names: Map<Node, string>
  /** Objects that were made of classes. */
  readonly instances: Map<Node, Alternative[]>
  /** Objects that went out of sight, and what was set on unknown ones. */
  readonly escaped: Set<Thing>
  readonly loose: Map<string, Value>
  /** What runs now is called by nothing that the reader sees. */
  unused: boolean
  /** `axios.defaults`. */
  readonly defaults: Value
  /** Ways that went on by themselves so far. */
  forks: number
  /** Counts writes that a function's result may hang on without seeing them in its arguments. */
  version: number
  log: Written[] | null
  /** The logs of all branches that are open, the innermost last. */
  readonly logs: Written[][]
  /** Where `break`, `continue` and `throw` may lead from here. */
  readonly targets: JumpTarget[]
  /** Labels of the statement that comes next. */
  labels: string[]
  evaluate(node: Node, frame: Frame): Value
  /** `target.key = value`. */
  set(target: Value, key: string | null, value: Value, node: Node): void
  /** What `value.key` may be; `key` null is a computed one. */
  member(value: Value, key: string | null, node: Node): Value
  call(target: Value, self: Value, args: readonly Value[], node: Node): Value
  /** `self.key(...args)`. */
  method(self: Value, key: string, args: readonly Value[], node: Node): Value
  /** `new target(...args)`. */
  construct(target: Alternative, args: readonly Value[], node: Node): Value
  /** Runs statements; returns whether they end the function that they stand in. */
  block(statements: readonly Node[], frame: Frame): boolean
  statement(node: Node, frame: Frame): boolean
}

/** Thrown when the steps are used up. */
export class OutOfSteps extends Error {}

export function spend(run: Run, steps: number): void {
  run.steps -= steps
  if (run.steps < 0) throw new OutOfSteps('too much to follow')
}

/** Sets a slot so that a branch can be taken back. */
export function write(run: Run, map: Map<unknown, Value>, key: unknown, value: Value): void {
  run.log?.push({ map, key, old: map.get(key) })
  map.set(key, value)
}

const MOST_PASSED = 1000

/** Runs `body` as one of several ways, takes its writes back and returns them. */
export function branch(run: Run, body: () => boolean, keepPassed = false): Outcome {
  const outer = run.log
  const log: Written[] = []
  run.log = log
  run.logs.push(log)
  let ended = false
  try {
    ended = body()
  } finally {
    run.log = outer
    run.logs.pop()
  }
  const seen = new Map<Map<unknown, Value>, Set<unknown>>()
  const writes: { map: Map<unknown, Value>; key: unknown; value: Value }[] = []
  const passed: { map: Map<unknown, Value>; key: unknown; value: Value }[] = []
  for (let index = log.length - 1; index >= 0; index--) {
    const { map, key, old } = log[index] as Written
    let keys = seen.get(map)
    if (keys === undefined) {
      keys = new Set()
      seen.set(map, keys)
    }
    if (!keys.has(key)) {
      keys.add(key)
      writes.push({ map, key, value: map.get(key) ?? UNDEFINED })
    }
    if (keepPassed && old !== undefined && passed.length < MOST_PASSED) passed.push({ map, key, value: old })
    if (old === undefined) map.delete(key)
    else map.set(key, old)
  }
  return keepPassed ? { ended, writes, passed } : { ended, writes }
}

/**
 * Puts the outcomes of branches together: a slot holds what any of them left in it.
 * @returns whether every branch ended what it stands in
 */
export function join(run: Run, outcomes: readonly Outcome[]): boolean {
  const going = outcomes.filter((one) => !one.ended)
  if (going.length === 0) return true
  const slots = new Map<Map<unknown, Value>, Map<unknown, Value[]>>()
  for (const { writes } of going) {
    for (const { map, key, value } of writes) {
      let keys = slots.get(map)
      if (keys === undefined) {
        keys = new Map()
        slots.set(map, keys)
      }
      const values = keys.get(key)
      if (values === undefined) keys.set(key, [value])
      else values.push(value)
    }
  }
  for (const [map, keys] of slots) {
    for (const [key, values] of keys) {
      if (values.length < going.length) values.unshift(map.get(key) ?? UNDEFINED)
      write(run, map, key, union(...values))
    }
  }
  return false
}

/** Writes what one outcome left; returns whether it ended what it stands in. */
export function apply(run: Run, outcome: Outcome): boolean {
  for (const { map, key, value } of outcome.writes) write(run, map, key, value)
  return outcome.ended
}

/** Runs `body` under a condition, whose label is null when the person can see it. */
export function withCondition<T>(run: Run, label: string | null, body: () => T): T {
  if (label === null || run.conditions.includes(label)) return body()
  const depth = run.conditions.length
  run.conditions.push(label)
  try {
    return body()
  } finally {
    run.conditions.length = depth
  }
}

/** What a variable holds where `frame` reads it. */
export function readVariable(run: Run, binding: Binding, frame: Frame): Value {
  let at: Frame | null = frame
  while (at !== null) {
    const value = at.variables.get(binding)
    if (value !== undefined) {
      const before = run.before?.get(binding)
      return before !== undefined && binding.reassigned && binding.captured && at !== frame
        ? union(value, before)
        : value
    }
    at = at.parent
  }
  const before = run.before?.get(binding)
  if (before !== undefined) return before
  run.again = true
  return anything('computed')
}

export function setVariable(
  run: Run,
  binding: Binding,
  value: Value,
  frame: Frame,
  isDeclaration: boolean,
): void {
  let at: Frame = frame
  while (at.owner !== binding.owner && at.parent !== null && !at.variables.has(binding)) at = at.parent
  write(run, at.variables, binding, value)
  const ever = run.ever.get(binding)
  run.ever.set(binding, ever === undefined ? value : union(ever, value))
  if (!isDeclaration && binding.captured) {
    run.again = true
    run.version++
  }
}
