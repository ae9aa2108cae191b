import { GrowingBytes } from './growing-bytes.ts'
import { parsedAt } from './json-bytes.ts'
import { JsonSkim } from './json-skim.ts'
import { type ValueKind, type ValueReader, walkObject } from './json-walk.ts'
import { textAt, type Word } from './json-word.ts'
import type { TokenUsage, UsageReader } from './ports.ts'
import { isLastWord, mergeUsage, readModel, readUsage, type ToldUsage, tokenUsage } from './read-usage.ts'

/**
 * The tokens of an answer that is one JSON body. Bytes go through as they come. A body is kept up to a bound and read at the end, first
 * its members at the top without making objects of what the model wrote. A longer one is read as it passes (json-skim.ts).
 */

const EMPTY = Buffer.alloc(0)
/** A longer body is not made into objects as a whole: a list of embeddings would hold everybody up. */
const PARSED_BYTES = 131_072

interface Told {
  readonly usage: ToldUsage | null
  readonly model: string | null
  /** False where the body is a list of pieces of an answer, and the last of them is none that ends it. */
  readonly isLast: boolean
}

export function createJsonReader(maxBodyBytes: number): UsageReader {
  const body = new GrowingBytes()
  let long: Skimmed | null = null
  let told: Told | null = null
  let isEnded = false

  function look(): Told {
    if (long !== null) return long.told()
    told ??= lookAt(body.bytes())
    return told
  }

  return {
    push(input) {
      told = null
      if (long === null && body.length + input.length > maxBodyBytes) {
        long = skimming()
        long.push(body.bytes())
        body.clear()
      }
      if (long === null) body.add(input)
      else long.push(Buffer.from(input.buffer, input.byteOffset, input.byteLength))
      return input
    },
    end() {
      isEnded = true
      return EMPTY
    },
    usage(): TokenUsage | null {
      const { usage } = look()
      return usage === null ? null : tokenUsage(usage)
    },
    isFinal: () => isEnded && look().isLast,
    model: () => look().model,
  }
}

function lookAt(bytes: Buffer): Told {
  const atTop = toldAtTop(bytes)
  if (atTop !== null) return atTop
  const whole = bytes.length > PARSED_BYTES || bytes.length === 0 ? null : toldAnywhere(bytes)
  if (whole !== null) return whole
  const skimmed = skimming()
  skimmed.push(bytes)
  return skimmed.told()
}

interface Skimmed {
  push(bytes: Buffer): void
  /** Ends it, the first time. */
  told(): Told
}

/** Google answers a stream without `alt=sse` as one list, whose elements are told one by one. */
function skimming(): Skimmed {
  let usage: ToldUsage | null = null
  let model: string | null = null
  let isLast = true
  const skim = new JsonSkim((value) => {
    usage = mergeUsage(usage, readUsage(value))
    model ??= readModel(value)
    isLast = isLastWord(value)
  })
  return {
    push: (bytes) => skim.push(bytes),
    told() {
      skim.end()
      return { usage, model, isLast }
    },
  }
}

/** Members of an answer that tell all there is to know, in nearly every vendor's. */
const AT_TOP: ReadonlySet<string> = new Set([
  ...['usage', 'usageMetadata', 'model', 'modelVersion', 'service_tier', 'serviceTier'],
])
/** What the model did: something that is charged apart may stand in it. */
const DONE: ReadonlySet<string> = new Set(['output', 'candidates'])
const PIECES = [
  '"web_search_call"',
  '"file_search_call"',
  '"code_interpreter_call"',
  '"webSearchQueries"',
].map((sign) => Buffer.from(sign))

/** Without making objects of what the model wrote; null where the members at the top do not tell it. */
function toldAtTop(bytes: Buffer): Told | null {
  const reader = new TopReader(bytes)
  const { members } = reader
  const usage = walkObject(bytes, [reader]) === -1 ? null : readUsage(members)
  if (usage === null || (reader.mayHavePieces && PIECES.some((sign) => bytes.indexOf(sign) !== -1)))
    return null
  return { usage, model: readModel(members), isLast: true }
}

/** Reads the members of `AT_TOP` in a walk through the body. */
class TopReader implements ValueReader<'top' | 'member'> {
  readonly root = 'top'
  readonly members: Record<string, unknown> = {}
  mayHavePieces = false
  readonly #bytes: Buffer
  /** The member whose object or list was entered last. */
  #name = ''
  #start = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  enter(
    place: 'top' | 'member',
    key: Word | null,
    kind: ValueKind,
    start: number,
    end: number,
  ): 'member' | null {
    if (place !== 'top') return null
    const name = key?.text ?? ''
    if (DONE.has(name)) this.mayHavePieces = true
    if (!AT_TOP.has(name)) return null
    this.#name = name
    this.#start = start
    // A string is nearly always a name that was read lately.
    if (kind === 'string') this.members[name] = textAt(this.#bytes, start, end) ?? undefined
    else if (end !== 0) this.members[name] = parsedAt(this.#bytes, start, end)
    return 'member'
  }

  leave(place: 'top' | 'member', end: number): void {
    if (place === 'member') this.members[this.#name] = parsedAt(this.#bytes, this.#start, end)
  }
}

/** Null when it is no JSON. */
function toldAnywhere(bytes: Buffer): Told | null {
  const data = parsedAt(bytes, 0, bytes.length)
  if (data === undefined) return null
  const isList = Array.isArray(data)
  return {
    usage: usageOf(data),
    model: readModel(isList ? data[0] : data),
    isLast: !isList || isLastWord(data.at(-1)),
  }
}

function usageOf(data: unknown): ToldUsage | null {
  if (!Array.isArray(data)) return readUsage(data)
  return data.reduce<ToldUsage | null>((told, one) => mergeUsage(told, readUsage(one)), null)
}
