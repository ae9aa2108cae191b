import { GrowingBytes } from './growing-bytes.ts'
import type { UsageReader } from './ports.ts'
import { isLastWord, mergeUsage, readModel, readUsage, type ToldUsage, tokenUsage } from './read-usage.ts'
import { createSseSkim, type SseSkim } from './sse-skim.ts'

/**
 * The tokens of a stream of server-sent events. Bytes go through as they come; an event is decoded only when its
 * bytes hold a usage, and the first few for the name of the model. With `dropUsageChunk` the event that the proxy
 * itself had asked for is left out, and for that an event that has begun waits for its end, as long as it may still
 * be that one and is small.
 */

const LF = 0x0a
const CR = 0x0d
const QUOTE = 0x22
const EMPTY = Buffer.alloc(0)
/** Without the quote before it: a search stops at each first byte of what is looked for, and events are full of quotes. */
const USAGE = Buffer.from('usage')
const MODEL_KEY = Buffer.from('"model')
/** The beginning of a chunk that says something, so is none of a usage alone. */
const SAYS_SOMETHING = [Buffer.from('"choices":[{'), Buffer.from('"choices": [{')] as const
const LONGEST_SIGN = 13
/** An event with a usage alone is far smaller. */
const HELD_BYTES = 16_384
/** So many events are looked at for the name of the model. */
const MODEL_TRIES = 4

export function createSseReader(options: {
  readonly dropUsageChunk: boolean
  /** A longer event is read as it passes (sse-skim.ts). */
  readonly maxEventBytes: number
}): UsageReader {
  const { dropUsageChunk, maxEventBytes } = options
  const heldBytes = Math.min(HELD_BYTES, maxEventBytes)
  /** The beginning of an event that the chunks before this one brought; of a too long one nothing is kept. */
  const begun = new GrowingBytes()
  let begunBytes = 0
  /** Of an event that is too long to be kept. */
  let skim: SseSkim | null = null
  /** How much of `begun` has been given on. */
  let given = 0
  /** How much of `begun` was searched for a sign that it says something. */
  let searched = 0
  let mayDrop = dropUsageChunk
  let atLineStart = true
  /** The last byte was a CR that ended a line; an LF right behind it belongs to it. */
  let behindCr = false
  /** Such an LF goes the way of the event that it ends. */
  let wasLeftOut = false
  let told: ToldUsage | null = null
  let isFinal = false
  let model: string | null = null
  let modelTries = MODEL_TRIES

  /** Whether the data told of tokens. */
  function take(data: unknown): boolean {
    if (model === null) {
      modelTries -= 1
      model = readModel(data)
    }
    const usage = readUsage(data)
    if (usage === null) return false
    told = mergeUsage(told, usage)
    isFinal = isLastWord(data)
    return true
  }

  function readLong(event: Buffer): false {
    const long = createSseSkim()
    long.push(event)
    take(long.end())
    return false
  }

  /** Whether the event is the one to leave out. */
  function read(event: Buffer): boolean {
    const hasUsage = nextUsage(event, 0) !== -1
    const asksModel = model === null && modelTries > 0 && event.includes(MODEL_KEY)
    if (!hasUsage && !asksModel) return false
    const data = dataOf(event)
    if (data === undefined || !take(data)) return false
    return dropUsageChunk && event.length <= heldBytes && isUsageAlone(data) && !saysSomething(event, 0)
  }

  function begin(): void {
    begun.clear()
    skim = null
    begunBytes = given = searched = 0
    mayDrop = dropUsageChunk
  }

  function keep(bytes: Buffer): void {
    begunBytes += bytes.length
    if (begunBytes <= maxEventBytes) {
      begun.add(bytes)
      return
    }
    if (skim === null) {
      skim = createSseSkim()
      skim.push(begun.bytes())
    }
    skim.push(bytes)
  }

  /** What of the begun event waits, and these bytes behind it. */
  const withWaiting = (rest: Buffer): Buffer =>
    begun.length === given ? rest : Buffer.concat([begun.bytes().subarray(given), rest])

  /**
   * The event that began in earlier chunks ends with these bytes; null when it is left out. Its length counts without
   * the end of the blank line, of which the LF may come later.
   */
  function endBegun(rest: Buffer, blankEndBytes: number): Buffer | null {
    const out = withWaiting(rest)
    keep(rest.subarray(0, rest.length - blankEndBytes))
    const drop = skim === null && read(begun.bytes())
    if (skim !== null) take(skim.end())
    begin()
    return drop ? null : out
  }

  /** The end of a chunk, with which an event begins or goes on; gives back what need not wait. */
  function goOn(rest: Buffer): Buffer {
    const out = withWaiting(rest)
    keep(rest)
    if (mayDrop && begunBytes <= heldBytes) {
      const from = Math.max(0, searched - LONGEST_SIGN)
      searched = begun.length
      if (!saysSomething(begun.bytes(), from)) return EMPTY
    }
    mayDrop = false
    if (begunBytes > maxEventBytes) begun.clear()
    given = begun.length
    return out
  }

  function push(input: Uint8Array): Uint8Array {
    if (input.length === 0) return input
    const chunk = Buffer.isBuffer(input)
      ? input
      : Buffer.from(input.buffer, input.byteOffset, input.byteLength)
    const out: Buffer[] = []
    /** From here on nothing of the chunk has been given on, and here an event begins or goes on. */
    let start = 0
    /** Everything before `start` that is given on as it is, from here. */
    let plainFrom = 0
    let at = 0
    if (behindCr && chunk[0] === LF) {
      at = 1
      // Behind the blank line that ended an event it belongs to none.
      if (begunBytes === 0) {
        start = 1
        if (wasLeftOut) plainFrom = 1
      }
    }
    behindCr = false
    let nextCr = chunk.indexOf(CR, at)
    let nextLf = chunk.indexOf(LF, at)
    let usageAt = nextUsage(chunk, 0)
    while (nextCr !== -1 || nextLf !== -1) {
      const isLf = nextCr === -1 || (nextLf !== -1 && nextLf < nextCr)
      const lineEnd = isLf ? nextLf : nextCr
      const isBlank = atLineStart && lineEnd === at
      at = lineEnd + 1
      if (!isLf) {
        if (chunk[at] === LF) at += 1
        else if (at === chunk.length) behindCr = true
        nextCr = chunk[at] === CR ? at : chunk.indexOf(CR, at)
      }
      if (nextLf !== -1 && nextLf < at) nextLf = chunk[at] === LF ? at : chunk.indexOf(LF, at)
      atLineStart = true
      if (!isBlank) continue
      wasLeftOut = false
      if (begunBytes > 0) {
        const ended = endBegun(chunk.subarray(start, at), at - lineEnd)
        if (ended !== null) out.push(ended)
        wasLeftOut = ended === null
        plainFrom = at
      } else {
        if (usageAt !== -1 && usageAt < start) usageAt = nextUsage(chunk, start)
        // A blank line behind another ends an event that says nothing.
        const isEmpty = lineEnd === start
        const isLong = lineEnd - start > maxEventBytes
        // One that comes in pieces is read as it passes, before it is known what stands in it; so is this one.
        const mayTell = isLong || (usageAt !== -1 && usageAt < at) || (model === null && modelTries > 0)
        if (!isEmpty && mayTell && (isLong ? readLong : read)(chunk.subarray(start, lineEnd))) {
          wasLeftOut = true
          if (start > plainFrom) out.push(chunk.subarray(plainFrom, start))
          plainFrom = at
        }
      }
      start = at
    }
    if (at < chunk.length) atLineStart = false
    if (start < chunk.length) {
      if (start > plainFrom) out.push(chunk.subarray(plainFrom, start))
      const ready = goOn(chunk.subarray(start))
      if (ready.length > 0) out.push(ready)
    } else if (plainFrom === 0) {
      // Whole events, all of which are given on.
      return chunk
    } else if (plainFrom < chunk.length) {
      out.push(chunk.subarray(plainFrom))
    }
    return out.length === 1 ? (out[0] ?? EMPTY) : out.length === 0 ? EMPTY : Buffer.concat(out)
  }

  return {
    push,
    end() {
      if (begunBytes === 0) return EMPTY
      // Some vendors leave out the last blank line, and some clients do not need it.
      return endBegun(EMPTY, 0) ?? EMPTY
    },
    usage: () => (told === null ? null : tokenUsage(told)),
    isFinal: () => isFinal,
    model: () => model,
  }
}

