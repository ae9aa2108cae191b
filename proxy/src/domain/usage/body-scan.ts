import {
  byFolded,
  KIND_WORDS,
  type MemberKind,
  TOP_MEMBERS,
  WRAPPED_MEMBERS,
  WRAPPERS,
} from './deciding-members.ts'
import { foldedKey } from './folded-key.ts'
import { isEscaped, keyOf, type Member, parsedAt, stringAt, visitMembers } from './json-members.ts'

/**
 * What the proxy must know of a request's body, read without making objects of it. A key that decides something must
 * stand once, in whatever spelling: of two the vendor might read the other one. Letters' case counts for nothing
 * there, since vendors' readers written in Go take `Model` for `model`.
 */
export interface BodyScan {
  /** Null when the body names none. */
  readonly model: string | null
  /** The bytes of its value, quotes included. */
  readonly modelAt: ByteRange | null
  readonly stream: boolean
  /** The bytes of the value of `stream_options`. */
  readonly streamOptions: ByteRange | null
  /** Whether `stream_options.include_usage` is asked for already. */
  readonly includeUsage: boolean
  /** The largest of the limits for the answer that the body names, in tokens. */
  readonly maxTokens: number | null
  /** Models that the vendor may take in place of the first: OpenRouter's `models`. */
  readonly moreModels: readonly string[]
  /** The vendor works after it has answered (`background`, `deferred`, a batch tier): what it uses is told elsewhere. */
  readonly background: boolean
  /** How many answers are asked for at once; the largest that the body names. */
  readonly choices: number
  /** Where the object's `{` stands. */
  readonly objectStart: number
}

/** From `start` up to, but without, `end`. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface BodyProblem {
  /**
   * `not_json`: not one JSON object in UTF-8, or nested too deeply. `doubled_key`: a member that decides something stands
   * twice, or in a spelling that only some readers take for it. `wrong_type`: it is of another type than it has to be.
   */
  readonly problem: 'not_json' | 'doubled_key' | 'wrong_type'
  /** Of the member, as the vendors spell it. */
  readonly member?: string
  /** What it has to be. */
  readonly wanted?: string
}

const MAX_MODELS = 64
const FOLDED_TOP = byFolded(TOP_MEMBERS)
const FOLDED_WRAPPED = byFolded(WRAPPED_MEMBERS)
/** Of the keys above in bytes, also with each s written as ſ: a key of another length need not be looked at. */
const LENGTHS = new Set(
  [...FOLDED_TOP.keys(), ...FOLDED_WRAPPED.keys()].flatMap((name) =>
    Array.from({ length: name.split('s').length }, (_, longer) => name.length + longer),
  ),
)
/** The longest key that is looked at, escapes included, and the longest small object that is parsed. */
const KEY_BYTES = 128
const SMALL_BYTES = 16_384
/** Members whose folded spelling alone counts: of these a reader that folds finds the same one. */
const ANY_CASE: ReadonlySet<string> = new Set(['model', 'models', 'stream', 'background'])

const smallValue = (body: Buffer, { start, end }: ByteRange): unknown =>
  end - start <= SMALL_BYTES ? parsedAt(body, start, end) : undefined

interface Found {
  readonly decided: ReadonlyMap<string, Member>
  readonly objectStart: number
}

/** The members that decide something, each once and in the type that it has to be. */
function decidedIn(
  body: Buffer,
  members: typeof TOP_MEMBERS,
  spellings: ReadonlyMap<string, string>,
): Found | BodyProblem {
  const decided = new Map<string, Member>()
  let problem: BodyProblem | null = null
  const objectStart = visitMembers(body, (member) => {
    const keyBytes = member.keyEnd - member.keyStart - 2
    if (keyBytes > KEY_BYTES) return
    if (!LENGTHS.has(keyBytes) && !isEscaped(body, member.keyStart, member.keyEnd)) return
    const key = keyOf(body, member)
    if (key === null) {
      problem ??= { problem: 'not_json' }
      return
    }
    const spelling = spellings.get(foldedKey(key))
    const deciding = spelling === undefined ? undefined : members.get(spelling)
    if (deciding === undefined) return
    const { name } = deciding
    if (decided.has(name) || (!members.has(key) && !ANY_CASE.has(name))) {
      problem ??= { problem: 'doubled_key', member: name }
    }
    decided.set(name, member)
    if (!isOfKind(body, member, deciding.kind)) {
      problem ??= { problem: 'wrong_type', member: name, wanted: KIND_WORDS[deciding.kind] }
    }
  })
  if (objectStart === -1) return { problem: 'not_json' }
  return problem ?? { decided, objectStart }
}

