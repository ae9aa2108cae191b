/**
 * An agent that quotes its own token in a prompt does not hand it to the vendor: written plainly, with JSON escapes
 * (RFC 8259, 7), with those of JSON inside JSON, or in percent form. What is masked keeps its length.
 */
const MASK = '*'
const BACKSLASH = 0x5c
const PERCENT = 0x25
const ZERO = 0x30
/** Before a `u`: JSON inside JSON doubles them each time. */
const MAX_BACKSLASHES = 8
/** Values of hexadecimal digits by their bytes; -1 for any other. */
const DIGITS = Int8Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte)
  return /[0-9a-f]/i.test(char) ? Number.parseInt(char, 16) : -1
})
/** Of what a token is made; no encoder has to escape any of it. */
const ESCAPED_FOR_NOTHING = Uint8Array.from({ length: 256 }, (_, code) =>
  /[\w-]/.test(String.fromCharCode(code)) ? 1 : 0,
)

/** Works on a body while it passes. */
export interface TokenMask {
  /** What can be given on by now. */
  push(chunk: Uint8Array): Uint8Array
  /** What is left. */
  end(): Uint8Array
}

/** In place. */
export function maskToken(body: Buffer, token: string): void {
  if (mayBeEscaped(body)) {
    maskEscaped(body, Buffer.from(token))
    return
  }
  // Nearly no body holds one. A search stops at each first byte of what is looked for, and in text a `_` is rarer than an `o`.
  const rare = Math.max(0, token.indexOf('_'))
  const tail = token.slice(rare)
  for (let at = body.indexOf(tail, rare); at !== -1; at = body.indexOf(tail, at + 1)) {
    const start = at - rare
    if (body.toString('latin1', start, at) === token.slice(0, rare))
      body.fill(MASK, start, start + token.length)
  }
}

/** For a body that goes on as it comes. Only what may begin the token is held back. */
export function createTokenMask(token: string): TokenMask {
  const wanted = Buffer.from(token)
  let held: Buffer = Buffer.alloc(0)
  return {
    push(chunk) {
      // A copy: what came may be somebody else's memory.
      const bytes = Buffer.concat([held, chunk])
      maskToken(bytes, token)
      const open = openAt(bytes, wanted)
      held = bytes.subarray(open)
      return bytes.subarray(0, open)
    },
    end() {
      const rest = held
      held = Buffer.alloc(0)
      return rest
    },
  }
}

/** Whether a character that a token may have is escaped. */
function mayBeEscaped(body: Buffer): boolean {
  const first = body.indexOf(BACKSLASH)
  for (let at = first === -1 ? -1 : nextEscape(body, first); at !== -1; at = nextEscape(body, at + 4)) {
    if (isForNothing(body, at + 4)) return true
  }
  for (let at = body.indexOf(PERCENT); at !== -1; at = nextPercent(body, at + 1)) {
    if (isForNothing(body, at + 1)) return true
  }
  return false
}

/** Looked at one by one before all of the rest is searched: where they stand close together, a search for each costs more. */
const CLOSE = 16

function nextEscape(body: Buffer, from: number): number {
  const until = Math.min(from + CLOSE, body.length - 3)
  for (let at = from; at < until; at++) {
    if (body[at] !== BACKSLASH || body[at + 1] !== 0x75) continue
    if (body[at + 2] === ZERO && body[at + 3] === ZERO) return at
  }
  return body.indexOf('\\u00', from)
}

function nextPercent(body: Buffer, from: number): number {
  const until = Math.min(from + CLOSE, body.length)
  for (let at = from; at < until; at++) if (body[at] === PERCENT) return at
  return body.indexOf(PERCENT, from)
}

/** Two digits; strings would cost a body of escapes ten times as much. */
function isForNothing(body: Buffer, at: number): boolean {
  const high = DIGITS[body[at] ?? 0] ?? -1
  const low = DIGITS[body[at + 1] ?? 0] ?? -1
  return high !== -1 && low !== -1 && ESCAPED_FOR_NOTHING[(high << 4) | low] === 1
}

function maskEscaped(body: Buffer, token: Buffer): void {
  for (let at = 0; at < body.length; at++) {
    const first = body[at]
    if (first !== token[0] && first !== BACKSLASH && first !== PERCENT) continue
    const end = endOfToken(body, at, token)
    if (end === null || end === 'open') continue
    body.fill(MASK, at, end)
    at = end - 1
  }
}

/** Where a token may begin that the bytes end in the middle of; their end without one. */
function openAt(bytes: Buffer, token: Buffer): number {
  const longest = token.length * (MAX_BACKSLASHES + 'u0000'.length)
  for (let at = Math.max(0, bytes.length - longest); at < bytes.length; at++) {
    if (endOfToken(bytes, at, token) === 'open') return at
  }
  return bytes.length
}

/** Behind the token that begins here; null when none does, `open` when the bytes end too early to tell. */
function endOfToken(bytes: Buffer, start: number, token: Buffer): number | 'open' | null {
  let at = start
  for (let index = 0; index < token.length; index++) {
    const next = endOfChar(bytes, at, token[index] as number)
    if (next === null || next === 'open') return next
    at = next
  }
  return at
}

function endOfChar(bytes: Buffer, start: number, char: number): number | 'open' | null {
  const first = bytes[start]
  if (first === undefined) return 'open'
  if (first === char) return start + 1
  if (first === PERCENT) return endOfHex(bytes, start + 1, 2, char)
  if (first !== BACKSLASH) return null
  let at = start + 1
  while (bytes[at] === BACKSLASH && at - start < MAX_BACKSLASHES) at++
  if (at === bytes.length) return 'open'
  return bytes[at] === 0x75 ? endOfHex(bytes, at + 1, 4, char) : null
}

function endOfHex(bytes: Buffer, start: number, digits: number, char: number): number | 'open' | null {
  for (let digit = 0; digit < digits; digit++) {
    const byte = bytes[start + digit]
    if (byte === undefined) return 'open'
    if (DIGITS[byte] !== ((char >> (4 * (digits - 1 - digit))) & 0xf)) return null
  }
  return start + digits
}