function saysSomething(event: Buffer, from: number): boolean {
  return SAYS_SOMETHING.some((sign) => event.indexOf(sign, from) !== -1)
}

/** The shortest usage there is has more bytes than this behind its beginning. */
const SHORTEST_USAGE = 20

/** Where the next key that begins with `usage` does so, behind its quote, if its value is not null; -1 when there is none. */
function nextUsage(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(USAGE, from); at !== -1; at = bytes.indexOf(USAGE, at + 1)) {
    if (bytes[at - 1] !== QUOTE) continue
    // `"usage":null`, as OpenAI writes it into every other chunk.
    const isNull = bytes[at + 5] === QUOTE && bytes[at + 6] === 0x3a && bytes[at + 7] === 0x6e
    if (!isNull) return at
    if (bytes.length - at < SHORTEST_USAGE) return -1
  }
  return -1
}

/** `choices: []` beside a usage: nothing that a client who did not ask for it would miss. */
function isUsageAlone(data: unknown): boolean {
  const { choices, usage } = data as { choices?: unknown; usage?: unknown }
  return Array.isArray(choices) && choices.length === 0 && typeof usage === 'object' && usage !== null
}

/** The JSON of the event's data lines; undefined when it is none. */
function dataOf(event: Buffer): unknown {
  const lines: string[] = []
  for (const line of event.toString('utf8', 0, event.length).split(/\r\n|\n|\r/)) {
    if (line.startsWith('data:')) lines.push(line.slice(5))
  }
  const text = lines.join('\n')
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return undefined
  }
}
