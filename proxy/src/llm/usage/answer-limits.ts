import { wordSet } from '../../kernel/index.ts'
import type { AnswerFormat } from './answer-formats.ts'
import type { ByteRange } from './body-scan.ts'
import { numberAt, skipBlanks } from './json-bytes.ts'
import type { ValueKind, ValueReader } from './json-walk.ts'
import type { Word } from './json-word.ts'
import type { Splice } from './splice.ts'

/** Where a body says how long an answer may be, in the names of all vendors; plain data, so that a worker can tell it. */
export interface LimitMembers {
  readonly members: readonly LimitMember[]
  /** The body itself and the objects that such members may stand in. */
  readonly places: readonly Place[]
}

interface LimitMember {
  /** Null: at the top. */
  readonly wrapper: string | null
  readonly name: string
  readonly start: number
  readonly end: number
  /** 0 for a number that vendors take for no limit; null for a null, which is as if it were not there. */
  readonly value: number | null
}

interface Place {
  /** Null: the body. */
  readonly name: string | null
  readonly start: number
  readonly end: number
  /** Behind its `{`; null where it is no object. */
  readonly inside: number | null
  readonly isEmpty: boolean
}

const NAMES: ReadonlySet<string> = wordSet(`
  max_tokens max_completion_tokens max_output_tokens maxOutputTokens maxTokens num_predict`)
const WRAPPERS: ReadonlySet<string> = new Set([
  ...['generationConfig', 'generation_config', 'inferenceConfig', 'options'],
])
const NULL = 0x6e

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }
type OpenPlace = Mutable<Place>
/** What may end later than it begins. */
type Open = OpenPlace | Mutable<LimitMember>

const openAt = (name: string | null, start: number): OpenPlace => ({
  name,
  start,
  end: start,
  inside: start + 1,
  isEmpty: true,
})

/** Reads them in a walk through a body whose deciding members `BodyScanner` finds to be of their types. */
export class LimitReader implements ValueReader<Open> {
  readonly root: OpenPlace
  readonly #body: Buffer
  readonly #members: LimitMember[] = []
  readonly #places: OpenPlace[]

  constructor(body: Buffer) {
    this.#body = body
    this.root = openAt(null, skipBlanks(body, 0))
    this.#places = [this.root]
  }

  enter(place: Open, key: Word | null, kind: ValueKind, start: number, end: number): Open | null {
    // A value that is no number has no limits in it.
    if (key === null || 'wrapper' in place) return null
    const { text } = key
    place.isEmpty = false
    if (place.name === null && WRAPPERS.has(text)) {
      const wrapper = openAt(text, start)
      this.#places.push(wrapper)
      if (kind === 'object') return wrapper
      wrapper.end = end
      wrapper.inside = null
    } else if (NAMES.has(text)) {
      const number = numberAt(this.#body, start, end) ?? 0
      const value = this.#body[start] === NULL ? null : Math.max(0, number)
      const member = { wrapper: place.name, name: text, start, end, value }
      this.#members.push(member)
      return member
    }
    return null
  }

  leave(place: Open, end: number): void {
    place.end = end
  }

  result(): LimitMembers {
    return { members: this.#members, places: this.#places }
  }
}

const isIn = ({ wrappers }: AnswerFormat, wrapper: string | null): boolean =>
  wrapper === null ? wrappers.length === 0 : wrappers.includes(wrapper)

const readBy = ({ members }: LimitMembers, format: AnswerFormat, names: readonly string[]): LimitMember[] =>
  members.filter(({ wrapper, name }) => isIn(format, wrapper) && names.includes(name))

/** Tokens that one answer may have at most by what the request says; null: it does not say, or not in the vendor's own name. */
export function declaredLimit(
  { members }: LimitMembers,
  format: AnswerFormat,
): { readonly tokens: number | null; readonly mustBePutIn: boolean } {
  /** The largest of each; -1 for none. */
  let [named, alias] = [-1, -1]
  let hasNone = false
  for (const { wrapper, name, value } of members) {
    if (value === null || !isIn(format, wrapper)) continue
    if (format.names.includes(name)) named = Math.max(named, value)
    else if (format.aliases.includes(name)) alias = Math.max(alias, value)
    else continue
    hasNone ||= value === 0
  }
  // Servers of one form differ in which of two names they read.
  if (named !== -1) return { tokens: hasNone ? null : Math.max(named, alias), mustBePutIn: false }
  return alias === -1 || hasNone ? { tokens: null, mustBePutIn: false } : { tokens: alias, mustBePutIn: true }
}

/** What puts this limit for each answer into the body, in the name that the endpoint reads. */
export function answerLimitSplices(limits: LimitMembers, format: AnswerFormat, tokens: number): Splice[] {
  const read = readBy(limits, format, format.names)
  const limited = read.filter(({ value }) => value !== null)
  const ranges = limited.length > 0 ? limited : read.slice(0, 1)
  const put = ({ start, end }: ByteRange): Splice => ({ start, end, text: String(tokens) })
  // What another reader would take for more, or for no limit at all.
  const others = readBy(limits, format, format.aliases)
    .filter(({ value }) => value !== null && (value === 0 || value > tokens))
    .map(put)
  if (ranges.length > 0) return [...ranges.map(put), ...others]
  const member = `"${format.names[0]}":${tokens}`
  const place = limits.places.find(({ name }) => isIn(format, name))
  if (place !== undefined) {
    return place.inside === null
      ? [{ start: place.start, end: place.end, text: `{${member}}` }]
      : [inserted(place.inside, member, place.isEmpty), ...others]
  }
  const top = limits.places.find(({ name }) => name === null)
  return top?.inside == null ? [] : [inserted(top.inside, `"${format.wrappers[0]}":{${member}}`, top.isEmpty)]
}

const inserted = (at: number, text: string, isAlone: boolean): Splice => ({
  ...{ start: at, end: at, text: isAlone ? text : `${text},` },
})

/** How the member is called in messages: `max_tokens`, `generationConfig.maxOutputTokens`. */
export const limitName = ({ names: [name = ''], wrappers: [wrapper] }: AnswerFormat): string =>
  wrapper === undefined ? name : `${wrapper}.${name}`
