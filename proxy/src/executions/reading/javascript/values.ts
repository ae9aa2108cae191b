import type { Source } from '../../facts/index.ts'
import type { Node } from './ast.ts'

/** Taint: something that the text of the program does not fix, with where it comes from. */
export interface Unknown {
  readonly k: 'any'
  readonly from: Source
  /** Names of secrets that are in it. */
  readonly secrets: readonly string[]
  /** What nobody sees on the card and a condition may hang on: `Date`, `Math.random`, `?NAME`, `variable NAME`. */
  readonly hidden: string | null
  readonly role: Role | null
  /** What a `json` or `encoded` value was made from. */
  readonly data: Value | null
}

/** What an unknown value is, where it matters: `atom` holds no slash, `query` starts with `?` or is empty. */
export type Role =
  | 'atom'
  | 'query'
  | 'json'
  | 'response'
  | 'headers'
  | 'location'
  | 'sender'
  | 'constructor'
  | 'counter'
  | 'bytes'
  | 'package'
  | 'module'

/** A constant that came out of decoding. */
interface Decoded {
  readonly k: 'decoded'
  readonly text: string
}

export type Part = string | Decoded | Unknown

/** A string in parts, constant ones and computed ones. */
export interface Text {
  readonly k: 'text'
  readonly parts: readonly Part[]
  /** It was chosen under this hidden condition. */
  readonly hidden: string | null
}

interface Primitive {
  readonly k: 'primitive'
  readonly value: number | boolean | null | undefined
}

interface Items {
  readonly k: 'items'
  readonly items: Value[]
  /** What further items are. */
  more: Unknown | null
}

/** An object of the program, or one of the platform's whose parts the reader follows. */
export interface Thing {
  readonly k: 'thing'
  readonly props: Map<string, Value>
  /** What any other property is; null when there is none. */
  rest: Unknown | null
  readonly made: ClassValue | null
  readonly role: ThingRole | null
  /** What it inherits from, beside its class; null when that is a plain object. */
  proto: Value | null
}

type ThingRole = 'URL' | 'URLSearchParams' | 'Headers' | 'Request' | 'XHR' | 'Map' | 'Encoder' | 'Proxy'

export interface FunctionValue {
  readonly k: 'function'
  readonly node: Node
  readonly frame: Frame
  readonly self: Value | null
  readonly home: ClassValue | null
  readonly props: Map<string, Value>
  readonly memo: Map<string, Value>
}

export interface ClassValue {
  readonly k: 'class'
  readonly node: Node
  readonly frame: Frame
  readonly parent: Value | null
  /** Static fields and methods. */
  readonly props: Map<string, Value>
  readonly methods: Map<string, FunctionValue>
  readonly getters: Map<string, FunctionValue>
}

/** Something of the platform by its full name: `fetch`, `JSON.stringify`, `node:http.request`. */
export interface Builtin {
  readonly k: 'builtin'
  readonly name: string
  /** Defaults of a client made by `create` or `extend`. */
  readonly data: Value | null
}

interface Bound {
  readonly k: 'bound'
  readonly target: Alternative
  readonly self: Value
  readonly args: readonly Value[]
}

export type Alternative =
  | Unknown
  | Text
  | Primitive
  | Items
  | Thing
  | FunctionValue
  | ClassValue
  | Builtin
  | Bound

/** What an expression may be: one of these. Never empty. */
export type Value = readonly Alternative[]

/** The variables of one call of a function (or of the program), and of what surrounds it. */
export interface Frame {
  readonly owner: Node
  readonly variables: Map<unknown, Value>
  readonly parent: Frame | null
  self: Value
  readonly home: ClassValue | null
  returns: Value | null
  yields: Value[] | null
}

const MOST_ALTERNATIVES = 32
const LONGEST_TEXT = 65_536
const MOST_PARTS = 48

export const UNDEFINED: Value = [{ k: 'primitive', value: undefined }]
export const NULL: Value = [{ k: 'primitive', value: null }]

