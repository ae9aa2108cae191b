/**
 * An agent that quotes its own token in a prompt does not hand it to the vendor: written plainly, with JSON escapes
 * (RFC 8259, 7), with those of JSON inside JSON, or in percent form. What is masked keeps its length.
 */
const MASK = '*'
const BACKSLASH = 0x5c
const PERCENT = 0x25
/** Before a `u`: JSON inside JSON doubles them each time. */
const MAX_BACKSLASHES = 8
const HEX_DIGIT = /^[0-9a-f]+$/i
/** What a token is made of, in hexadecimal; no encoder has to escape any of it. */
const ESCAPED_FOR_NOTHING = /^(?:2d|3[0-9]|4[1-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9a])$/i

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
  for (
    let at = first === -1 ? -1 : body.indexOf('\\u00', first);
    at !== -1;
    at = body.indexOf('\\u00', at + 4)
  ) {
    if (ESCAPED_FOR_NOTHING.test(body.toString('latin1', at + 4, at + 6))) return true
  }
  for (let at = body.indexOf(PERCENT); at !== -1; at = body.indexOf(PERCENT, at + 1)) {
    if (ESCAPED_FOR_NOTHING.test(body.toString('latin1', at + 1, at + 3))) return true
  }
  return false
}

function maskEscaped(body: Buffer, token: Buffer): void {
  for (let at = 0; at < body.length; at++) {
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
  for (const char of token) {
    const next = endOfChar(bytes, at, char)
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
  const text = bytes.toString('latin1', start, start + digits)
  if (text.length < digits) {
    const wanted = char.toString(16).padStart(digits, '0')
    return wanted.startsWith(text.toLowerCase()) ? 'open' : null
  }
  return HEX_DIGIT.test(text) && Number.parseInt(text, 16) === char ? start + digits : null
}
