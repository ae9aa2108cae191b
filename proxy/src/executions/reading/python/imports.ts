import { moduleMember, noteReference } from './attributes.ts'
import { assignName, type Machine } from './machine.ts'
import { dangerOf, KEPT_BUILTINS } from './modules.ts'
import type { Stmt } from './syntax.ts'
import { COMPUTED, constantsOf, type Env, joinAll, refTo, taint, unknown, type Value } from './values.ts'

/** `import module as name`. */
export function importModule(machine: Machine, env: Env, stmt: Extract<Stmt, { k: 'import' }>): void {
  machine.recorder.imported(stmt.at, stmt.module, false)
  noteReference(machine, stmt.module, stmt.at, true)
  const top = stmt.module.split('.')[0] as string
  assignName(machine, env, stmt.as ?? top, refTo(stmt.as === null ? top : stmt.module))
}

/** `from module import name as other`. */
export function importNames(machine: Machine, env: Env, stmt: Extract<Stmt, { k: 'from' }>): void {
  machine.recorder.imported(stmt.at, stmt.module, false)
  if (stmt.names === null) {
    machine.stars.push(stmt.module)
    return
  }
  if (stmt.module === '__future__') return
  for (const { name, as } of stmt.names) {
    const full = `${stmt.module}.${name}`
    noteReference(machine, full, stmt.at, true)
    const value = full === '__main__.__builtins__' ? refTo('builtins') : moduleMember(full)
    if (
      env === machine.globals &&
      KEPT_BUILTINS.has(as) &&
      full !== `builtins.${as}` &&
      !/^(?:rich|builtins|six|past|future)\b/.test(full)
    )
      machine.recorder.danger('replaced_builtin', stmt.at, as)
    assignName(machine, env, as, value)
  }
}

/** A module imported by a name at run time. */
export function imported(machine: Machine, name: Value, at: number): Value {
  const names = constantsOf(name)
  if (names === null) {
    machine.recorder.danger('computed_import', at)
    machine.recorder.imported(at, null, true)
    return unknown(taint(COMPUTED))
  }
  return joinAll(
    names.map((one) => {
      machine.recorder.imported(at, String(one), true)
      const kind = dangerOf(`${String(one)}.name`)
      if (kind !== null) machine.recorder.danger(kind, at, String(one))
      return refTo(String(one))
    }),
  )
}