const RANK: Record<Source, number> = { args: 0, answer: 1, decoded: 2, environment: 3, computed: 4 }
const NO_SECRETS: readonly string[] = []
const PLAIN = new Map<Source, Unknown>()

const worse = (a: Source, b: Source): Source => (RANK[a] <= RANK[b] ? a : b)

export function unknown(from: Source, more?: Partial<Unknown>): Unknown {
  if (more !== undefined) {
    return { k: 'any', from, secrets: NO_SECRETS, hidden: null, role: null, data: null, ...more }
  }
  let plain = PLAIN.get(from)
  if (plain === undefined) {
    plain = { k: 'any', from, secrets: NO_SECRETS, hidden: null, role: null, data: null }
    PLAIN.set(from, plain)
  }
  return plain
}

export const anything = (from: Source, more?: Partial<Unknown>): Value => [unknown(from, more)]
export const primitive = (value: number | boolean | null | undefined): Value => [{ k: 'primitive', value }]
export const text = (value: string): Value => [{ k: 'text', parts: [value], hidden: null }]
export const decodedText = (value: string): Value => [
  { k: 'text', parts: [{ k: 'decoded', text: value }], hidden: null },
]
export const builtin = (name: string, data: Value | null = null): Value => [{ k: 'builtin', name, data }]
export const thing = (
  entries: Iterable<readonly [string, Value]> = [],
  role: ThingRole | null = null,
): Thing => ({ k: 'thing', props: new Map(entries), rest: null, made: null, role, proto: null })
export const items = (list: Value[], more: Unknown | null = null): Value => [
  { k: 'items', items: list, more },
]

/** Every variable of the environment at once. */
const WHOLE_ENVIRONMENT: Unknown = {
  k: 'any',
  from: 'environment',
  secrets: ['*'],
  hidden: null,
  role: null,
  data: null,
}

/** What two unknown things are together. Data from outside beside the clock makes an ordinary comparison of the two. */
export function mixed(values: readonly Value[], base: Source = 'computed'): Unknown {
  let from = base
  let hidden: string | null = null
  let secrets: string[] | null = null
  let outside = false
  const look = (part: Unknown): void => {
    from = worse(part.from, from)
    if (part.from === 'answer' || part.from === 'args') outside = true
    if (part.hidden !== null && !(hidden !== null && part.hidden.startsWith('?'))) hidden = part.hidden
    for (const name of part.secrets) {
      secrets ??= []
      if (!secrets.includes(name)) secrets.push(name)
    }
  }
  let budget = 100
  const deep = (value: Value, depth: number): void => {
    for (const alternative of value) {
      if (budget-- <= 0) return
      if (alternative.k === 'any') {
        look(alternative)
        if (alternative.data !== null && depth < 4) deep(alternative.data, depth + 1)
      } else if (alternative.k === 'text') {
        if (alternative.hidden !== null && hidden === null) hidden = alternative.hidden
        for (const part of alternative.parts) {
          if (typeof part === 'string') continue
          if (part.k === 'any') look(part)
          else from = worse('decoded', from)
        }
      } else if (depth < 4 && alternative.k === 'items') {
        for (const item of alternative.items) {
          if (budget <= 0) break
          deep(item, depth + 1)
        }
        if (alternative.more !== null) look(alternative.more)
      } else if (depth < 4 && alternative.k === 'thing') {
        for (const item of alternative.props.values()) {
          if (budget <= 0) break
          deep(item, depth + 1)
        }
        if (alternative.rest !== null) look(alternative.rest)
      } else if (alternative.k === 'builtin' && alternative.name === 'process.env') look(WHOLE_ENVIRONMENT)
    }
  }
  for (const value of values) deep(value, 0)
  if (secrets === null && hidden === null) return unknown(from)
  return unknown(from, { secrets: secrets ?? NO_SECRETS, hidden: outside ? null : hidden })
}

export const secretsIn = (value: Value): readonly string[] => mixed([value]).secrets

