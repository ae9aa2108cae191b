import { GrowingBytes } from './growing-bytes.ts'
import { parsedAt } from './json-bytes.ts'
import { JsonSkim } from './json-skim.ts'
import type { UsageReader } from './ports.ts'
import { isLastWord, mergeUsage, readModel, readUsage, type ToldUsage, tokenUsage } from './read-usage.ts'

/**
 * The tokens of Bedrock's binary event stream: frames of lengths, headers and a payload. Bytes go through as they
 * come; only the frames named `metadata` (Converse) and `chunk` (a vendor's own events in base64) are read. A frame
 * that cannot be one ends the reading, not the stream.
 */

const EMPTY = Buffer.alloc(0)
/** Length of the frame, length of its headers, checksum of both. */
const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
/** AWS allows 16 MiB of payload and 128 KiB of headers. */
const LONGEST_FRAME = 16_777_216 + 131_072 + PRELUDE_BYTES + CHECKSUM_BYTES

/** A longer frame is read as it passes (json-skim.ts), where it is one that tells of tokens. */
export function createEventStreamReader(maxFrameBytes: number): UsageReader {
  const frame = new GrowingBytes()
  /** Of the frame that has begun; 0 while its prelude is not whole. */
  let frameBytes = 0
  let missing = PRELUDE_BYTES
  /** Of a frame that is too long to be kept: `passing` once its headers have come and it tells of nothing. */
  let long: JsonSkim | 'passing' | null = null
  let isBroken = false
  let told: ToldUsage | null = null
  let isFinal = false
  let model: string | null = null

  function read(): void {
    const payload = payloadOf(frame.bytes())
    if (payload !== undefined) tell(payload)
  }

  function tell(payload: unknown): void {
    model ??= readModel(payload)
    const usage = readUsage(payload)
    if (usage === null) return
    told = mergeUsage(told, usage)
    isFinal = isLastWord(payload)
  }

  /** `after`: bytes of the frame that come after these, its checksum last. */
  function takeLong(bytes: Buffer, after: number): void {
    if (long === 'passing') return
    let payload = bytes
    if (long === null) {
      frame.add(bytes)
      const begun = frame.bytes()
      const headersEnd = PRELUDE_BYTES + begun.readUInt32BE(4)
      if (headersEnd > maxFrameBytes) long = 'passing'
      if (headersEnd > begun.length || long !== null) return
      const type = textHeader(begun.subarray(PRELUDE_BYTES, headersEnd), ':event-type')
      long = type === 'metadata' ? new JsonSkim(tell) : 'passing'
      payload = begun.subarray(headersEnd)
    }
    if (long === 'passing') return
    const checksum = Math.max(0, CHECKSUM_BYTES - after)
    long.push(payload.subarray(0, Math.max(0, payload.length - checksum)))
  }

  function take(bytes: Buffer): void {
    if (frameBytes <= maxFrameBytes) frame.add(bytes)
    else takeLong(bytes, missing - bytes.length)
    missing -= bytes.length
    if (missing > 0) return
    if (frameBytes === 0) {
      frameBytes = frame.bytes().readUInt32BE(0)
      missing = frameBytes - PRELUDE_BYTES
      isBroken = frameBytes < PRELUDE_BYTES + CHECKSUM_BYTES || frameBytes > LONGEST_FRAME
      return
    }
    if (frameBytes <= maxFrameBytes) read()
    else if (long !== null && long !== 'passing') long.end()
    long = null
    frame.clear()
    frameBytes = 0
    missing = PRELUDE_BYTES
  }

  return {
    push(input) {
      const chunk = Buffer.from(input.buffer, input.byteOffset, input.byteLength)
      for (let at = 0; at < chunk.length && !isBroken; ) {
        const part = chunk.subarray(at, at + missing)
        at += part.length
        take(part)
      }
      return input
    },
    end: () => EMPTY,
    usage: () => (told === null ? null : tokenUsage(told)),
    isFinal: () => isFinal,
    model: () => model,
  }
}

/** The JSON of a frame that can tell of tokens; undefined for every other frame. */
function payloadOf(frame: Buffer): unknown {
  const headersEnd = PRELUDE_BYTES + frame.readUInt32BE(4)
  const payloadEnd = frame.length - CHECKSUM_BYTES
  if (headersEnd > payloadEnd) return undefined
  const type = textHeader(frame.subarray(PRELUDE_BYTES, headersEnd), ':event-type')
  if (type === 'metadata') {
    const payload = parsedAt(frame, headersEnd, payloadEnd)
    // Some clients' servers wrap the payload in its event's name.
    const wrapped = (payload as { metadata?: unknown } | undefined)?.metadata
    return wrapped ?? payload
  }
  if (type !== 'chunk') return undefined
  const { bytes } = (parsedAt(frame, headersEnd, payloadEnd) ?? {}) as { bytes?: unknown }
  if (typeof bytes !== 'string') return undefined
  const inner = Buffer.from(bytes, 'base64')
  return parsedAt(inner, 0, inner.length)
}

/** Bytes that the value of each type of header takes; 6 and 7 carry their length in front. */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16] as const
const TEXT = 7

function textHeader(headers: Buffer, wanted: string): string | undefined {
  let at = 0
  while (at < headers.length) {
    const nameStart = at + 1
    const nameEnd = nameStart + (headers[at] ?? 0)
    const type = headers[nameEnd]
    if (type === undefined) return undefined
    const fixed = VALUE_BYTES[type]
    if (fixed === undefined) return undefined
    let valueStart = nameEnd + 1
    let length: number = fixed
    if (fixed === -1) {
      if (valueStart + 2 > headers.length) return undefined
      length = headers.readUInt16BE(valueStart)
      valueStart += 2
    }
    at = valueStart + length
    if (at > headers.length) return undefined
    if (type === TEXT && headers.toString('latin1', nameStart, nameEnd) === wanted) {
      return headers.toString('utf8', valueStart, at)
    }
  }
  return undefined
}
