import { NO_ARGUMENTS } from './arguments.ts'
import { externalBases } from './attributes.ts'
import { evaluate } from './evaluate.ts'
import { assignName, type Machine, newEnv } from './machine.ts'
import { KEPT_BUILTINS } from './modules.ts'
import type { Expr, Stmt } from './syntax.ts'
import type { ClassAlt, Env, Value } from './values.ts'

const SENDERS = /^(?:urllib\.request|requests|httpx|aiohttp|urllib3|http\.client|json|os|base64|hashlib)\.\w+/

/** Shadowing and monkey patching: a name of Python, or of something that sends, that a program gives another meaning. */
export function shadow(machine: Machine, env: Env, name: string, value: Value, at: number): void {
  const made = value.some(
    (alt) =>
      alt.t === 'function' || alt.t === 'class' || (alt.t === 'ref' && alt.name !== `builtins.${name}`),
  )
  if (!made) return
  const before = env.vars.get(name)
  if (KEPT_BUILTINS.has(name) && before === undefined) machine.recorder.danger('replaced_builtin', at, name)
  for (const alt of before ?? []) {
    if (
      alt.t === 'ref' &&
      SENDERS.test(alt.name) &&
      value.some((one) => one.t === 'function' || one.t === 'class')
    )
      machine.recorder.danger('replaced_builtin', at, name)
  }
}

/** What decorators make of a function, the last one first. */
export function decorated(
  machine: Machine,
  env: Env,
  decorators: readonly Expr[],
  fn: Value,
  at: number,
): Value {
  let value = fn
  for (const decorator of [...decorators].reverse()) {
    const by = evaluate(machine, env, decorator, true)
    const kind = decoratorKind(decorator)
    if (kind !== null)
      value = value.flatMap((alt): Value => (alt.t === 'function' ? [{ ...alt, kind }] : [alt]))
    for (const alt of by) {
      if (alt.t !== 'function' && alt.t !== 'class') continue
      const made = machine
        .call([alt], { ...NO_ARGUMENTS, args: [value] }, at, env)
        .filter((one) => one.t !== 'unknown' && one.t !== 'const')
      if (made.length > 0) value = made
    }
  }
  return value
}

/** How a decorator of Python itself changes a method; null for any other. */
export function decoratorKind(x: Expr): 'property' | 'static' | 'class' | null {
  const name = x.k === 'name' ? x.id : x.k === 'attr' ? x.name : ''
  if (name === 'property' || name === 'cached_property' || name === 'getter') return 'property'
  return name === 'staticmethod' ? 'static' : name === 'classmethod' ? 'class' : null
}

/** Follows a class statement: its bases, its body, its decorators, and the name that it binds. */
export function defineClass(machine: Machine, env: Env, stmt: Extract<Stmt, { k: 'class' }>): void {
  const bases = stmt.args
    .filter(({ name, star }) => name === null && star === '')
    .map(({ x }) => evaluate(machine, env, x))
  for (const { name, x } of stmt.args) if (name !== null) evaluate(machine, env, x)
  const scope = newEnv(env, null, true)
  machine.run(scope, stmt.body)
  const fields = stmt.body.flatMap((one) =>
    one.k === 'assign' && one.targets[0]?.k === 'name' ? [one.targets[0].id] : [],
  )
  const made: ClassAlt = { t: 'class', name: stmt.name, members: scope.vars, fields, bases, objects: [] }
  for (const [name, value] of made.members)
    made.members.set(
      name,
      value.map((alt) => (alt.t === 'function' ? { ...alt, owner: made } : alt)),
    )
  for (const value of made.members.values())
    for (const alt of value) if (alt.t === 'function') machine.owners.set(alt.fn, made)
  if (
    externalBases(made).some(
      (base) => base.endsWith('HTTPRedirectHandler') || base.endsWith('HTTPErrorProcessor'),
    )
  ) {
    for (const [name, value] of made.members) {
      if (!/^(?:redirect_request|http_error_30\d|https?_response)$/.test(name)) continue
      for (const alt of value) {
        if (
          alt.t === 'function' &&
          alt.fn.body.some(
            (one) =>
              one.k !== 'raise' &&
              !(one.k === 'return' && (one.x === null || one.x.k === 'const')) &&
              !(one.k === 'expr' && one.x.k === 'const') &&
              !returnsGiven(one),
          )
        )
          machine.recorder.danger('follows_redirect', alt.fn.at, stmt.name)
      }
    }
  }
  let value: Value = [made]
  for (const decorator of [...stmt.decorators].reverse()) {
    for (const alt of evaluate(machine, env, decorator, true)) {
      if (alt.t !== 'function') continue
      const result = machine.call([alt], { ...NO_ARGUMENTS, args: [value] }, stmt.at, env)
      if (result.some((one) => one.t === 'class')) value = result
    }
  }
  if (env === machine.globals) shadow(machine, env, stmt.name, value, stmt.at)
  assignName(machine, env, stmt.name, value)
}

/** `return fp`: the answer itself, so that no redirect is followed. */
const returnsGiven = (stmt: Stmt): boolean => stmt.k === 'return' && stmt.x?.k === 'name'
