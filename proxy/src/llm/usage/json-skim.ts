import { wordSet } from '../../kernel/index.ts'

/** Members whose values are looked into, wherever they stand below one another. */
const OPENED: ReadonlySet<string> = wordSet(`
  response message delta x_groq choices candidates output tools data groundingMetadata`)
/** Members whose values are made whole. */
const WHOLE: ReadonlySet<string> = wordSet(`
  usage usageMetadata usage_info meta metrics amazon-bedrock-invocationMetrics webSearchQueries`)
/** Members of which a short value is made. */
const PLAIN: ReadonlySet<string> = wordSet(`
  type done model modelVersion finish_reason finishReason service_tier serviceTier prompt_eval_count
  eval_count url b64_json`)

/** A longer string is made as an empty one. */
const MAX_STRING = 1_024
const MAX_SCALAR = 64
/** Values that are made of one object; more is not what vendors tell. */
const MAX_VALUES = 20_000
/** Of a list that is looked into; the objects in it alone are made. */
const MAX_ELEMENTS = 1_000
const MAX_DEPTH = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const COMMA = 0x2c
const COLON = 0x3a

type Made = unknown[] | Record<string, unknown>

interface Level {
  readonly made: Made
  readonly isList: boolean
  /** Everything below is made. */
  readonly isWhole: boolean
  key: string
}

/**
 * What an answer of any length tells of tokens, in bounded memory: the JSON is read as it passes, and of it only the members are made that
 * read-usage.ts looks at. All else (texts, images in base64, vectors) is passed over: long strings by searching for their end.
 */
export class JsonSkim {
  readonly #told: (value: unknown) => void
  readonly #levels: Level[] = []
  #state: 'value' | 'key' | 'string' | 'scalar' | 'skip' = 'value'
  /** Of a string: whether it is a key, and whether it is made; of anything: what came of it. */
  #isKey = false
  #isMade = false
  #text: Buffer[] = []
  #textBytes = 0
  /** Backslashes at the end of what came of a string. */
  #slashes = 0
  /** Of what is passed over: how deep in it, and whether in a string of it. */
  #depth = 0
  #isInSkippedString = false
  #isTopList = false
  #values = 0
  #isBroken = false

