import { createGrowingBytes } from './growing-bytes.ts'
import { parsedAt } from './json-bytes.ts'
import { type ValueReader, walkObject } from './json-walk.ts'
import type { TokenUsage, UsageReader } from './ports.ts'
import { isLastWord, mergeUsage, readModel, readUsage, type ToldUsage, tokenUsage } from './read-usage.ts'

/**
 * The tokens of an answer that is one JSON body. Bytes go through as they come. A body is kept up to a bound and read
 * at the end: a short one as a whole, of a long one or one that broke off the last usage in the last 64 KiB, since
 * vendors write it behind what the model said; a long one as a whole where its end tells nothing.
 */

const EMPTY = Buffer.alloc(0)
const TAIL_BYTES = 65_536
/** A longer body is not made into objects as a whole: a list of embeddings would hold everybody up. */
const PARSED_BYTES = 131_072
const USAGE_KEY = Buffer.from('"usage')
/** The longest usage that is looked for the end of. */
const USAGE_BYTES = 8_192

interface Told {
  readonly usage: ToldUsage | null
  readonly model: string | null
  /** False where the body is a list of pieces of an answer, and the last of them is none that ends it. */
  readonly isLast: boolean
}

export function createJsonReader(maxBodyBytes: number): UsageReader {
  const body = createGrowingBytes()
  let isCut = false
  let told: Told | null = null
  let isEnded = false

  function look(): Told {
    if (told !== null) return told
    const bytes = body.bytes()
    const isLong = isCut || bytes.length > PARSED_BYTES
    const last = isLong ? lastUsage(bytes.subarray(-TAIL_BYTES)) : null
    const isWhole = last === null && !isCut && bytes.length > 0
    told = (isWhole ? (toldAtTop(bytes) ?? toldAnywhere(bytes)) : null) ?? {
      usage: last ?? lastUsage(bytes.subarray(-TAIL_BYTES)),
      model: null,
      isLast: true,
    }
    return told
  }

  return {
    push(input) {
      told = null
      body.add(input.length > TAIL_BYTES && isCut ? input.subarray(-TAIL_BYTES) : input)
      if (!isCut && body.length > maxBodyBytes) isCut = true
      // Cut back by halves, so that each byte is moved once or twice.
      if (isCut && body.length > TAIL_BYTES * 4) {
        const tail = Buffer.from(body.bytes().subarray(-TAIL_BYTES))
        body.clear()
        body.add(tail)
      }
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

/** Members of an answer that tell all there is to know, in nearly every vendor's. */
const AT_TOP: ReadonlySet<string> = new Set(['usage', 'usageMetadata', 'model', 'modelVersion'])

/** Without making objects of what the model wrote; null where the members at the top do not tell it. */
function toldAtTop(bytes: Buffer): Told | null {
  const members: Record<string, unknown> = {}
  let open = { name: '', start: 0 }
  const reader: ValueReader<'top' | 'member'> = {
    root: 'top',
    enter(place, key, _kind, start, end) {
      const name = key?.text ?? ''
      if (place !== 'top' || !AT_TOP.has(name)) return null
      if (end !== 0) members[name] = parsedAt(bytes, start, end)
      open = { name, start }
      return 'member'
    },
    leave(place, end) {
      if (place === 'member') members[open.name] = parsedAt(bytes, open.start, end)
    },
  }
  const usage = walkObject(bytes, [reader]) === -1 ? null : readUsage(members)
  return usage === null ? null : { usage, model: readModel(members), isLast: true }
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

/** Google answers a stream without `alt=sse` as one list. */
function usageOf(data: unknown): ToldUsage | null {
  if (!Array.isArray(data)) return readUsage(data)
  return data.reduce<ToldUsage | null>((told, one) => mergeUsage(told, readUsage(one)), null)
}

/** The last usage that stands whole in these bytes, which may begin and end anywhere. */
function lastUsage(bytes: Buffer): ToldUsage | null {
  for (
    let at = bytes.lastIndexOf(USAGE_KEY);
    at !== -1;
    at = at === 0 ? -1 : bytes.lastIndexOf(USAGE_KEY, at - 1)
  ) {
    // Inside of what somebody wrote, a quote stands behind a backslash.
    if (bytes[at - 1] === 0x5c) continue
    const open = bytes.indexOf(0x7b, at)
    if (open === -1 || open - at > 32) continue
    const key = bytes.toString('latin1', at, open).includes('Metadata') ? 'usageMetadata' : 'usage'
    const value = firstObject(bytes.subarray(open, open + USAGE_BYTES))
    const usage = value === undefined ? null : readUsage({ [key]: value })
    if (usage !== null) return usage
  }
  return null
}

/** The object that the bytes begin with; a usage holds no bracket in a string. */
function firstObject(bytes: Buffer): unknown {
  let depth = 0
  for (let at = 0; at < bytes.length; at += 1) {
    if (bytes[at] === 0x7b) depth += 1
    else if (bytes[at] === 0x7d) depth -= 1
    if (depth === 0) return parsedAt(bytes, 0, at + 1)
  }
  return undefined
}
