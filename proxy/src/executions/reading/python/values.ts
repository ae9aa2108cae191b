import type { Source } from '../../facts/index.ts'
import { MAX_VALUES } from './limits.ts'
import type { FunctionNode } from './syntax.ts'

/**
 * Taint: where data comes from, as bits; `REDIRECT` marks the target of one, `CLOCK` to `COUNTER` what a hidden condition
 * hangs on.
 */
export const ARGS = 1
export const ANSWER = 2
export const DECODED = 4
export const ENVIRONMENT = 8
export const COMPUTED = 16
export const CLOCK = 32
export const RANDOM = 64
export const PLATFORM = 128
export const COUNTER = 256
export const REDIRECT = 512

/** What is known of data that the program does not fix. `secrets` are names; a name behind `~` was encoded as base64. */
export interface Taint {
  readonly bits: number
  readonly secrets: readonly string[]
}

/** Data that the program fixes. */
export const CLEAN: Taint = { bits: 0, secrets: [] }
/** Data from these places, with no secret in it. */
export const taint = (bits: number): Taint => ({ bits, secrets: [] })

/** A piece of text: fixed, or open with what decides it. */
export type Piece = string | Taint

/** One thing that a value may be. Lists, dicts and objects are shared and change in place, as in Python. */
export type Alt =
  | { readonly t: 'const'; readonly v: string | number | boolean | null; readonly bits: number }
  | { readonly t: 'text'; readonly pieces: readonly Piece[] }
  | { readonly t: 'json'; readonly of: Value; readonly taint: Taint }
  | { readonly t: 'list'; readonly items: Value[]; rest: Value }
  | { readonly t: 'dict'; readonly entries: Map<string, Value>; rest: Value }
  | { readonly t: 'ref'; readonly name: string }
  | FunctionAlt
  | ClassAlt
  | ObjectAlt
  | { readonly t: 'known'; readonly what: string; readonly fields: Map<string, Value> }
  | { readonly t: 'bound'; readonly self: Alt; readonly name: string }
  | {
      readonly t: 'partial'
      readonly fn: Value
      readonly args: readonly Value[]
      readonly named: ReadonlyMap<string, Value>
    }
  | { readonly t: 'unknown'; readonly taint: Taint }

/** A function; `self` is what it is bound to, `owner` the class that it stands in. */
export interface FunctionAlt {
  readonly t: 'function'
  readonly fn: FunctionNode
  readonly env: Env
  readonly self: Value | null
  readonly owner: ClassAlt | null
  readonly kind: 'plain' | 'property' | 'static' | 'class'
  readonly initial: ReadonlyMap<string, Value>
}

/** A class of the program; `objects` are the first ones that were made of it. */
export interface ClassAlt {
  readonly t: 'class'
  readonly name: string
  readonly members: Map<string, Value>
  /** Names of annotated members in their order, as a dataclass takes them. */
  readonly fields: string[]
  readonly bases: readonly Value[]
  readonly objects: ObjectAlt[]
}

/** An object of a class of the program. */
export interface ObjectAlt {
  readonly t: 'object'
  readonly of: ClassAlt
  readonly attributes: Map<string, Value>
}

/** Everything that a value may be; an empty one was never given. */
export type Value = readonly Alt[]

/** Names of one activation. `locals` are those that the body binds; null for a module or a class. */
export interface Env {
  readonly vars: Map<string, Value>
  readonly parent: Env | null
  readonly locals: ReadonlySet<string> | null
  readonly isClass: boolean
  readonly global: Set<string>
  readonly nonlocal: Set<string>
}

/** A value that was never given. */
export const NOTHING: Value = []
/** A value that the program fixes. */
export const constant = (v: string | number | boolean | null, bits = 0): Value => [{ t: 'const', v, bits }]
/** A value of which only its origin is known. */
export const unknown = (of: Taint): Value => [{ t: 'unknown', taint: of }]
/** A module, or something in one, by its dotted name. */
export const refTo = (name: string): Value => [{ t: 'ref', name }]
/** Python's `None`. */
export const NONE = constant(null)
/** A thing of a library that the reader knows by the name `what`. */
export const knownValue = (what: string, fields: Iterable<readonly [string, Value]> = []): Value => [
  { t: 'known', what, fields: new Map(fields) },
]

/** Data that comes from both. */
export function mergeTaints(a: Taint, b: Taint): Taint {
  if (a === b || (b.bits === 0 && b.secrets.length === 0)) return a
  if (a.bits === 0 && a.secrets.length === 0) return b
  const secrets = b.secrets.every((name) => a.secrets.includes(name))
    ? a.secrets
    : [...new Set([...a.secrets, ...b.secrets])].slice(0, 64)
  return { bits: a.bits | b.bits, secrets }
}

const sameTaint = (a: Taint, b: Taint): boolean =>
  a.bits === b.bits && (a.secrets === b.secrets || a.secrets.join() === b.secrets.join())

function sameAlt(a: Alt, b: Alt): boolean {
  if (a === b) return true
  if (a.t !== b.t) return false
  if (a.t === 'const' && b.t === 'const') return a.v === b.v && a.bits === b.bits
  if (a.t === 'ref' && b.t === 'ref') return a.name === b.name
  if (a.t === 'bound' && b.t === 'bound') return a.name === b.name && sameAlt(a.self, b.self)
  if (a.t === 'function' && b.t === 'function') return a.fn === b.fn && a.env === b.env && a.self === b.self
  if (a.t === 'text' && b.t === 'text')
    return (
      a.pieces.length === b.pieces.length &&
      a.pieces.every((piece, index) => {
        const other = b.pieces[index] as Piece
        return typeof piece === 'string' || typeof other === 'string'
          ? piece === other
          : sameTaint(piece, other)
      })
    )
  if (a.t === 'unknown' && b.t === 'unknown') return sameTaint(a.taint, b.taint)
  return false
}

