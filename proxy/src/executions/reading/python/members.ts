import { NO_ARGUMENTS } from './arguments.ts'
import { attributeOf } from './attributes.ts'
import { readVariable } from './environment.ts'
import type { Machine } from './machine.ts'
import { lookupName } from './machine.ts'
import { BUILTINS } from './modules.ts'
import {
  type Alt,
  ANSWER,
  COMPUTED,
  constant,
  constantsOf,
  join,
  joinAll,
  mergeTaints,
  NOTHING,
  REDIRECT,
  refTo,
  taint,
  taintOf,
  unknown,
  type Value,
} from './values.ts'

/** What going through a value gives: its known items in order, and what any other item may be. */
export function iterate(
  machine: Machine,
  value: Value,
  at: number,
): { known: readonly Value[]; open: Value } {
  let known: readonly Value[] = []
  let open: Value = NOTHING
  for (const alt of value) {
    const one = iterateAlt(machine, alt, at)
    if (value.length === 1) return one
    known = known.length === 0 ? one.known : known
    if (known !== one.known) open = join(open, joinAll(one.known))
    open = join(open, one.open)
  }
  return { known, open }
}

function iterateAlt(machine: Machine, alt: Alt, at: number): { known: readonly Value[]; open: Value } {
  switch (alt.t) {
    case 'list':
      return { known: [...alt.items], open: alt.rest }
    case 'dict':
      return {
        known: [...alt.entries.keys()].map((key) => constant(key)),
        open: alt.rest.length === 0 ? NOTHING : unknown(taintOf(alt.rest)),
      }
    case 'const':
      if (typeof alt.v === 'string' && alt.v.length <= 64)
        return { known: Array.from(alt.v, (char) => constant(char, alt.bits)), open: NOTHING }
      break
    case 'ref':
      if (alt.name === 'os.environ') return { known: [], open: readVariable(machine, null, at) }
      break
    case 'object': {
      // An object may go through itself without end.
      const iter = machine.walks > 2 ? NOTHING : attributeOf(machine, [alt], '__iter__', at)
      if (iter.some((one) => one.t === 'function')) {
        machine.walks++
        const walked = iterate(machine, machine.call(iter, NO_ARGUMENTS, at, null), at)
        machine.walks--
        return walked
      }
    }
  }
  return { known: [], open: unknown(mergeTaints(taintOf([alt]), taint(COMPUTED))) }
}

/** `value[index]`; an empty index is one that nothing is known of. */
export function itemOf(machine: Machine, value: Value, index: Value, at: number): Value {
  return joinAll(value.map((alt) => itemOfAlt(machine, alt, index, at)))
}

function itemOfAlt(machine: Machine, alt: Alt, index: Value, at: number): Value {
  const keys = constantsOf(index)
  switch (alt.t) {
    case 'dict': {
      if (keys === null) return orOpen(join(joinAll(alt.entries.values()), alt.rest), index)
      return orOpen(joinAll(keys.map((key) => alt.entries.get(String(key)) ?? alt.rest)), index)
    }
    case 'list': {
      if (keys === null || keys.some((key) => typeof key !== 'number' && typeof key !== 'boolean'))
        return orOpen(join(joinAll(alt.items), alt.rest), index)
      return orOpen(
        joinAll(
          keys.map(
            (key) => alt.items[Number(key) < 0 ? alt.items.length + Number(key) : Number(key)] ?? alt.rest,
          ),
        ),
        index,
      )
    }
    case 'const': {
      const place = keys?.length === 1 ? keys[0] : undefined
      if (typeof alt.v === 'string' && typeof place === 'number') {
        const char = alt.v.at(place)
        if (char !== undefined) return constant(char, alt.bits)
      }
      break
    }
    case 'ref':
      if (alt.name === 'os.environ')
        return keys === null
          ? readVariable(machine, null, at)
          : joinAll(keys.map((key) => readVariable(machine, String(key), at)))
      if (alt.name === 'sys.modules') {
        if (keys === null) machine.recorder.danger('code_from_text', at, 'sys.modules[…]')
        else return joinAll(keys.map((key) => refTo(String(key))))
      }
      return refTo(alt.name)
    case 'known':
      if (alt.what === 'namespace') return namespaceItem(machine, alt, keys, at)
      break
    case 'object': {
      const get = attributeOf(machine, [alt], '__getitem__', at)
      if (get.some((one) => one.t === 'function'))
        return machine.call(get, { ...NO_ARGUMENTS, args: [index] }, at, null)
      break
    }
    case 'class':
      return [alt]
  }
  const of = taintOf([alt])
  const key = taintOf(index)
  if (
    of.bits & ANSWER &&
    keys?.some((name) => typeof name === 'string' && /^(?:content-)?location$|^refresh$/i.test(name))
  )
    return unknown(mergeTaints(of, taint(REDIRECT)))
  return unknown(of.bits === 0 && of.secrets.length === 0 ? mergeTaints(key, taint(COMPUTED)) : of)
}