const sameAlternative = (a: Alternative, b: Alternative): boolean => {
  if (a === b) return true
  if (a.k !== b.k) return false
  if (a.k === 'primitive') return a.value === (b as Primitive).value
  if (a.k === 'builtin') return a.name === (b as Builtin).name && a.data === (b as Builtin).data
  if (a.k === 'any') {
    const other = b as Unknown
    return (
      a.from === other.from &&
      a.role === other.role &&
      a.hidden === other.hidden &&
      a.data === other.data &&
      a.secrets.length === other.secrets.length &&
      a.secrets.every((name) => other.secrets.includes(name))
    )
  }
  if (a.k === 'text') {
    const other = b as Text
    return (
      a.hidden === other.hidden &&
      a.parts.length === other.parts.length &&
      a.parts.every((part, index) => {
        const beside = other.parts[index]
        if (typeof part === 'string' || typeof beside === 'string' || beside === undefined)
          return part === beside
        return part.k === 'decoded'
          ? beside.k === 'decoded' && part.text === beside.text
          : beside.k === 'any' && sameAlternative(part, beside)
      })
    )
  }
  return false
}

/** Everything that any of the values may be; more than can be told apart is one unknown thing. */
export function union(...values: readonly Value[]): Value {
  const first = values[0]
  if (values.length === 1 && first !== undefined) return first
  const all: Alternative[] = []
  for (const value of values) {
    if (value === first) {
      all.push(...value)
      continue
    }
    for (const alternative of value) {
      if (all.length > MOST_ALTERNATIVES) break
      if (!all.some((other) => sameAlternative(other, alternative))) all.push(alternative)
    }
  }
  if (first !== undefined && all.length === first.length) return first
  return all.length > MOST_ALTERNATIVES ? [mixed([all])] : all
}

/** The constant that a string is, with what was decoded in it; null when a part is computed. */
export function constantOf(alternative: Alternative): string | null {
  if (alternative.k !== 'text') return null
  if (alternative.parts.length === 1 && typeof alternative.parts[0] === 'string') return alternative.parts[0]
  let whole = ''
  for (const part of alternative.parts) {
    if (typeof part === 'string') whole += part
    else if (part.k === 'decoded') whole += part.text
    else return null
  }
  return whole
}

/** The one constant string that a value is, or null. */
export const only = (value: Value): string | null =>
  value.length === 1 ? constantOf(value[0] as Alternative) : null

export const isDecoded = (alternative: Alternative): boolean =>
  alternative.k === 'text' &&
  alternative.parts.some((part) => typeof part !== 'string' && part.k === 'decoded')

/** Appends parts with neighbours merged. */
export function joinParts(left: readonly Part[], right: readonly Part[]): Part[] {
  const parts = [...left]
  for (const part of right) {
    const last = parts.at(-1)
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part
    else if (part !== '') parts.push(part)
  }
  return parts
}

export const lengthOf = (parts: readonly Part[]): number => {
  let length = 0
  for (const part of parts)
    length += typeof part === 'string' ? part.length : part.k === 'decoded' ? part.text.length : 1
  return length
}

/** The two strings one behind the other, for each pair of alternatives. */
export function concat(left: readonly Text[], right: readonly Text[]): Text[] {
  if (left.length * right.length > MOST_ALTERNATIVES) {
    return [{ k: 'text', parts: [mixed([left, right])], hidden: null }]
  }
  const all: Text[] = []
  for (const a of left) {
    for (const b of right) {
      const parts = joinParts(a.parts, b.parts)
      const hidden = a.hidden ?? b.hidden
      if (parts.length > MOST_PARTS || lengthOf(parts) > LONGEST_TEXT) {
        all.push({ k: 'text', parts: [mixed([[a], [b]])], hidden })
      } else all.push({ k: 'text', parts, hidden })
    }
  }
  return all
}

/** A value that was chosen under a hidden condition says so. */
export const underCondition = (value: Value, hidden: string): Value =>
  value.map((alternative) =>
    (alternative.k === 'text' || alternative.k === 'any') && alternative.hidden === null
      ? { ...alternative, hidden }
      : alternative,
  )