function isOfKind(body: Buffer, member: ByteRange, kind: MemberKind): boolean {
  const first = body[member.start]
  if (first === NULL) return kind !== 'text'
  switch (kind) {
    case 'text':
      return first === QUOTE
    case 'names':
      return modelsOf(smallValue(body, member)) !== null
    case 'flag':
      return first === TRUE || first === FALSE
    case 'object':
      return first === OBJECT
    case 'tier':
      return first === QUOTE || first === OBJECT
    default: {
      const value = member.end - member.start > NUMBER_BYTES ? null : smallValue(body, member)
      return Number.isSafeInteger(value) && (kind === 'limit' || (value as number) >= 1)
    }
  }
}

/** The first byte of each kind of value. */
const [QUOTE, OBJECT, NULL, TRUE, FALSE] = [0x22, 0x7b, 0x6e, 0x74, 0x66] as const
const NUMBER_BYTES = 32

export function scanBody(body: Buffer): BodyScan | BodyProblem {
  const found = decidedIn(body, TOP_MEMBERS, FOLDED_TOP)
  if ('problem' in found) return found
  const { decided, objectStart } = found
  let maxTokens = 0
  let choices = 1
  const count = (bytes: Buffer, members: typeof TOP_MEMBERS, within: ReadonlyMap<string, Member>): void => {
    for (const [name, member] of within) {
      const kind = members.get(name)?.kind
      if (kind === 'limit') maxTokens = larger(maxTokens, smallValue(bytes, member))
      else if (kind === 'count') choices = larger(choices, smallValue(bytes, member))
    }
  }
  count(body, TOP_MEMBERS, decided)
  for (const name of WRAPPERS) {
    const wrapper = decided.get(name)
    if (wrapper === undefined || body[wrapper.start] !== OBJECT) continue
    const bytes = body.subarray(wrapper.start, wrapper.end)
    const inner = decidedIn(bytes, WRAPPED_MEMBERS, FOLDED_WRAPPED)
    if ('problem' in inner) return inner
    count(bytes, WRAPPED_MEMBERS, inner.decided)
  }

  const model = decided.get('model')
  const name = model === undefined ? null : stringAt(body, model.start, model.end)
  if (model !== undefined && name === null) return { problem: 'not_json' }
  const options = decided.get('stream_options')
  const wrong = options === undefined ? null : problemOfOptions(body.subarray(options.start, options.end))
  if (wrong !== null) return wrong
  const more = decided.get('models')
  const isTrue = (member: Member | undefined): boolean => member !== undefined && body[member.start] === TRUE
  const tier = decided.get('service_tier')
  return {
    model: name,
    modelAt: name === null || model === undefined ? null : { start: model.start, end: model.end },
    stream: isTrue(decided.get('stream')),
    streamOptions: options === undefined ? null : { start: options.start, end: options.end },
    includeUsage: options !== undefined && field(smallValue(body, options), 'include_usage') === true,
    maxTokens: maxTokens === 0 ? null : maxTokens,
    moreModels: more === undefined ? [] : (modelsOf(smallValue(body, more)) ?? []),
    background:
      isTrue(decided.get('background')) ||
      isTrue(decided.get('deferred')) ||
      (tier !== undefined && smallValue(body, tier) === 'batch'),
    choices,
    objectStart,
  }
}

const larger = (known: number, value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) ? Math.max(known, value) : known

/** Null for what another reader might find other models in. */
function modelsOf(value: unknown): string[] | null {
  if (value === null) return []
  if (!Array.isArray(value) || value.length > MAX_MODELS) return null
  return value.every((name) => typeof name === 'string') ? value : null
}

/** Of two wishes for a usage the vendor might read the other one. */
function problemOfOptions(options: Buffer): BodyProblem | null {
  if (options[0] !== OBJECT) return null
  let wishes = 0
  let problem: BodyProblem | null = null
  visitMembers(options, (member) => {
    const key = keyOf(options, member)
    if (key === null) problem ??= { problem: 'not_json' }
    else if (foldedKey(key) === 'include_usage') {
      wishes += 1
      if (wishes > 1 || key !== 'include_usage') {
        problem ??= { problem: 'doubled_key', member: 'stream_options.include_usage' }
      }
      if (!isOfKind(options, member, 'flag')) {
        problem ??= {
          problem: 'wrong_type',
          member: 'stream_options.include_usage',
          wanted: KIND_WORDS.flag,
        }
      }
    }
  })
  return problem
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}
