/**
 * The top-level members of a JSON object, found in its UTF-8 bytes without making objects of them: linear in time,
 * constant in memory, nesting and members bounded. What stands between strings is checked as JSON's grammar wants it (no
 * comments, no trailing commas), so a lenient reader elsewhere finds the same members; inside strings nothing but
 * their end is looked for, and control characters, which must not stand there.
 */

/** Where a member stands: ends are behind the last byte; the key's range holds its quotes. */
export interface Member {
  readonly keyStart: number
  readonly keyEnd: number
  readonly start: number
  readonly end: number
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d] as const
const [COMMA, COLON] = [0x2c, 0x3a] as const
/** Deeper than any request; what nests deeper is not read. */
const MAX_DEPTH = 1_000
/** Members of the object itself: requests have a few dozen. With more of them it is not read, as if it nested too deeply. */
const MAX_MEMBERS = 1_024
/** Short strings are cheaper to walk than to search. */
const WALKED = 24

/** Whether each level is an object or a list; reused, since no scan happens inside another. */
const isObjectAt = new Uint8Array(MAX_DEPTH + 1)

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
const BY_BYTES = 256
/** The first byte of a string that is no control character. */
const SPACE = 0x20

/** Whether a byte below 0x20 stands in there. */
function hasControl(bytes: Buffer, from: number, to: number): boolean {
  let at = from
  if (to - from > BY_BYTES) {
    for (; (bytes.byteOffset + at) % 4 !== 0; at += 1) if ((bytes[at] ?? 0) < SPACE) return true
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (to - at) >> 2)
    // The highest bit of a byte is left only where the byte was small enough to borrow, and had not set it itself.
    for (const word of words) if (((word - 0x20202020) & ~word & 0x80808080) !== 0) return true
    at += words.length * 4
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

/**
 * Calls `visit` for each member of the object that `bytes` is, in order. Returns where its `{` stands, or -1 when the
 * bytes are not one whole JSON object within the bounds; members may have been visited by then. `visit` must not scan.
 */
export function visitMembers(bytes: Buffer, visit: (member: Member) => void): number {
  const open = skipBlanks(bytes, 0)
  if (bytes[open] !== OPEN_OBJECT) return -1
  isObjectAt[1] = 1
  let depth = 1
  let members = 0
  let [keyStart, keyEnd, start] = [0, 0, 0]
  let at = skipBlanks(bytes, open + 1)
  /** Whether a bracket may close here: right behind the opening one. */
  let mayClose = true
  for (;;) {
    let end = -1
    const closes = isObjectAt[depth] === 1 ? CLOSE_OBJECT : CLOSE_LIST
    if (mayClose && bytes[at] === closes) {
      depth -= 1
      end = at + 1
    } else {
      if (isObjectAt[depth] === 1) {
        if (bytes[at] !== QUOTE) return -1
        const behind = stringEnd(bytes, at)
        if (behind === -1) return -1
        const colon = skipBlanks(bytes, behind)
        if (bytes[colon] !== COLON) return -1
        if (depth === 1) {
          members += 1
          if (members > MAX_MEMBERS) return -1
          keyStart = at
          keyEnd = behind
        }
        at = skipBlanks(bytes, colon + 1)
        if (depth === 1) start = at
      }
      const byte = bytes[at]
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (depth === MAX_DEPTH) return -1
        depth += 1
        isObjectAt[depth] = byte === OPEN_OBJECT ? 1 : 0
        mayClose = true
        at = skipBlanks(bytes, at + 1)
        continue
      }
      end = valueEnd(bytes, at)
      if (end === -1) return -1
    }
    // A value has ended: brackets may close, then a comma or the end of everything follows.
    for (;;) {
      if (depth === 1) visit({ keyStart, keyEnd, start, end })
      if (depth === 0) return skipBlanks(bytes, end) === bytes.length ? open : -1
      at = skipBlanks(bytes, end)
      if (bytes[at] !== (isObjectAt[depth] === 1 ? CLOSE_OBJECT : CLOSE_LIST)) break
      depth -= 1
      end = at + 1
    }
    if (bytes[at] !== COMMA) return -1
    mayClose = false
    at = skipBlanks(bytes, at + 1)
  }
}

/** The key as text; null when its escapes are none of JSON's. */
export const keyOf = (bytes: Buffer, { keyStart, keyEnd }: Member): string | null =>
  keyAt(bytes, keyStart, keyEnd)

const KEPT_KEYS = 1_024
const KEPT_KEY_BYTES = 24
/** Requests are written with the same few keys: one that was read lately is not decoded again. Each has one place. */
const keptKeys: string[] = []

/** As `stringAt`, of a key. */
export function keyAt(bytes: Buffer, start: number, end: number): string | null {
  const length = end - start - 2
  if (length > KEPT_KEY_BYTES) return stringAt(bytes, start, end)
  let hash = length
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at] as number
    if (byte === BACKSLASH || byte >= 0x80) return stringAt(bytes, start, end)
    hash = (hash * 31 + byte) | 0
  }
  const place = hash & (KEPT_KEYS - 1)
  const kept = keptKeys[place]
  if (kept !== undefined && isAt(bytes, start + 1, kept, length)) return kept
  const key = bytes.toString('latin1', start + 1, end - 1)
  keptKeys[place] = key
  return key
}

function isAt(bytes: Buffer, start: number, text: string, length: number): boolean {
  if (text.length !== length) return false
  for (let at = 0; at < length; at += 1) if (text.charCodeAt(at) !== bytes[start + at]) return false
  return true
}

/** Whether a backslash stands in there. */
export function isEscaped(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] === BACKSLASH) return true
  return false
}

/** The string that stands there with its quotes, as `visitMembers` found it; null when its escapes are none of JSON's. */
export function stringAt(bytes: Buffer, start: number, end: number): string | null {
  if (!isEscaped(bytes, start, end)) return bytes.toString('utf8', start + 1, end - 1)
  const value = parsedAt(bytes, start, end)
  return typeof value === 'string' ? value : null
}

/** The value that stands there; undefined when it is none. */
export function parsedAt(bytes: Buffer, start: number, end: number): unknown {
  try {
    return JSON.parse(bytes.toString('utf8', start, end)) as unknown
  } catch {
    return undefined
  }
}

/** Of JSON that `visitMembers` has read: behind the value that begins at `at`. */
export function behindValue(bytes: Buffer, at: number): number {
  let depth = 0
  for (;;) {
    const byte = bytes[at] ?? 0
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1
    if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) depth -= 1
    if (byte === QUOTE) at = stringEnd(bytes, at)
    else if (depth === 0 && byte !== CLOSE_OBJECT && byte !== CLOSE_LIST) return scalarEnd(bytes, at)
    else at += 1
    if (depth === 0) return at
  }
}
