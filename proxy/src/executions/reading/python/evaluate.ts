import type { Call } from './arguments.ts'
import { attributeOf, noteReference, setAttribute, setItem } from './attributes.ts'
import { hiddenOf, under } from './conditions.ts'
import { assignName, lookupName, type Machine, newEnv, step } from './machine.ts'
import { itemOf, iterate, sliceOf } from './members.ts'
import { BUILTINS } from './modules.ts'
import { COMPARES, logical, operate } from './operators.ts'
import type { Expr, FunctionNode } from './syntax.ts'
import { concat } from './text.ts'
import {
  type Alt,
  COMPUTED,
  constant,
  constantsOf,
  type Env,
  join,
  joinAll,
  mergeTaints,
  NONE,
  NOTHING,
  refTo,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

/** What an expression may be, and everything that evaluating it does on the way. */
export function evaluate(machine: Machine, env: Env, x: Expr, callee = false): Value {
  step(machine, x.at)
  switch (x.k) {
    case 'const':
      return constant(x.v)
    case 'fstring':
      return concat(
        x.parts.map((part) => {
          if (typeof part === 'string') return constant(part)
          const value = evaluate(machine, env, part.x)
          return part.formatted ? opened(value) : value
        }),
      )
    case 'name':
      return nameValue(machine, env, x.id, x.at, callee)
    case 'attr':
      return attributeOf(machine, evaluate(machine, env, x.obj), x.name, x.at)
    case 'sub': {
      const of = evaluate(machine, env, x.obj)
      if (x.index.k === 'slice') {
        const parts = x.index.parts.map((part) => (part === null ? null : evaluate(machine, env, part)))
        return sliceOf(machine, of, parts)
      }
      return itemOf(machine, of, evaluate(machine, env, x.index), x.at)
    }
    case 'slice':
      return NONE
    case 'call': {
      const fn = evaluate(machine, env, x.fn, true)
      return machine.call(fn, argumentsOf(machine, env, x.args), x.at, env)
    }
    case 'chain':
      return chain(machine, env, x)
    case 'unary': {
      const value = evaluate(machine, env, x.x)
      const only = value.length === 1 ? value[0] : undefined
      if (only?.t === 'const') {
        if (x.op === '-' && typeof only.v === 'number') return constant(-only.v, only.bits)
        if (x.op === 'not') return constant(!only.v, only.bits)
      }
      return unknown(mergeTaints(taintOf(value), taint(COMPUTED)))
    }
    case 'if': {
      const test = evaluate(machine, env, x.test)
      return join(
        under(machine, hiddenOf(test, x.test.at), () => evaluate(machine, env, x.a)),
        under(machine, hiddenOf(test, x.test.at), () => evaluate(machine, env, x.b)),
      )
    }
    case 'lambda':
      return functionValue(machine, env, x.fn)
    case 'seq': {
      const items: Value[] = []
      let rest: Value = NOTHING
      for (const item of x.items) {
        if (item.k === 'star') {
          const { known, open } = iterate(machine, evaluate(machine, env, item.x), item.at)
          items.push(...known)
          rest = join(rest, open)
        } else items.push(evaluate(machine, env, item))
      }
      return [{ t: 'list', items, rest }]
    }
    case 'star':
      return evaluate(machine, env, x.x)
    case 'dict':
      return dictValue(machine, env, x.entries)
    case 'comp':
      return comprehension(machine, env, x)
    case 'wait':
      return evaluate(machine, env, x.x)
    case 'yield': {
      const value = x.x === null ? NONE : evaluate(machine, env, x.x)
      const frame = machine.frames.at(-1)
      if (frame !== undefined) {
        if (x.from) {
          const { known, open } = iterate(machine, value, x.at)
          frame.yields = join(frame.yields, join(joinAll(known), open))
        } else frame.yields = join(frame.yields, value)
      }
      return unknown(taint(COMPUTED))
    }
    case 'walrus': {
      const value = evaluate(machine, env, x.x)
      assignName(machine, env, x.name, value)
      return value
    }
  }
}

function nameValue(machine: Machine, env: Env, id: string, at: number, callee: boolean): Value {
  const value = lookupName(machine, env, id)
  if (value !== undefined) {
    if (!callee) for (const alt of value) if (alt.t === 'ref') noteReference(machine, alt.name, at, false)
    if (callee) for (const alt of value) if (alt.t === 'ref') noteReference(machine, alt.name, at, true)
    return value
  }
  if (id === '__builtins__') return refTo('builtins')
  if (BUILTINS.has(id)) {
    noteReference(machine, `builtins.${id}`, at, callee)
    return refTo(`builtins.${id}`)
  }
  if (id === '__name__') return constant('__main__')
  if (id === '__doc__' || id === '__file__') return unknown(taint(COMPUTED))
  const star = machine.stars[0]
  if (star !== undefined) {
    for (const module of machine.stars) noteReference(machine, `${module}.${id}`, at, callee)
    return machine.stars.map((module): Alt => ({ t: 'ref', name: `${module}.${id}` }))
  }
  return unknown(taint(COMPUTED))
}

/** Text of a value that a format changes. */
const opened = (value: Value): Value => {
  const of = taintOf(value)
  return unknown(of.bits === 0 && of.secrets.length === 0 ? taint(COMPUTED) : of)
}

/** A function as a value; its defaults are evaluated where it is made. */
export function functionValue(machine: Machine, env: Env, fn: FunctionNode): Value {
  const initial = new Map<string, Value>()
  for (const param of fn.params)
    if (param.initial !== null) initial.set(param.name, evaluate(machine, env, param.initial))
  const value: Value = [{ t: 'function', fn, env, self: null, owner: null, kind: 'plain', initial }]
  machine.made.push({ fn, call: () => void machine.call(value, null, fn.at, env) })
  return value
}

function argumentsOf(machine: Machine, env: Env, args: Extract<Expr, { k: 'call' }>['args']): Call {
  const positional: Value[] = []
  const named = new Map<string, Value>()
  let rest: Value = NOTHING
  let restNamed: Value = NOTHING
  for (const arg of args) {
    const value = evaluate(machine, env, arg.x)
    if (arg.star === '*') {
      const { known, open } = iterate(machine, value, arg.x.at)
      positional.push(...known)
      rest = join(rest, open)
    } else if (arg.star === '**') {
      for (const alt of value) {
        if (alt.t === 'dict') {
          for (const [name, item] of alt.entries) named.set(name, join(named.get(name) ?? NOTHING, item))
          restNamed = join(restNamed, alt.rest)
        } else restNamed = join(restNamed, unknown(taintOf(itemOf(machine, [alt], NOTHING, arg.x.at))))
      }
    } else if (arg.name !== null) named.set(arg.name, value)
    else positional.push(value)
  }
  return { args: positional, named, rest, restNamed }
}

function dictValue(machine: Machine, env: Env, pairs: Extract<Expr, { k: 'dict' }>['entries']): Value {
  const entries = new Map<string, Value>()
  let rest: Value = NOTHING
  for (const [key, item] of pairs) {
    const value = evaluate(machine, env, item)
    if (key === null) {
      for (const alt of value) {
        if (alt.t === 'dict') {
          for (const [name, inner] of alt.entries) entries.set(name, inner)
          rest = join(rest, alt.rest)
        } else rest = join(rest, itemOf(machine, [alt], NOTHING, item.at))
      }
      continue
    }
    const name = evaluate(machine, env, key)
    const names = constantsOf(name)
    if (names === null) rest = join(rest, join(value, opened(name)))
    else
      for (const one of names)
        entries.set(String(one), names.length > 1 ? join(entries.get(String(one)) ?? NOTHING, value) : value)
  }
  return [{ t: 'dict', entries, rest }]
}

function comprehension(machine: Machine, env: Env, x: Extract<Expr, { k: 'comp' }>): Value {
  const inner = newEnv(env, null)
  const items: Value[] = []
  const entries = new Map<string, Value>()
  let rest: Value = NOTHING
  const produce = (exact: boolean): void => {
    const key = x.key === null ? null : evaluate(machine, inner, x.key)
    const value = evaluate(machine, inner, x.value)
    const names = key === null ? null : constantsOf(key)
    if (key !== null && names?.length === 1) entries.set(String(names[0]), value)
    else if (key === null && exact && items.length < 64) items.push(value)
    else rest = join(rest, key === null ? value : join(value, opened(key)))
  }
  const walk = (index: number, exact: boolean): void => {
    const clause = x.clauses[index]
    if (clause === undefined) {
      produce(exact)
      return
    }
    const { known, open } = iterate(
      machine,
      evaluate(machine, index === 0 ? env : inner, clause.iter),
      clause.iter.at,
    )
    const bound = (item: Value, sure: boolean): void => {
      assignTarget(machine, inner, clause.target, item)
      let kept = sure
      const tests = clause.tests.map((test) => {
        kept = false
        return hiddenOf(evaluate(machine, inner, test), test.at)
      })
      under(machine, tests.find((test) => test !== null) ?? null, () => walk(index + 1, kept || sure))
    }
    if (known.length > 24) bound(joinAll(known), false)
    else for (const item of known) bound(item, exact)
    if (open.length > 0) bound(open, false)
  }
  walk(0, true)
  return x.key === null ? [{ t: 'list', items, rest }] : [{ t: 'dict', entries, rest }]
}

/** Binds what a target names; members and attributes change in place. */
export function assignTarget(machine: Machine, env: Env, target: Expr, value: Value): void {
  if (target.k === 'name') assignName(machine, env, target.id, value)
  else if (target.k === 'seq') {
    const star = target.items.findIndex((item) => item.k === 'star')
    const { known, open } = iterate(machine, value, target.at)
    const sure = value.length === 1 && value[0]?.t === 'list' && value[0].rest.length === 0
    target.items.forEach((item, index) => {
      if (item.k === 'star') {
        const stop = known.length - (target.items.length - 1 - index)
        assignTarget(machine, env, item.x, [
          { t: 'list', items: known.slice(index, Math.max(index, stop)), rest: open },
        ])
      } else {
        const place = star >= 0 && index > star ? known.length - (target.items.length - index) : index
        const each = value.map((alt): Value => (alt.t === 'list' ? (alt.items[place] ?? alt.rest) : open))
        const one = sure
          ? (known[place] ?? NOTHING)
          : value.length > 1
            ? joinAll(each)
            : join(known[place] ?? NOTHING, open)
        assignTarget(
          machine,
          env,
          item,
          one.length === 0 ? unknown(mergeTaints(taintOf(value), taint(COMPUTED))) : one,
        )
      }
    })
  } else if (target.k === 'star') assignTarget(machine, env, target.x, value)
  else if (target.k === 'attr')
    setAttribute(machine, evaluate(machine, env, target.obj), target.name, value, target.at)
  else if (target.k === 'sub') {
    if (target.obj.k === 'attr' && target.obj.name === '__annotations__')
      machine.recorder.danger('code_from_text', target.at, '__annotations__')
    setItem(
      machine,
      evaluate(machine, env, target.obj),
      target.index.k === 'slice' ? NOTHING : evaluate(machine, env, target.index),
      value,
      target.at,
    )
  }
}

const ODD_BLANK = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u2800\u3000\u3164\uffa0]/

