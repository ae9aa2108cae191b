/**
 * The smallest parts of JSON, found in its UTF-8 bytes without making objects of them, each in time linear in its own length. What
 * stands between strings is checked as JSON's grammar wants it (no comments, no other blanks), so a lenient reader elsewhere finds
 * the same; inside strings nothing but their end is looked for, and control characters, which must not stand there.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
/** Short strings are cheaper to walk than to search. */
const WALKED = 24

/** The next byte that is no white space, from `at` on. */
export function skipBlanks(bytes: Uint8Array, at: number): number {
  const length = bytes.length
  for (; at < length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte > 0x20 || (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09)) return at
  }
  return length
}

/** Longer stretches are looked through by words, for which a view has to be made first. */
const BY_BYTES = 128
/** The first byte of a string that is no control character. */
const SPACE = 0x20

/** Whether a byte below 0x20 stands in there. */
function hasControl(bytes: Buffer, from: number, to: number): boolean {
  let at = from
  if (to - from > BY_BYTES) {
    for (; (bytes.byteOffset + at) % 4 !== 0; at += 1) if ((bytes[at] ?? 0) < SPACE) return true
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (to - at) >> 2)
    const { length } = words
    // The highest bit of a byte is left only where the byte was small enough to borrow, and had not set it itself. By index: with
    // an iterator it takes seven times as long.
    for (let one = 0; one < length; one += 1) {
      const word = words[one] as number
      if (((word - 0x20202020) & ~word & 0x80808080) !== 0) return true
    }
    at += length * 4
  }
  for (; at < to; at += 1) if ((bytes[at] ?? 0) < SPACE) return true
  return false
}

/**
 * Behind the closing quote of the string whose opening quote is at `start`; -1 when there is none, or when a control
 * character stands before it: lenient readers differ in what they make of those.
 */
export function stringEnd(bytes: Buffer, start: number): number {
  let at = start + 1
  for (;;) {
    const walkedTo = Math.min(at + WALKED, bytes.length)
    while (at < walkedTo) {
      const byte = bytes[at] ?? 0
      if (byte === QUOTE) return at + 1
      if (byte < SPACE) return -1
      if (byte === BACKSLASH) {
        if ((bytes[at + 1] ?? 0) < SPACE) return -1
        at += 1
      }
      at += 1
    }
    if (at >= bytes.length) return -1
    const quote = bytes.indexOf(QUOTE, at)
    if (quote === -1 || hasControl(bytes, at, quote)) return -1
    let backslashes = 0
    while (quote - backslashes > at && bytes[quote - backslashes - 1] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text))

/** Behind the number or literal at `at`; -1 when it is none. */
function scalarEnd(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  if (first === MINUS || (first >= ZERO && first <= NINE)) return numberEnd(bytes, at)
  for (const literal of LITERALS) {
    if (first !== literal[0]) continue
    for (let one = 1; one < literal.length; one += 1) if (bytes[at + one] !== literal[one]) return -1
    return at + literal.length
  }
  return -1
}

/** Behind the string or scalar at `at`; -1 when there is none. */
export const valueEnd = (bytes: Buffer, at: number): number =>
  bytes[at] === QUOTE ? stringEnd(bytes, at) : scalarEnd(bytes, at)

const [ZERO, NINE, MINUS, PLUS, POINT] = [0x30, 0x39, 0x2d, 0x2b, 0x2e] as const

/** Behind the digits at `at`, of which there may be none. */
function digitsEnd(bytes: Buffer, at: number): number {
  const length = bytes.length
  for (; at < length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte < ZERO || byte > NINE) return at
  }
  return length
}

function numberEnd(bytes: Buffer, start: number): number {
  const whole = bytes[start] === MINUS ? start + 1 : start
  let end = digitsEnd(bytes, whole)
  if (end === whole || (bytes[whole] === ZERO && end > whole + 1)) return -1
  if (bytes[end] === POINT) {
    const fraction = end + 1
    end = digitsEnd(bytes, fraction)
    if (end === fraction) return -1
  }
  if (bytes[end] === 0x65 || bytes[end] === 0x45) {
    const sign = bytes[end + 1]
    const exponent = sign === PLUS || sign === MINUS ? end + 2 : end + 1
    end = digitsEnd(bytes, exponent)
    if (end === exponent) return -1
  }
  return end
}

/** Whether a backslash stands in there. */
function isEscaped(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === BACKSLASH) return true
  return false
}

/** The string that stands there with its quotes, as `stringEnd` found it; null when its escapes are none of JSON's. */
export function stringAt(bytes: Buffer, start: number, end: number): string | null {
  if (!isEscaped(bytes, start, end)) return bytes.toString('utf8', start + 1, end - 1)
  const value = parsedAt(bytes, start, end)
  return typeof value === 'string' ? value : null
}

/** The number that stands there, as `valueEnd` found it; undefined for every other value, and for one that nobody writes so long. */
export function numberAt(bytes: Buffer, start: number, end: number): number | undefined {
  const first = bytes[start] ?? 0
  if ((first !== MINUS && (first < ZERO || first > NINE)) || end - start > NUMBER_BYTES) return undefined
  if (end - start > EXACT_DIGITS) return Number(bytes.toString('latin1', start, end))
  let value = 0
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return Number(bytes.toString('latin1', start, end))
    value = value * 10 + digit
  }
  return value
}

const NUMBER_BYTES = 32
/** Of so many every number is exact. */
const EXACT_DIGITS = 15

/** The value that stands there; undefined when it is none. */
export function parsedAt(bytes: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as unknown
  } catch {
    return undefined
  }
}