const orOpen = (value: Value, index: Value): Value =>
  value.length === 0 ? unknown(mergeTaints(taintOf(index), taint(COMPUTED))) : value

/** `globals()[…]`, `vars(module)[…]`, `module.__dict__[…]`. */
function namespaceItem(
  machine: Machine,
  alt: Extract<Alt, { t: 'known' }>,
  keys: readonly unknown[] | null,
  at: number,
): Value {
  const of = alt.fields.get('of') ?? NOTHING
  if (keys === null) {
    machine.recorder.danger('code_from_text', at, 'a name that is computed')
    return unknown(taint(COMPUTED))
  }
  return joinAll(
    keys.map((key) => {
      const name = String(key)
      if (of.length > 0) return attributeOf(machine, of, name, at)
      if (name === '__builtins__') return refTo('builtins')
      const found = lookupName(machine, machine.frames.at(-1)?.env ?? machine.globals, name)
      if (found !== undefined) return found
      return BUILTINS.has(name) ? attributeOf(machine, refTo('builtins'), name, at) : unknown(taint(COMPUTED))
    }),
  )
}

/** `value[a:b:c]`. */
export function sliceOf(machine: Machine, value: Value, parts: readonly (Value | null)[]): Value {
  const numbers = [0, 1, 2].map((index) => {
    const part = parts[index]
    if (part === null || part === undefined) return null
    const found = constantsOf(part)
    return found?.length === 1 && typeof found[0] === 'number' ? found[0] : undefined
  })
  const [from, to, by] = numbers
  return joinAll(
    value.map((alt): Value => {
      if (from !== undefined && to !== undefined && by !== undefined) {
        if (alt.t === 'const' && typeof alt.v === 'string')
          return constant(cut(Array.from(alt.v), from, to, by).join(''), alt.bits)
        if (alt.t === 'list' && alt.rest.length === 0)
          return [{ t: 'list', items: cut(alt.items, from, to, by), rest: NOTHING }]
      }
      if (alt.t === 'list') return [{ t: 'list', items: [], rest: join(joinAll(alt.items), alt.rest) }]
      const of = taintOf([alt])
      machine.recorder.secretGoes(of, 'computed')
      return unknown(of.bits === 0 && of.secrets.length === 0 ? taint(COMPUTED) : of)
    }),
  )
}

function cut<T>(items: readonly T[], from: number | null, to: number | null, by: number | null): T[] {
  if (by === null || by === 1) return items.slice(from ?? 0, to ?? undefined)
  if (by > 0) return items.slice(from ?? 0, to ?? undefined).filter((_, index) => index % by === 0)
  const start = from === null ? items.length - 1 : from < 0 ? items.length + from : from
  const stop = to === null ? -1 : to < 0 ? items.length + to : to
  const out: T[] = []
  for (let index = Math.min(start, items.length - 1); index > stop && by < 0; index += by)
    out.push(items[index] as T)
  return out
}
