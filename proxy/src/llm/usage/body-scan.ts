import {
  DECIDING,
  type DecidingMember,
  KIND_WORDS,
  MAX_MODEL_BYTES,
  WRAPPED,
  WRAPPERS,
} from './deciding-members.ts'
import { numberAt, parsedAt } from './json-bytes.ts'
import { MAX_MEMBERS, type ValueKind, type ValueReader, walkObject } from './json-walk.ts'
import { textAt, type Word } from './json-word.ts'

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
  /** The bytes of the value of `stream_options.include_usage`. */
  readonly usageWishAt: ByteRange | null
  /** Whether it is asked for already. */
  readonly includeUsage: boolean
  /** Where a member may be put into `stream_options`; null where it is no object. */
  readonly insideOptions: Inside | null
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

/** Behind the `{` of an object. */
export interface Inside {
  readonly at: number
  readonly isEmpty: boolean
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
const NO_MODELS: readonly string[] = []
/** The longest list of models that is parsed. */
const LIST_BYTES = 16_384
/** Members whose folded spelling alone counts: of these a reader that folds finds the same one. */
const ANY_CASE: ReadonlySet<string> = new Set(['model', 'models', 'stream', 'background'])
/** The first byte of each kind of scalar. */
const [NULL, TRUE, FALSE] = [0x6e, 0x74, 0x66] as const
const USAGE_WISH = 'include_usage'

/** `models`: the list of that name. */
type Place = 'top' | 'wrapper' | 'options' | 'models'

export function scanBody(body: Buffer): BodyScan | BodyProblem {
  const scanner = new BodyScanner(body)
  return scanner.result(walkObject(body, [scanner]))
}

/** Reads what `BodyScan` tells in a walk through the body. */
export class BodyScanner implements ValueReader<Place> {
  readonly root = 'top'
  readonly #body: Buffer
  #problem: BodyProblem | null = null
  /** Something in it is no JSON; what is wrong besides is told first, for that is refused. */
  #isBroken = false
  /** The bits of the members that stand at the top, and in the wrapper that is read. */
  #atTop = 0
  #inWrapper = 0
  /** Of the wrapper, or of `stream_options`. */
  #members = 0
  #model: string | null = null
  #modelAt: ByteRange | null = null
  #moreModels: readonly string[] = NO_MODELS
  #modelsStart = 0
  #isStream = false
  #isBackground = false
  #optionsStart = 0
  #options: ByteRange | null = null
  #inside: Inside | null = null
  #usageWishAt: ByteRange | null = null
  #includeUsage = false
  #maxTokens = 0
  #choices = 1

  constructor(body: Buffer) {
    this.#body = body
  }