  /** `told` is called with each value at the top, and with each element of a list at the top. */
  constructor(told: (value: unknown) => void) {
    this.#told = told
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && !this.#isBroken; ) {
      if (this.#state === 'string') at = this.#inString(bytes, at)
      else if (this.#state === 'skip') at = this.#inSkipped(bytes, at)
      else if (this.#state === 'scalar') at = this.#inScalar(bytes, at)
      else at = this.#between(bytes, at)
    }
  }

  /** What has not come to its end is given as far as it came. */
  end(): void {
    const [top] = this.#levels
    if (!this.#isBroken && top !== undefined) this.#told(top.made)
    this.#isBroken = true
  }

  /** Between values: what begins here. */
  #between(bytes: Buffer, at: number): number {
    const byte = bytes[at] as number
    if (byte === QUOTE) {
      this.#beginString()
      return at + 1
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      this.#open(byte === OPEN_LIST)
      return at + 1
    }
    if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#close()
    else if (byte === COMMA) this.#state = this.#levels.at(-1)?.isList === false ? 'key' : 'value'
    else if (byte > 0x20 && byte !== COLON) {
      const wanted = this.#wants()
      this.#isMade = wanted !== 'none' && wanted !== 'element'
      this.#state = 'scalar'
      this.#beginText()
      return at
    }
    return at + 1
  }

  #beginString(): void {
    this.#isKey = this.#state === 'key'
    const wanted = this.#isKey ? 'plain' : this.#wants()
    this.#isMade = wanted !== 'none' && wanted !== 'element'
    this.#state = 'string'
    this.#slashes = 0
    this.#beginText()
  }

  #inString(bytes: Buffer, from: number): number {
    const end = this.#endOfString(bytes, from)
    const until = end === -1 ? bytes.length : end
    if (this.#isMade) this.#keep(bytes, from, until, MAX_STRING)
    if (end === -1) return bytes.length
    const text = this.#isMade && this.#textBytes <= MAX_STRING ? parsed(`"${this.#textOf()}"`) : ''
    if (this.#isKey) {
      const level = this.#levels.at(-1)
      if (level !== undefined) level.key = typeof text === 'string' ? text : ''
    } else if (this.#isMade) this.#put(text ?? '')
    this.#state = 'value'
    return end + 1
  }

  /** Where the quote is that ends a string; -1 when it is not in these bytes. */
  #endOfString(bytes: Buffer, from: number): number {
    for (let at = from; ; ) {
      const quote = bytes.indexOf(QUOTE, at)
      const until = quote === -1 ? bytes.length : quote
      let run = until
      while (run > from && bytes[run - 1] === BACKSLASH) run -= 1
      const slashes = until - run + (run === from ? this.#slashes : 0)
      if (quote === -1) {
        this.#slashes = slashes
        return -1
      }
      if (slashes % 2 === 0) return quote
      at = quote + 1
    }
  }

  #inScalar(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length && !endsScalar(bytes[at] as number)) at += 1
    if (this.#isMade) this.#keep(bytes, from, at, MAX_SCALAR)
    if (at === bytes.length) return at
    if (this.#isMade) this.#put(this.#textBytes <= MAX_SCALAR ? (parsed(this.#textOf()) ?? null) : null)
    this.#state = 'value'
    return at
  }

  /** Brackets and strings alone matter. */
  #inSkipped(bytes: Buffer, from: number): number {
    for (let at = from; at < bytes.length; ) {
      if (this.#isInSkippedString) {
        const end = this.#endOfString(bytes, at)
        if (end === -1) return bytes.length
        this.#isInSkippedString = false
        at = end + 1
        continue
      }
      const byte = bytes[at] as number
      at += 1
      if (byte === QUOTE) {
        this.#isInSkippedString = true
        this.#slashes = 0
      } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#depth += 1
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        this.#depth -= 1
        if (this.#depth === 0) {
          this.#state = 'value'
          return at
        }
      }
    }
    return bytes.length
  }

  #open(isList: boolean): void {
    const level = this.#levels.at(-1)
    if (level === undefined && isList && !this.#isTopList) {
      // Each element is told by itself: a list may be as long as a stream.
      this.#isTopList = true
      return
    }
    const wanted = this.#wants()
    const isFull = level !== undefined && Array.isArray(level.made) && level.made.length >= MAX_ELEMENTS
    if (
      wanted === 'none' ||
      wanted === 'plain' ||
      (wanted === 'element' && isFull) ||
      this.#levels.length >= MAX_DEPTH
    ) {
      this.#state = 'skip'
      this.#depth = 1
      this.#isInSkippedString = false
      return
    }
    const made: Made = isList ? [] : {}
    if (level !== undefined) this.#put(made)
    this.#levels.push({ made, isList, isWhole: wanted === 'whole', key: '' })
    this.#state = isList ? 'value' : 'key'
  }

  #close(): void {
    const level = this.#levels.pop()
    if (level === undefined) return
    this.#state = 'value'
    if (this.#levels.length > 0) return
    this.#values = 0
    this.#told(level.made)
  }

  /** What becomes of the value that comes next. */
  #wants(): 'none' | 'plain' | 'opened' | 'element' | 'whole' {
    const level = this.#levels.at(-1)
    if (level === undefined) return 'opened'
    if (level.isWhole) return 'whole'
    if (level.isList) return 'element'
    if (WHOLE.has(level.key)) return 'whole'
    if (OPENED.has(level.key)) return 'opened'
    return PLAIN.has(level.key) ? 'plain' : 'none'
  }

  #put(value: unknown): void {
    const level = this.#levels.at(-1)
    if (level === undefined) return
    this.#values += 1
    if (this.#values > MAX_VALUES) this.#isBroken = true
    else if (Array.isArray(level.made)) level.made.push(value)
    // Own, whatever its name.
    else
      Object.defineProperty(level.made, level.key, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      })
  }

  #beginText(): void {
    this.#text = []
    this.#textBytes = 0
  }

  #keep(bytes: Buffer, from: number, until: number, most: number): void {
    this.#textBytes += until - from
    if (this.#textBytes <= most) this.#text.push(Buffer.from(bytes.subarray(from, until)))
    else this.#text = []
  }

  #textOf(): string {
    return Buffer.concat(this.#text).toString('utf8')
  }
}

const endsScalar = (byte: number): boolean =>
  byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte <= 0x20

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