/** Either of two values; the first itself when the second says nothing new. */
export function join(a: Value, b: Value): Value {
  if (a === b || b.length === 0) return a
  if (a.length === 0) return b
  let out: Alt[] | null = null
  for (const alt of b) {
    const now: readonly Alt[] = out ?? a
    if (now.some((other) => sameAlt(other, alt))) continue
    out ??= [...a]
    const open = alt.t === 'unknown' ? out.findIndex((other) => other.t === 'unknown') : -1
    const before = out[open]
    if (before?.t === 'unknown' && alt.t === 'unknown') {
      const merged = mergeTaints(before.taint, alt.taint)
      if (sameTaint(merged, before.taint)) continue
      out[open] = { t: 'unknown', taint: merged }
    } else out.push(alt)
  }
  if (out === null || (out.length === a.length && out.every((alt, index) => alt === a[index]))) return a
  return out.length > MAX_VALUES ? widen(out) : out
}

/** Any of these values. */
export const joinAll = (values: Iterable<Value>): Value => {
  let out: Value = NOTHING
  for (const value of values) out = join(out, value)
  return out
}

/** Items that a list keeps apart; those behind them are taken together. */
export const MAX_ITEMS = 256

/** A list of these items, and of others that `rest` may be. */
export const listOfItems = (items: readonly Value[], rest: Value = NOTHING): Value => [
  { t: 'list', items: items.slice(0, MAX_ITEMS), rest: join(rest, joinAll(items.slice(MAX_ITEMS))) },
]

/** Fewer alternatives that cover the given ones: texts become their common beginning and an open rest. */
export function widen(alts: Value): Value {
  const isText = (alt: Alt): alt is Extract<Alt, { t: 'const' | 'text' | 'json' }> =>
    (alt.t === 'const' && alt.v !== null && typeof alt.v !== 'boolean') ||
    alt.t === 'text' ||
    alt.t === 'json'
  const texts = alts.filter(isText)
  const rest = alts.filter((alt) => !isText(alt))
  const kept = rest.slice(0, MAX_VALUES / 2)
  const left = rest.slice(kept.length)
  const others: Value =
    left.length === 0 ? kept : join(kept, unknown(mergeTaints(taintOf(left), taint(COMPUTED))))
  let all: Taint = taint(COMPUTED)
  let start: string | null = null
  for (const alt of texts) {
    all = mergeTaints(all, taintOf([alt]))
    const first: string =
      alt.t === 'const'
        ? String(alt.v)
        : alt.t === 'text' && typeof alt.pieces[0] === 'string'
          ? alt.pieces[0]
          : ''
    if (start === null) start = first
    let same = 0
    while (same < start.length && start[same] === first[same]) same++
    start = start.slice(0, same)
  }
  if (texts.length === 0) return others
  const pattern: Alt =
    start === null || start === ''
      ? { t: 'unknown', taint: all }
      : { t: 'text', pieces: [start.slice(0, start.lastIndexOf('/') + 1) || start, all] }
  return join(others, [pattern])
}

/** Values inside of a value that are looked at, each once. */
const MAX_LOOK = 400

/** Everything that data inside the value comes from. */
export function taintOf(value: Value): Taint {
  const [only] = value
  if (value.length === 1 && only?.t === 'const') return only.bits === 0 ? CLEAN : taint(only.bits)
  if (value.length === 1 && only?.t === 'unknown') return only.taint
  let out = CLEAN
  const seen = new Set<Alt>()
  const open: Value[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const alt of next) {
      if (alt.t === 'const') {
        if (alt.bits !== 0) out = mergeTaints(out, taint(alt.bits))
      } else if (alt.t === 'unknown' || alt.t === 'json') out = mergeTaints(out, alt.taint)
      else if (alt.t === 'text') {
        for (const piece of alt.pieces) if (typeof piece !== 'string') out = mergeTaints(out, piece)
      } else if (!seen.has(alt)) {
        seen.add(alt)
        if (seen.size > MAX_LOOK) return mergeTaints(out, taint(COMPUTED))
        if (alt.t === 'list') open.push(alt.rest, ...alt.items)
        else if (alt.t === 'dict') open.push(alt.rest, ...alt.entries.values())
        else if (alt.t === 'known') open.push(...alt.fields.values())
        else if (alt.t === 'object') open.push(...alt.attributes.values())
        else if (alt.t === 'bound') open.push([alt.self])
      }
    }
  }
  return out
}

/** What decides, for a person: the most telling of the places that data comes from. */
export function sourceOf(of: Taint): Source {
  if (of.bits & ARGS) return 'args'
  if (of.bits & ANSWER) return 'answer'
  if (of.bits & DECODED) return 'decoded'
  if (of.bits & ENVIRONMENT) return 'environment'
  return 'computed'
}

/** The constants of a value, or null when it may be something else. */
export function constantsOf(value: Value): (string | number | boolean | null)[] | null {
  const out: (string | number | boolean | null)[] = []
  for (const alt of value) {
    if (alt.t === 'const') out.push(alt.v)
    else return null
  }
  return out.length === 0 ? null : out
}

/** A constant was compared with a variable of the environment. */
export const TESTED = 1024