  enter(place: Place, key: Word | null, kind: ValueKind, start: number, end: number): Place | null {
    // Of a list that is parsed when it is whole.
    if (key === null) return null
    if (key.isBroken) return this.#broken()
    if (place === 'top') {
      const deciding = DECIDING.get(key.folded)
      if (deciding === undefined) return null
      const isAgain = (this.#atTop & deciding.bit) !== 0
      this.#atTop |= deciding.bit
      return this.#decide(isAgain, deciding, key, kind, start, end)
    }
    this.#members += 1
    if (this.#members > MAX_MEMBERS) return this.#broken()
    if (place === 'options') return this.#option(key, start, end)
    const deciding = WRAPPED.get(key.folded)
    if (deciding === undefined) return null
    const isAgain = (this.#inWrapper & deciding.bit) !== 0
    this.#inWrapper |= deciding.bit
    return this.#decide(isAgain, deciding, key, kind, start, end)
  }

  leave(place: Place, end: number): void {
    if (place === 'options') {
      this.#options = { start: this.#optionsStart, end }
      this.#inside = { at: this.#optionsStart + 1, isEmpty: this.#members === 0 }
    } else if (place === 'models') {
      const start = this.#modelsStart
      const models = modelsOf(end - start <= LIST_BYTES ? parsedAt(this.#body, start, end) : undefined)
      if (models === null) this.#wrongType('models', 'names')
      else this.#moreModels = models
    }
  }

  /** `objectStart` as the walk told it. */
  result(objectStart: number): BodyScan | BodyProblem {
    if (objectStart === -1) return { problem: 'not_json' }
    if (this.#problem !== null) return this.#problem
    if (this.#isBroken) return { problem: 'not_json' }
    return {
      model: this.#model,
      modelAt: this.#modelAt,
      stream: this.#isStream,
      streamOptions: this.#options,
      usageWishAt: this.#usageWishAt,
      includeUsage: this.#includeUsage,
      insideOptions: this.#inside,
      maxTokens: this.#maxTokens === 0 ? null : this.#maxTokens,
      moreModels: this.#moreModels,
      background: this.#isBackground,
      choices: this.#choices,
      objectStart,
    }
  }

  #broken(): null {
    this.#isBroken = true
    return null
  }

  #wrong(problem: BodyProblem): null {
    this.#problem ??= problem
    return null
  }

  #wrongType(member: string, kind: keyof typeof KIND_WORDS): null {
    return this.#wrong({ problem: 'wrong_type', member, wanted: KIND_WORDS[kind] })
  }

  /** One of the members that decide something: each once, in one spelling, and in the type that it has to be. */
  #decide(
    isAgain: boolean,
    { name, kind: wanted, spelling }: DecidingMember,
    key: Word,
    kind: ValueKind,
    start: number,
    end: number,
  ): Place | null {
    if (isAgain || (key.text !== spelling && !ANY_CASE.has(name))) {
      this.#wrong({ problem: 'doubled_key', member: name })
    }
    const first = this.#body[start]
    if (first === NULL) {
      if (name === 'stream_options') this.#options = { start, end }
      return wanted === 'text' ? this.#wrongType(name, wanted) : null
    }
    switch (wanted) {
      case 'text':
        if (kind !== 'string' || end - start - 2 > MAX_MODEL_BYTES) return this.#wrongType(name, wanted)
        this.#model = textAt(this.#body, start, end)
        this.#modelAt = { start, end }
        return this.#model === null ? this.#broken() : null
      case 'names':
        this.#modelsStart = start
        return kind === 'list' ? 'models' : this.#wrongType(name, wanted)
      case 'flag':
        if (first !== TRUE && first !== FALSE) return this.#wrongType(name, wanted)
        if (name === 'stream') this.#isStream = first === TRUE
        else this.#isBackground ||= first === TRUE
        return null
      case 'object':
        if (kind !== 'object') return this.#wrongType(name, wanted)
        this.#members = 0
        if (WRAPPERS.has(name)) {
          this.#inWrapper = 0
          return 'wrapper'
        }
        this.#optionsStart = start
        return 'options'
      case 'tier':
        if (kind !== 'string') return kind === 'object' ? null : this.#wrongType(name, wanted)
        this.#isBackground ||= textAt(this.#body, start, end) === 'batch'
        return null
      default: {
        const value = numberAt(this.#body, start, end)
        if (value === undefined || !Number.isSafeInteger(value)) return this.#wrongType(name, wanted)
        if (wanted === 'limit') this.#maxTokens = Math.max(this.#maxTokens, value)
        else if (value < 1) return this.#wrongType(name, wanted)
        else this.#choices = Math.max(this.#choices, value)
        return null
      }
    }
  }

  /** Of two wishes for a usage the vendor might read the other one. */
  #option({ text, folded }: Word, start: number, end: number): null {
    if (folded !== USAGE_WISH) return null
    const member = `stream_options.${USAGE_WISH}`
    if (this.#usageWishAt !== null || text !== USAGE_WISH) this.#wrong({ problem: 'doubled_key', member })
    const first = this.#body[start]
    this.#usageWishAt = { start, end }
    this.#includeUsage = first === TRUE
    return first === NULL || first === TRUE || first === FALSE ? null : this.#wrongType(member, 'flag')
  }
}

/** Null for what another reader might find other models in. */
function modelsOf(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length > MAX_MODELS) return null
  return value.every((name) => typeof name === 'string') ? value : null
}