/** Tells of compared text that holds blanks which are none. */
function noteBlanks(machine: Machine, ...sides: readonly Expr[]): void {
  for (const side of sides) {
    if (side.k === 'const' && typeof side.v === 'string' && ODD_BLANK.test(side.v))
      machine.recorder.danger('odd_spaces', side.at)
    else if (side.k === 'seq') noteBlanks(machine, ...side.items)
  }
}

/** Whether nought is compared with the time of now itself. */
const isUnset = (value: Value, now: Expr | undefined): boolean =>
  now?.k === 'call' &&
  now.fn.k === 'attr' &&
  /^(?:time|monotonic|perf_counter)$/.test(now.fn.name) &&
  (constantsOf(value)?.every((v) => v === 0) ?? false)

function chain(machine: Machine, env: Env, x: Extract<Expr, { k: 'chain' }>): Value {
  let left = evaluate(machine, env, x.items[0] as Expr)
  // A run of `+` is put together at once, so that its length costs no more than its parts.
  for (let index = 0; index < x.ops.length; index++) {
    const op = x.ops[index] as string
    if (op === 'and' || op === 'or') {
      const test = hiddenOf(left, x.items[index]?.at ?? x.at)
      const right = under(machine, test, () => evaluate(machine, env, x.items[index + 1] as Expr))
      left = logical(op, left, right)
      continue
    }
    const right = evaluate(machine, env, x.items[index + 1] as Expr)
    if (COMPARES.test(op)) noteBlanks(machine, x.items[index] as Expr, x.items[index + 1] as Expr)
    // A time that was never set is compared as nought: that is no date.
    const isFirst = COMPARES.test(op) && (isUnset(left, x.items[index + 1]) || isUnset(right, x.items[index]))
    left = isFirst ? unknown(taint(COMPUTED)) : operate(op, left, right)
  }
  return left
}
