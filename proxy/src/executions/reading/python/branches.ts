import type { Change, Ending, Machine } from './machine.ts'
import { type Env, join, NOTHING, type Value, widen } from './values.ts'

/**
 * Joins of control flow: follows each branch from the same state and joins what they leave behind. A branch that ends the
 * function leaves nothing in its own variables. Returns what changed.
 */
export function branches(machine: Machine, env: Env, ways: readonly (() => Ending)[]): Change[] {
  const all = new Map<Env, Map<string, { before: Value | undefined; after: (Value | undefined)[] }>>()
  let kept = 0
  for (const way of ways) {
    const mark = machine.log.length
    const ending = way()
    const changed = machine.log.splice(mark)
    const seen = new Map<Env, Set<string>>()
    for (const { env: where, name, before } of changed) {
      let names = seen.get(where)
      if (names === undefined) {
        names = new Set()
        seen.set(where, names)
      }
      if (names.has(name)) continue
      names.add(name)
      const now = where.vars.get(name)
      if (before === undefined) where.vars.delete(name)
      else where.vars.set(name, before)
      if (ending === 'ends' && where === env) continue
      let byName = all.get(where)
      if (byName === undefined) {
        byName = new Map()
        all.set(where, byName)
      }
      const entry = byName.get(name)
      if (entry === undefined) byName.set(name, { before, after: [now] })
      else entry.after.push(now)
    }
    if (ending !== 'ends') kept++
  }
  const changes: Change[] = []
  for (const [where, names] of all) {
    for (const [name, { before, after }] of names) {
      let value: Value = after.length < (where === env ? kept : ways.length) ? (before ?? NOTHING) : NOTHING
      for (const one of after) value = join(value, one ?? NOTHING)
      if (value === before) continue
      machine.log.push({ env: where, name, before })
      if (where === machine.globals && machine.shared.has(name)) machine.version++
      where.vars.set(name, value)
      changes.push({ env: where, name, before })
    }
  }
  return changes
}

/** A fixpoint with widening: follows a loop until its variables settle; what grows all the time becomes a pattern. */
export function loop(machine: Machine, env: Env, body: () => Ending): void {
  machine.loops++
  const passes = machine.loops > 3 ? 2 : 3
  for (let pass = 0; pass < passes; pass++) {
    const changes = branches(machine, env, [body, () => 'on'])
    if (
      changes.every(
        ({ before, env: where, name }) =>
          before !== undefined && join(before, where.vars.get(name) ?? NOTHING) === before,
      )
    )
      break
    if (pass === 0) continue
    for (const { env: where, name, before } of changes) {
      const now = where.vars.get(name)
      if (before !== undefined && now !== undefined && now.length > before.length)
        where.vars.set(name, widen(now))
    }
  }
  machine.loops--
}
