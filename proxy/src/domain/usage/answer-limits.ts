import type { AnswerFormat } from './answer-formats.ts'
import type { ByteRange } from './body-scan.ts'
import { keyOf, parsedAt, visitMembers } from './json-members.ts'
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

const NAMES: ReadonlySet<string> = new Set([
  ...['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'maxOutputTokens', 'maxTokens'],
  'num_predict',
])
const WRAPPERS: ReadonlySet<string> = new Set([
  ...['generationConfig', 'generation_config', 'inferenceConfig', 'options'],
])
const OPEN_OBJECT = 0x7b

export function limitMembers(body: Buffer): LimitMembers {
  const members: LimitMember[] = []
  const places: Place[] = []
  const wrapped: { readonly name: string; readonly start: number; readonly end: number }[] = []
  const look = (name: string | null, start: number, end: number): void => {
    const bytes = body.subarray(start, end)
    let isEmpty = true
    const open = visitMembers(bytes, (member) => {
      isEmpty = false
      if (member.keyEnd - member.keyStart > KEY_BYTES) return
      const key = keyOf(bytes, member) ?? ''
      const range = { start: start + member.start, end: start + member.end }
      if (name === null && WRAPPERS.has(key)) wrapped.push({ name: key, ...range })
      if (!NAMES.has(key)) return
      const said = parsedAt(bytes, member.start, member.end)
      const value = said === null ? null : typeof said === 'number' && said > 0 ? said : 0
      members.push({ wrapper: name, name: key, ...range, value })
    })
    places.push({ name, start, end, inside: start + open + 1, isEmpty })
  }
  look(null, 0, body.length)
  for (const { name, start, end } of wrapped) {
    if (body[start] === OPEN_OBJECT) look(name, start, end)
    else places.push({ name, start, end, inside: null, isEmpty: true })
  }
  return { members, places }
}

/** The longest key that is looked at, escapes included. */
const KEY_BYTES = 130

const isIn = ({ wrappers }: AnswerFormat, wrapper: string | null): boolean =>
  wrapper === null ? wrappers.length === 0 : wrappers.includes(wrapper)

const readBy = ({ members }: LimitMembers, format: AnswerFormat, names: readonly string[]): LimitMember[] =>
  members.filter(({ wrapper, name }) => isIn(format, wrapper) && names.includes(name))

/** Tokens that one answer may have at most by what the request says; null: it does not say, or not in the vendor's own name. */
export function declaredLimit(
  limits: LimitMembers,
  format: AnswerFormat,
): { readonly tokens: number | null; readonly mustBePutIn: boolean } {
  const named = readBy(limits, format, format.names).flatMap(({ value }) => value ?? [])
  const others = readBy(limits, format, format.aliases).flatMap(({ value }) => value ?? [])
  if (named.length > 0) {
    // Servers of one form differ in which of two names they read.
    const said = [...named, ...others]
    return { tokens: said.includes(0) ? null : Math.max(...said), mustBePutIn: false }
  }
  const alias = others.includes(0) ? 0 : Math.max(0, ...others)
  return { tokens: alias === 0 ? null : alias, mustBePutIn: alias !== 0 }
}

/** What puts this limit for each answer into the body, in the name that the endpoint reads. */
export function answerLimitSplices(limits: LimitMembers, format: AnswerFormat, tokens: number): Splice[] {
  const read = readBy(limits, format, format.names)
  const said = read.filter(({ value }) => value !== null)
  const ranges = said.length > 0 ? said : read.slice(0, 1)
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
export const limitName = ({ names, wrappers }: AnswerFormat): string =>
  [wrappers[0], names[0]].filter((name) => name !== undefined).join('.')
