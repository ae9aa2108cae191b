import { NO_ARGUMENTS } from './arguments.ts'
import { findMember } from './attributes.ts'
import { branches, loop } from './branches.ts'
import { hiddenOf } from './conditions.ts'
import { decorated, decoratorKind, defineClass, shadow } from './definitions.ts'
import { assignTarget, evaluate, functionValue } from './evaluate.ts'
import { importModule, importNames } from './imports.ts'
import { assignName, type Ending, type Hidden, type Machine, step } from './machine.ts'
import { iterate } from './members.ts'
import { operate } from './operators.ts'
import type { Expr, Stmt } from './syntax.ts'
import {
  COMPUTED,
  COUNTER,
  type Env,
  join,
  joinAll,
  mergeTaints,
  NONE,
  NOTHING,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

/** Runs statements one after another. Conditions that the rest of a body hangs on are left on the stack of hidden ones. */
export function runBody(machine: Machine, env: Env, body: readonly Stmt[]): Ending {
  let ending: Ending = 'on'
  for (const stmt of body) {
    step(machine, stmt.at)
    const now = run(machine, env, stmt)
    if (ending === 'on') ending = now
  }
  return ending
}

/** A body of its own: hidden conditions inside of it end with it. */
function inner(machine: Machine, env: Env, body: readonly Stmt[], hidden: Hidden | null = null): Ending {
  const depth = machine.hidden.length
  if (hidden !== null) machine.hidden.push(hidden)
  const ending = runBody(machine, env, body)
  machine.hidden.length = depth
  return ending
}

function run(machine: Machine, env: Env, stmt: Stmt): Ending {
  switch (stmt.k) {
    case 'expr':
      evaluate(machine, env, stmt.x)
      return isExit(stmt.x) ? 'ends' : 'on'
    case 'assign': {
      if (stmt.x === null) {
        const [target] = stmt.targets
        if (target?.k === 'name') env.vars.has(target.id)
        return 'on'
      }
      const value = evaluate(machine, env, stmt.x)
      for (const target of stmt.targets) {
        if (target.k === 'name' && env === machine.globals) shadow(machine, env, target.id, value, stmt.at)
        assignTarget(machine, env, target, value)
      }
      return 'on'
    }
    case 'update':
      update(machine, env, stmt)
      return 'on'
    case 'delete':
      for (const target of stmt.targets) if (target.k !== 'name') evaluate(machine, env, target)
      return 'on'
    case 'return': {
      const value = stmt.x === null ? NONE : evaluate(machine, env, stmt.x)
      const frame = machine.frames.at(-1)
      if (frame !== undefined) frame.returns = join(frame.returns, value)
      return 'ends'
    }
    case 'raise':
      if (stmt.x !== null) evaluate(machine, env, stmt.x)
      return 'ends'
    case 'leave':
      return 'leaves'
    case 'import':
      importModule(machine, env, stmt)
      return 'on'
    case 'from':
      importNames(machine, env, stmt)
      return 'on'
    case 'if':
      return branch(machine, env, stmt)
    case 'while': {
      const test = (): Value => evaluate(machine, env, stmt.test)
      const hidden = hiddenOf(test(), stmt.test.at)
      loop(machine, env, () => {
        const ending = inner(machine, env, stmt.body, hidden?.detail === 'a counter' ? null : hidden)
        test()
        return ending
      })
      inner(machine, env, stmt.otherwise)
      return 'on'
    }
    case 'for':
      forEach(machine, env, stmt)
      return 'on'
    case 'try':
      return attempt(machine, env, stmt)
    case 'with': {
      for (const { x, target } of stmt.items) {
        const context = evaluate(machine, env, x)
        const entered = joinAll(
          context.map((alt): Value => {
            const enter =
              alt.t === 'object'
                ? (findMember(alt.of, '__enter__') ?? findMember(alt.of, '__aenter__'))
                : null
            if (enter === null) return alt.t === 'list' && alt.items.length === 0 ? alt.rest : [alt]
            return machine.call(
              enter.flatMap(
                (one): Value =>
                  one.t === 'function' && alt.t === 'object' ? [{ ...one, self: [alt], owner: alt.of }] : [],
              ),
              NO_ARGUMENTS,
              stmt.at,
              env,
            )
          }),
        )
        if (target !== null) assignTarget(machine, env, target, entered)
      }
      return runBody(machine, env, stmt.body)
    }
    case 'def': {
      if (stmt.decorators.some((one) => decoratorKind(one) === null)) machine.decorated.add(stmt.fn)
      const value = decorated(machine, env, stmt.decorators, functionValue(machine, env, stmt.fn), stmt.at)
      if (env === machine.globals) shadow(machine, env, stmt.fn.name, value, stmt.at)
      assignName(machine, env, stmt.fn.name, value)
      return 'on'
    }
    case 'class':
      defineClass(machine, env, stmt)
      return 'on'
    case 'match': {
      const subject = evaluate(machine, env, stmt.subject)
      const part = unknown(mergeTaints(taintOf(subject), taint(COMPUTED)))
      const hidden = hiddenOf(subject, stmt.subject.at)
      branches(machine, env, [
        ...stmt.cases.map(({ names, guard, body }) => () => {
          for (const name of names) assignName(machine, env, name, part)
          const guarded = guard === null ? null : hiddenOf(evaluate(machine, env, guard), guard.at)
          return inner(machine, env, body, guarded ?? hidden)
        }),
        (): Ending => 'on',
      ])
      return 'on'
    }
    case 'scope':
      for (const name of stmt.names) (stmt.global ? env.global : env.nonlocal).add(name)
      return 'on'
  }
}

/** `sys.exit()` and its like. */
function isExit(x: Expr): boolean {
  if (x.k !== 'call') return false
  const { fn } = x
  if (fn.k === 'name') return fn.id === 'exit' || fn.id === 'quit'
  return (
    fn.k === 'attr' &&
    fn.obj.k === 'name' &&
    ((fn.obj.id === 'sys' && fn.name === 'exit') || (fn.obj.id === 'os' && fn.name === '_exit'))
  )
}

function branch(machine: Machine, env: Env, stmt: Extract<Stmt, { k: 'if' }>): Ending {
  let hidden: Hidden | null = null
  const endings: Ending[] = []
  const ways = stmt.branches.map(({ test, body }) => (): Ending => {
    const found = hiddenOf(evaluate(machine, env, test), test.at)
    hidden = found ?? hidden
    const ending = inner(machine, env, body, hidden)
    endings.push(ending)
    return ending
  })
  branches(machine, env, [
    ...ways,
    (): Ending => {
      const ending = inner(machine, env, stmt.otherwise, hidden)
      endings.push(ending)
      return ending
    },
  ])
  if (endings.every((ending) => ending === 'ends')) return 'ends'
  const found = hidden as Hidden | null
  // What follows an early end hangs on the same condition. A counter that ends a loop is a limit, which is ordinary.
  if (found !== null && found.detail !== 'a counter' && endings.some((ending) => ending !== 'on'))
    machine.hidden.push(found)
  return 'on'
}

const MAX_EACH = 64

function forEach(machine: Machine, env: Env, stmt: Extract<Stmt, { k: 'for' }>): void {
  const { known, open } = iterate(machine, evaluate(machine, env, stmt.iter), stmt.iter.at)
  const once = (item: Value) => (): Ending => {
    assignTarget(machine, env, stmt.target, item)
    const ending = inner(machine, env, stmt.body)
    return ending === 'leaves' ? 'on' : ending
  }
  if (known.length <= MAX_EACH && machine.loops < 3) {
    machine.loops++
    for (const item of known) branches(machine, env, [once(item), () => 'on'])
    machine.loops--
  } else loop(machine, env, once(joinAll(known)))
  if (open.length > 0 || known.length === 0)
    loop(machine, env, once(open.length === 0 ? unknown(taint(COMPUTED)) : open))
  inner(machine, env, stmt.otherwise)
}

function attempt(machine: Machine, env: Env, stmt: Extract<Stmt, { k: 'try' }>): Ending {
  const mark = machine.log.length
  let after: { env: Env; name: string; value: Value }[] = []
  const endings: Ending[] = []
  branches(machine, env, [
    (): Ending => {
      const first = inner(machine, env, stmt.body)
      after = machine.log
        .slice(mark)
        .map(({ env: where, name }) => ({ env: where, name, value: where.vars.get(name) ?? NOTHING }))
      const second = stmt.otherwise.length === 0 ? first : inner(machine, env, stmt.otherwise)
      const ending = first === 'on' ? second : first
      endings.push(ending)
      return ending
    },
    ...stmt.handlers.map(({ type, name, body }) => (): Ending => {
      for (const { env: where, name: changed, value } of after) {
        const before = where.vars.get(changed)
        machine.log.push({ env: where, name: changed, before })
        where.vars.set(changed, join(before ?? NOTHING, value))
      }
      if (type !== null) evaluate(machine, env, type)
      if (name !== null) assignName(machine, env, name, unknown(taint(COMPUTED | 2)))
      const ending = inner(machine, env, body)
      endings.push(ending)
      return ending
    }),
  ])
  const last = inner(machine, env, stmt.last)
  return last === 'ends' || endings.every((ending) => ending === 'ends') ? 'ends' : 'on'
}

const ORDINARY_COUNTER = /retr|attempt|tries|page|offset|cursor|index|total|sent|done|count$/i

function update(machine: Machine, env: Env, stmt: Extract<Stmt, { k: 'update' }>): void {
  const before = evaluate(machine, env, stmt.target)
  const right = evaluate(machine, env, stmt.x)
  const [list] = before
  if (stmt.op === '+' && list?.t === 'list') {
    const { known, open } = iterate(machine, right, stmt.at)
    if (list.items.length + known.length <= 256) list.items.push(...known)
    else list.rest = join(list.rest, joinAll(known))
    list.rest = join(list.rest, open)
    return
  }
  if (stmt.op === '|' && list?.t === 'dict' && right[0]?.t === 'dict') {
    for (const [name, value] of right[0].entries) list.entries.set(name, value)
    return
  }
  let value = operate(stmt.op, before, right)
  const { target } = stmt
  const kept =
    (target.k === 'name' && (env.global.has(target.id) || env.nonlocal.has(target.id)) && target.id) ||
    (target.k === 'attr' && target.name) ||
    (target.k === 'sub' && 'n')
  if (
    stmt.op === '+' &&
    kept &&
    !ORDINARY_COUNTER.test(kept) &&
    value.every((alt) => alt.t === 'unknown' || (alt.t === 'const' && typeof alt.v === 'number'))
  )
    value = unknown(mergeTaints(taintOf(value), taint(COUNTER | COMPUTED)))
  assignTarget(machine, env, stmt.target, value)
}
