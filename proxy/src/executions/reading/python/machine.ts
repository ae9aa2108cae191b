import type { Call } from './arguments.ts'
import { MAX_STEPS, Unreadable } from './limits.ts'
import type { Recorder } from './recorder.ts'
import type { FunctionNode, Stmt } from './syntax.ts'
import type { ClassAlt, Env, Value } from './values.ts'

/** One call that is being followed. */
export interface Frame {
  readonly env: Env
  readonly self: Value | null
  readonly owner: ClassAlt | null
  returns: Value
  yields: Value
}

/** What a variable held before it was set. */
export interface Change {
  readonly env: Env
  readonly name: string
  readonly before: Value | undefined
}

/** A condition that hides behaviour, while what stands behind it is followed. */
export interface Hidden {
  readonly at: number
  readonly detail: string
}

/** How a branch ends: it goes on, leaves a loop, or leaves the function. */
export type Ending = 'on' | 'leaves' | 'ends'

/** Follows a call of everything that `fn` may be; null for `call` stands for arguments that nothing is known of. */
type FollowCall = (fn: Value, call: Call | null, at: number, env: Env | null) => Value
/** Follows statements one after another. */
type FollowBody = (env: Env, body: readonly Stmt[]) => Ending

/** Abstract interpretation: the state of following one program, and the two operations that everything else comes back to. */
export interface Machine {
  readonly call: FollowCall
  readonly run: FollowBody
  readonly recorder: Recorder
  readonly globals: Env
  readonly frames: Frame[]
  readonly hidden: Hidden[]
  /** Changes of variables since the start, so that branches can be taken back and joined. */
  readonly log: Change[]
  readonly stars: string[]
  /** Functions and classes that were made, and those that were called. */
  readonly made: { fn: FunctionNode; call: () => void }[]
  readonly called: Set<FunctionNode>
  /** Functions with a decorator, which may call them. */
  readonly decorated: Set<FunctionNode>
  /** Attributes that were asked of objects that nothing is known of. */
  readonly openNames: Set<string>
  /** Global names that functions have read: what a call gives may change with them. */
  readonly shared: Set<string>
  readonly owners: Map<FunctionNode, ClassAlt>
  readonly contexts: Map<FunctionNode, Map<string, Value>>
  readonly ids: WeakMap<object, number>
  nextId: number
  steps: number
  loops: number
  /** Objects that are gone through inside of one another. */
  walks: number
  version: number
}

/** A scope with no names in it. `locals` are the names that its body binds. */
export const newEnv = (parent: Env | null, locals: ReadonlySet<string> | null, isClass = false): Env => ({
  vars: new Map(),
  parent,
  locals,
  isClass,
  global: new Set(),
  nonlocal: new Set(),
})

/** A machine that has followed nothing. `call` and `run` are the operations that it carries. */
export function newMachine(
  recorder: Recorder,
  call: (machine: Machine, ...given: Parameters<FollowCall>) => Value,
  run: (machine: Machine, ...given: Parameters<FollowBody>) => Ending,
): Machine {
  const machine: Machine = {
    call: (fn, given, at, env) => call(machine, fn, given, at, env),
    run: (env, body) => run(machine, env, body),
    recorder,
    globals: newEnv(null, null),
    frames: [],
    hidden: [],
    log: [],
    stars: [],
    made: [],
    called: new Set(),
    decorated: new Set(),
    openNames: new Set(),
    shared: new Set(),
    owners: new Map(),
    contexts: new Map(),
    ids: new WeakMap(),
    nextId: 1,
    steps: 0,
    loops: 0,
    walks: 0,
    version: 0,
  }
  return machine
}

/** Counts work; a program that needs more than the limit is not readable. */
export function step(machine: Machine, at: number): void {
  if (++machine.steps > MAX_STEPS) throw new Unreadable(at, 'is too much to follow')
}

/** Where a name of this scope is bound. */
function home(machine: Machine, env: Env, name: string): Env {
  if (env.global.has(name)) return machine.globals
  if (!env.nonlocal.has(name)) return env
  for (let outer = env.parent; outer !== null; outer = outer.parent) {
    if (!outer.isClass && outer.vars.has(name)) return outer
  }
  return env
}

/** Binds a name, as `global` and `nonlocal` say. */
export function assignName(machine: Machine, env: Env, name: string, value: Value): void {
  const target = home(machine, env, name)
  const before = target.vars.get(name)
  machine.log.push({ env: target, name, before })
  if (target === machine.globals && before !== undefined && before !== value && machine.shared.has(name))
    machine.version++
  target.vars.set(name, value)
}

/** The value of a name, or undefined where the program binds none. */
export function lookupName(machine: Machine, env: Env, name: string): Value | undefined {
  if (env.global.has(name)) {
    machine.shared.add(name)
    return machine.globals.vars.get(name)
  }
  for (let scope: Env | null = env; scope !== null; scope = scope.parent) {
    if (scope.isClass && scope !== env) continue
    const value = scope.vars.get(name)
    if (scope === machine.globals && env !== scope) machine.shared.add(name)
    if (value !== undefined) return value
  }
  return undefined
}

/** A short name for a value, the same for the same value. */
export function keyOf(machine: Machine, value: Value): string {
  let key = ''
  for (const alt of value) {
    if (alt.t === 'const')
      key += `${typeof alt.v === 'string' ? JSON.stringify(alt.v) : String(alt.v)}${alt.bits};`
    else if (alt.t === 'unknown') key += `?${alt.taint.bits}${alt.taint.secrets.join()};`
    else if (alt.t === 'text')
      for (const piece of alt.pieces)
        key +=
          typeof piece === 'string' ? `t${JSON.stringify(piece)}` : `?${piece.bits}${piece.secrets.join()};`
    else if (alt.t === 'ref') key += `r${alt.name};`
    else if (alt.t === 'function') key += `f${idOf(machine, alt.fn)}.${idOf(machine, alt.env)};`
    else key += `#${idOf(machine, alt)};`
  }
  return key
}

function idOf(machine: Machine, thing: object): number {
  let id = machine.ids.get(thing)
  if (id === undefined) {
    id = machine.nextId++
    machine.ids.set(thing, id)
  }
  return id
}
