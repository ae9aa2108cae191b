import { type Call, NO_ARGUMENTS } from './arguments.ts'
import { attributeOf, externalBases, findMember } from './attributes.ts'
import { callLibrary } from './library.ts'
import { MAX_CALLS, MAX_CONTEXTS, MAX_STEPS } from './limits.ts'
import { type Frame, keyOf, type Machine, newEnv } from './machine.ts'
import { callMethod } from './methods.ts'
import { callUnknown } from './unknown-calls.ts'
import {
  type Alt,
  type ClassAlt,
  COMPUTED,
  constantsOf,
  type Env,
  type FunctionAlt,
  join,
  joinAll,
  mergeTaints,
  NONE,
  NOTHING,
  type ObjectAlt,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

const OPEN = unknown(taint(COMPUTED))

/** Follows a call of everything that a value may be; null stands for arguments that nothing is known of. */
export function callValue(
  machine: Machine,
  fn: Value,
  call: Call | null,
  at: number,
  env: Env | null,
): Value {
  if (fn.length === 1) return callAlt(machine, fn[0] as Alt, call, at, env)
  return joinAll(fn.map((alt) => callAlt(machine, alt, call, at, env)))
}

function callAlt(machine: Machine, alt: Alt, call: Call | null, at: number, env: Env | null): Value {
  switch (alt.t) {
    case 'function':
      return callFunction(machine, alt, call)
    case 'class':
      return create(machine, alt, call, at)
    case 'partial': {
      const given = call ?? NO_ARGUMENTS
      return callValue(
        machine,
        alt.fn,
        { ...given, args: [...alt.args, ...given.args], named: new Map([...alt.named, ...given.named]) },
        at,
        env,
      )
    }
    case 'ref':
      return callLibrary(machine, alt.name, call ?? NO_ARGUMENTS, at, env)
    case 'bound':
      return callMethod(machine, alt.self, alt.name, call ?? NO_ARGUMENTS, at)
    case 'known':
      return alt.what === 'caller'
        ? callNamed(machine, alt.fields, call ?? NO_ARGUMENTS, at)
        : callUnknown(machine, taintOf([alt]), call ?? NO_ARGUMENTS, at)
    case 'object': {
      const member = findMember(alt.of, '__call__')
      if (member !== null)
        return callValue(
          machine,
          member.flatMap(
            (one): Value => (one.t === 'function' ? [{ ...one, self: [alt], owner: alt.of }] : []),
          ),
          call,
          at,
          env,
        )
      return callUnknown(machine, taintOf([alt]), call ?? NO_ARGUMENTS, at)
    }
    default:
      return callUnknown(machine, taintOf([alt]), call ?? NO_ARGUMENTS, at)
  }
}

/** What `operator.attrgetter` and `methodcaller` made: the named attribute of their argument, called with theirs. */
function callNamed(machine: Machine, fields: ReadonlyMap<string, Value>, call: Call, at: number): Value {
  const names = constantsOf(fields.get('name') ?? NOTHING) ?? []
  const found = joinAll(names.map((name) => attributeOf(machine, call.args[0] ?? OPEN, String(name), at)))
  const [list] = fields.get('args') ?? NOTHING
  const [named] = fields.get('named') ?? NOTHING
  if (list?.t !== 'list') return found
  return callValue(
    machine,
    found,
    { ...NO_ARGUMENTS, args: list.items, named: named?.t === 'dict' ? named.entries : new Map() },
    at,
    null,
  )
}

function create(machine: Machine, of: ClassAlt, call: Call | null, at: number): Value {
  const made: ObjectAlt = { t: 'object', of, attributes: new Map() }
  if (of.objects.length < 16) of.objects.push(made)
  const init = findMember(of, '__init__')
  const given = call ?? NO_ARGUMENTS
  if (init !== null)
    callValue(
      machine,
      init.flatMap(
        (alt): Value => (alt.t === 'function' ? [{ ...alt, self: [made], owner: alt.owner ?? of }] : []),
      ),
      call,
      at,
      null,
    )
  else {
    of.fields.forEach((name, index) => {
      const value = given.named.get(name) ?? given.args[index]
      if (value !== undefined) made.attributes.set(name, value)
    })
    for (const [name, value] of given.named) made.attributes.set(name, value)
  }
  const [library] = externalBases(of)
  if (library === 'urllib.request.Request') {
    for (const [index, value] of given.args.entries())
      made.attributes.set(['url', 'data', 'headers'][index] ?? `_${index}`, value)
  }
  return [made]
}

function bindParameters(env: Env, fn: FunctionAlt, call: Call | null): void {
  const { params } = fn.fn
  const args: Value[] = fn.self === null ? [...(call?.args ?? [])] : [fn.self, ...(call?.args ?? [])]
  const taken = new Set<string>()
  let place = 0
  let onlyNamed = false
  for (const param of params) {
    if (param.star === '*') {
      const rest = args.slice(place)
      env.vars.set(param.name, [{ t: 'list', items: rest, rest: call === null ? OPEN : call.rest }])
      onlyNamed = true
      continue
    }
    if (param.star === '**') {
      const entries = new Map<string, Value>()
      for (const [name, value] of call?.named ?? []) if (!taken.has(name)) entries.set(name, value)
      env.vars.set(param.name, [{ t: 'dict', entries, rest: call === null ? OPEN : call.restNamed }])
      continue
    }
    const initial = fn.initial.get(param.name)
    let value: Value | undefined = onlyNamed ? undefined : args[place]
    if (!onlyNamed) place++
    if (value === undefined) value = call?.named.get(param.name)
    if (value === undefined) {
      const rest = call === null ? OPEN : join(onlyNamed ? NOTHING : call.rest, call.restNamed)
      value = initial === undefined ? (rest.length === 0 ? OPEN : rest) : join(initial, rest)
    }
    taken.add(param.name)
    env.vars.set(param.name, value)
  }
}

/** The more has been followed already, the fewer different calls of one function are. */
const contextLimit = ({ steps }: Machine): number =>
  steps < MAX_STEPS / 24 ? MAX_CONTEXTS : steps < MAX_STEPS / 8 ? MAX_CONTEXTS / 10 : 1

function callFunction(machine: Machine, alt: FunctionAlt, call: Call | null): Value {
  const { fn } = alt
  machine.called.add(fn)
  const env = newEnv(alt.env, fn.locals)
  bindParameters(env, alt, call)
  let contexts = machine.contexts.get(fn)
  if (contexts === undefined) {
    contexts = new Map()
    machine.contexts.set(fn, contexts)
  }
  const full = contexts.size >= contextLimit(machine)
  let key = `${machine.hidden.length > 0 ? 'h' : ''}`
  if (full) {
    for (const [name, value] of env.vars) {
      if (fn.params[0]?.name !== name || alt.self === null)
        env.vars.set(name, unknown(mergeTaints(taintOf(value), taint(COMPUTED))))
    }
    key += 'any'
    if (contexts.size < MAX_CONTEXTS * 2)
      for (const [name, value] of env.vars) if (fn.params[0]?.name !== name) key += keyOf(machine, value)
  } else {
    key += `${machine.version}|`
    for (const [name, value] of env.vars) key += `${name}=${keyOf(machine, value)}|`
  }
  const before = contexts.get(key)
  if (before !== undefined) return before
  if (machine.frames.length >= MAX_CALLS) return OPEN
  contexts.set(key, OPEN)
  const frame: Frame = { env, self: alt.self, owner: alt.owner, returns: NOTHING, yields: NOTHING }
  machine.frames.push(frame)
  const hidden = machine.hidden.length
  machine.run(env, fn.body)
  machine.hidden.length = hidden
  machine.frames.pop()
  const result: Value = fn.generator
    ? [{ t: 'list', items: [], rest: frame.yields }]
    : frame.returns.length === 0
      ? NONE
      : frame.returns
  contexts.set(key, result)
  return result
}
