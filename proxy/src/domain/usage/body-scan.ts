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

const DECIDING = new Set(['model', 'stream', 'stream_options'])
const LIMITS = new Set(['max_tokens', 'max_completion_tokens', 'max_output_tokens'])
/** Where vendors wrap such a limit: Google's, Bedrock's and Ollama's. */
const WRAPPED_LIMITS: ReadonlyMap<string, string> = new Map([
  ['generationconfig', 'maxOutputTokens'],
  ['inferenceconfig', 'maxTokens'],
  ['options', 'num_predict'],
])
/** Of the keys above in bytes, also with each s written as ſ: a key of another length need not be looked at. */
const LENGTHS = new Set(
  [...DECIDING, ...LIMITS, ...WRAPPED_LIMITS.keys()].flatMap((name) =>
    Array.from({ length: name.split('s').length }, (_, longer) => name.length + longer),
  ),
)
/** The longest key that is looked at, escapes included, and the longest small object that is parsed. */
const KEY_BYTES = 128
const SMALL_BYTES = 16_384

const smallValue = (body: Buffer, { start, end }: ByteRange): unknown =>
  end - start <= SMALL_BYTES ? parsedAt(body, start, end) : undefined

/** Also Go's reading of ſ, which folds to s. */
const folded = (key: string): string => key.toLowerCase().replaceAll('ſ', 's')

export function scanBody(body: Buffer): BodyScan | BodyProblem {
  const deciding = new Map<string, Member>()
  let problem: BodyProblem['problem'] | null = null
  let maxTokens: number | null = null
  const limitBy = (value: unknown): void => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) {
      maxTokens = Math.max(maxTokens ?? 0, value)
    }
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
    const name = folded(key)
    if (DECIDING.has(name)) {
      if (deciding.has(name)) problem ??= 'doubled_key'
      deciding.set(name, member)
    } else if (LIMITS.has(name)) {
      limitBy(smallValue(body, member))
    } else {
      const inner = WRAPPED_LIMITS.get(name)
      if (inner !== undefined) limitBy(field(smallValue(body, member), inner))
    }
  })
  if (objectStart === -1) return { problem: 'not_json' }
  if (problem !== null) return { problem }

  const model = deciding.get('model')
  const name =
    model !== undefined && body[model.start] === 0x22 ? stringAt(body, model.start, model.end) : null
  if (model !== undefined && body[model.start] === 0x22 && name === null) return { problem: 'not_json' }
  const options = deciding.get('stream_options')
  const stream = deciding.get('stream')
  return {
    model: name,
    modelAt: name === null || model === undefined ? null : { start: model.start, end: model.end },
    // Of the scalars only `true` begins so.
    stream: stream !== undefined && body[stream.start] === 0x74,
    streamOptions: options === undefined ? null : { start: options.start, end: options.end },
    includeUsage: options !== undefined && field(smallValue(body, options), 'include_usage') === true,
    maxTokens,
    objectStart,
  }
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
