import { foldedKey } from './folded-key.ts'
import { isEscaped, keyOf, type Member, parsedAt, stringAt, visitMembers } from './json-members.ts'

/**
 * What the proxy must know of a request's body, read without making objects of it. A key that decides something must
 * stand once, in whatever spelling: of two the vendor might read the other one. Letters' case counts for nothing
 * there, since vendors' readers written in Go take `Model` for `model`.
 */
export interface BodyScan {
  /** Null when the body names none, or it is no string. */
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
  /** The vendor goes on after it has answered, and what it then uses is told in another answer. */
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
  /** `not_json`: not one JSON object in UTF-8, or nested too deeply. */
  readonly problem: 'not_json' | 'doubled_key'
}

const DECIDING = new Set(['model', 'models', 'stream', 'stream_options', 'background', 'deferred'])
const LIMITS = new Set(['max_tokens', 'max_completion_tokens', 'max_output_tokens'])
const CHOICES = new Set(['n', 'best_of', 'candidatecount'])
const GOOGLE = {
  limits: ['maxOutputTokens', 'max_output_tokens'],
  choices: ['candidateCount', 'candidate_count'],
}
/** Where vendors wrap these: Google's, in both of its spellings, Bedrock's and Ollama's. */
const WRAPPED: ReadonlyMap<string, { readonly limits: string[]; readonly choices: string[] }> = new Map([
  ['generationconfig', GOOGLE],
  ['generation_config', GOOGLE],
  ['inferenceconfig', { limits: ['maxTokens'], choices: [] }],
  ['options', { limits: ['num_predict'], choices: [] }],
])
const MAX_MODELS = 64
/** Of the keys above in bytes, also with each s written as ſ: a key of another length need not be looked at. */
const LENGTHS = new Set(
  [...DECIDING, ...LIMITS, ...CHOICES, ...WRAPPED.keys()].flatMap((name) =>
    Array.from({ length: name.split('s').length }, (_, longer) => name.length + longer),
  ),
)
/** The longest key that is looked at, escapes included, and the longest small object that is parsed. */
const KEY_BYTES = 128
const SMALL_BYTES = 16_384

const smallValue = (body: Buffer, { start, end }: ByteRange): unknown =>
  end - start <= SMALL_BYTES ? parsedAt(body, start, end) : undefined

export function scanBody(body: Buffer): BodyScan | BodyProblem {
  const deciding = new Map<string, Member>()
  let problem: BodyProblem['problem'] | null = null
  let maxTokens = 0
  let choices = 1
  const limitBy = (value: unknown): void => {
    maxTokens = larger(maxTokens, value)
  }
  const objectStart = visitMembers(body, (member) => {
    const keyBytes = member.keyEnd - member.keyStart - 2
    if (keyBytes > KEY_BYTES) return
    if (!LENGTHS.has(keyBytes) && !isEscaped(body, member.keyStart, member.keyEnd)) return
    const key = keyOf(body, member)
    if (key === null) {
      problem ??= 'not_json'
      return
    }
    const name = foldedKey(key)
    if (DECIDING.has(name)) {
      // The wish for a usage is put into the one that has this very name.
      if (deciding.has(name) || (name === 'stream_options' && key !== name)) problem ??= 'doubled_key'
      deciding.set(name, member)
    } else if (LIMITS.has(name)) {
      limitBy(smallValue(body, member))
    } else if (CHOICES.has(name)) {
      choices = larger(choices, smallValue(body, member))
    } else {
      const inner = WRAPPED.get(name)
      if (inner === undefined) return
      const value = smallValue(body, member)
      for (const limit of inner.limits) limitBy(field(value, limit))
      for (const count of inner.choices) choices = larger(choices, field(value, count))
    }
  })
  if (objectStart === -1) return { problem: 'not_json' }
  if (problem !== null) return { problem }

  const model = deciding.get('model')
  const name =
    model !== undefined && body[model.start] === 0x22 ? stringAt(body, model.start, model.end) : null
  if (model !== undefined && body[model.start] === 0x22 && name === null) return { problem: 'not_json' }
  const options = deciding.get('stream_options')
  const wrong = options === undefined ? null : problemOfOptions(body.subarray(options.start, options.end))
  if (wrong !== null) return { problem: wrong }
  const more = deciding.get('models')
  const moreModels = more === undefined ? [] : modelsOf(smallValue(body, more))
  if (moreModels === null) return { problem: 'doubled_key' }
  const stream = deciding.get('stream')
  return {
    model: name,
    modelAt: name === null || model === undefined ? null : { start: model.start, end: model.end },
    // Of the scalars only `true` begins so.
    stream: stream !== undefined && body[stream.start] === 0x74,
    streamOptions: options === undefined ? null : { start: options.start, end: options.end },
    includeUsage: options !== undefined && field(smallValue(body, options), 'include_usage') === true,
    maxTokens: maxTokens === 0 ? null : maxTokens,
    moreModels,
    background: isAsked(body, deciding.get('background')) || isAsked(body, deciding.get('deferred')),
    choices,
    objectStart,
  }
}

/** Anything but `false` and `null`: what a vendor makes of it is not known. */
const isAsked = (body: Buffer, member: Member | undefined): boolean =>
  member !== undefined && body[member.start] !== 0x66 && body[member.start] !== 0x6e

const larger = (known: number, value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) ? Math.max(known, value) : known

/** Null for what another reader might find other models in. */
function modelsOf(value: unknown): string[] | null {
  if (value === null) return []
  if (!Array.isArray(value) || value.length > MAX_MODELS) return null
  return value.every((name) => typeof name === 'string') ? value : null
}

/** Of two wishes for a usage the vendor might read the other one. */
function problemOfOptions(options: Buffer): BodyProblem['problem'] | null {
  if (options[0] !== 0x7b) return null
  let wishes = 0
  let problem: BodyProblem['problem'] | null = null
  visitMembers(options, (member) => {
    const key = keyOf(options, member)
    if (key === null) problem ??= 'not_json'
    else if (foldedKey(key) === 'include_usage') {
      wishes += 1
      if (wishes > 1 || key !== 'include_usage') problem ??= 'doubled_key'
    }
  })
  return problem
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
}

/** The body with this model in the place of its own; every other byte as it was. */
export function withModel(body: Buffer, modelAt: ByteRange, name: string): Buffer {
  return spliced(body, modelAt, JSON.stringify(name))
}

/** The body with `text` in the place of a range; an empty range is an insertion. */
export function spliced(body: Buffer, { start, end }: ByteRange, text: string): Buffer {
  return Buffer.concat([body.subarray(0, start), Buffer.from(text), body.subarray(end)])
}
