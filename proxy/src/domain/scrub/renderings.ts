/**
 * Which byte strings count as a secret: plain, escaped, hexadecimal and base64, mixed and wrapped.
 *
 * A value is matched as a whole and, where it has parts that are secret by themselves (lines of a key file,
 * strings inside a JSON credential), also part by part.
 */
import { MIN_SECRET_BYTES } from '../vault/index.ts'
import { createGraphBuilder, type Graph, type GraphBuilder, ROOT } from './graph.ts'

/** Base64 and hexadecimal are found in innocent text more often than words are. */
const MIN_ENCODED_CHARS = 8
const MIN_PART_CHARS = 16

const ARMOUR_LINE = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/
const BASE64_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

type Step = readonly number[]
/** Ways to write one character; each is a sequence of steps. */
type Spelling = readonly Step[]

const NAMED_ENTITIES: Readonly<Record<string, readonly string[]>> = {
  '&': ['&amp;'],
  '<': ['&lt;'],
  '>': ['&gt;'],
  '"': ['&quot;'],
  "'": ['&apos;'],
}

export interface CompiledRenderings {
  readonly graph: Graph
  readonly names: readonly string[]
  readonly tooShort: readonly string[]
}

export function compileRenderings(secrets: ReadonlyMap<string, string>): CompiledRenderings {
  const builder = createGraphBuilder()
  const names: string[] = []
  const tooShort: string[] = []
  for (const [name, value] of secrets) {
    const secret = names.push(name) - 1
    if (Buffer.byteLength(value) < MIN_SECRET_BYTES) tooShort.push(name)
    for (const part of partsOf(value)) addPart(builder, secret, part)
  }
  return { graph: builder.build(), names, tooShort }
}

/** The value, the value without white space around it, and every part that is long enough to be secret alone. */
function partsOf(value: string): Set<string> {
  const parts = new Set([value, value.trim()])
  addLines(parts, value)
  for (const leaf of jsonStrings(value)) {
    parts.add(leaf).add(leaf.trim())
    addLines(parts, leaf)
  }
  parts.delete('')
  return parts
}

function addLines(parts: Set<string>, value: string): void {
  const lines = value.split(/\r\n|\n|\r/)
  if (lines.length === 1) return
  for (const line of lines) {
    const text = line.trim()
    // The armour of a key file is public text, and removing it everywhere would only puzzle the reader.
    if (text.length >= MIN_PART_CHARS && !ARMOUR_LINE.test(text)) parts.add(text)
  }
}

/** Strings inside a JSON credential, for instance `private_key`; addresses are left out since they are no secret. */
function jsonStrings(value: string): string[] {
  if (!/^\s*[{[]/.test(value)) return []
  const found: string[] = []
  try {
    JSON.parse(value, (_key, leaf: unknown) => {
      if (typeof leaf === 'string' && leaf.length >= MIN_PART_CHARS && !/^https?:\/\//.test(leaf))
        found.push(leaf)
      return leaf
    })
  } catch {
    return []
  }
  return found
}

function addPart(builder: GraphBuilder, secret: number, part: string): void {
  const bytes = Buffer.from(part)
  if (bytes.length >= MIN_SECRET_BYTES) addPlain(builder, secret, part)
  if (bytes.length * 2 >= MIN_ENCODED_CHARS) addHex(builder, secret, bytes)
  for (const offset of [0, 1, 2]) addBase64(builder, secret, bytes, offset)
}

/**
 * A row of characters, each in any of its spellings, with at most one separator between two of them.
 * Returns the node behind the last character.
 */
function addRow(
  builder: GraphBuilder,
  secret: number,
  row: readonly (readonly Spelling[])[],
  separators: (index: number) => readonly Spelling[],
): number {
  // `before` may still read a separator, `after` may not: two nodes instead of one keep the graph free of cycles.
  let before = ROOT
  row.forEach((spellings, index) => {
    let after = ROOT
    if (index > 0) {
      after = builder.node(secret)
      for (const separator of separators(index)) builder.chain(before, separator, after)
    }
    const next = builder.node(secret)
    for (const spelling of spellings) builder.chain(after, spelling, next)
    if (index > 0) builder.copyEdges(after, before)
    before = next
  })
  return before
}

/** Line breaks that a log or an encoder may have put inside a value. */
const LINE_BREAKS: readonly Spelling[] = ['\n', '\r\n'].map(literal)
const ESCAPED_LINE_BREAKS: readonly Spelling[] = [...LINE_BREAKS, ...['\\n', '\\r\\n'].map(literal)]

function addPlain(builder: GraphBuilder, secret: number, part: string): void {
  const row: Spelling[][] = []
  for (const char of part) row.push(spellingsOf(char))
  builder.accept(addRow(builder, secret, row, () => LINE_BREAKS))
}

const MEMO_CODES = 128
/** Spellings of ASCII characters, worked out once per process: a run waits while its secrets are compiled. */
const spellingsByCode: (Spelling[] | undefined)[] = []

function spellingsOf(char: string): Spelling[] {
  const code = char.codePointAt(0) ?? 0
  if (code >= MEMO_CODES) return workOutSpellings(char)
  spellingsByCode[code] ??= workOutSpellings(char)
  return spellingsByCode[code]
}

function workOutSpellings(char: string): Spelling[] {
  const bytes = [...Buffer.from(char)]
  const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index))
  const code = char.codePointAt(0) ?? 0
  const plain: Spelling = bytes.map((byte) => [byte])
  // A program may percent-encode some bytes of a character only in theory, so a character is one unit here.
  const percent = bytes.flatMap((byte) => [...literal('%'), ...hexSteps(byte, 2)])
  const twicePercent = bytes.flatMap((byte) => [...literal('%25'), ...hexSteps(byte, 2)])
  const unicode = units.flatMap((unit) => [...literal('\\u'), ...hexSteps(unit, 4)])
  const twiceUnicode = units.flatMap((unit) => [...literal('\\\\u'), ...hexSteps(unit, 4)])
  const spellings: Spelling[] = [plain, percent, twicePercent, unicode, twiceUnicode]
  if (code < 256) spellings.push([...literal('\\x'), ...hexSteps(code, 2)])
  if (char === ' ') spellings.push(literal('+'))
  if (char === '\n') spellings.push(literal('\r\n'), literal('%0D%0A'), literal('%0d%0a'), literal('\\r\\n'))
  if (/[^\p{L}\p{N}]/u.test(char)) addPunctuation(spellings, char, code)
  return spellings
}

function addPunctuation(spellings: Spelling[], char: string, code: number): void {
  const once = JSON.stringify(char).slice(1, -1)
  const twice = JSON.stringify(once).slice(1, -1)
  for (const text of new Set([once, twice])) if (text !== char) spellings.push(literal(text))
  if (char === '/' || char === "'") spellings.push(literal(`\\${char}`), literal(`\\\\${char}`))
  for (const entity of NAMED_ENTITIES[char] ?? []) spellings.push(literal(entity))
  for (const digits of new Set([`${code}`, `${code}`.padStart(3, '0')]))
    spellings.push(literal(`&#${digits};`))
  const hexDigits = code.toString(16).padStart(2, '0').length
  spellings.push([...literal('&#'), bytesOf('xX'), ...hexSteps(code, hexDigits), ...literal(';')])
}

function addHex(builder: GraphBuilder, secret: number, bytes: Buffer): void {
  const row = [...bytes].map((byte) => [hexSteps(byte, 2)])
  const separators = [...ESCAPED_LINE_BREAKS, [bytesOf(' :-')]]
  builder.accept(addRow(builder, secret, row, () => separators))
}

/**
 * Base64 of the value when `offset` unknown bytes (modulo 3) stand before it. Digits that also depend on what
 * stands before are left out; the digit that also depends on what follows is taken along when it is there.
 */
function addBase64(builder: GraphBuilder, secret: number, bytes: Buffer, offset: number): void {
  const padded = Buffer.concat([Buffer.alloc(offset), bytes, Buffer.alloc(2)]).toString('base64')
  const first = offset === 0 ? 0 : offset + 1
  const bits = (offset + bytes.length) * 8
  const end = Math.floor(bits / 6)
  if (end - first < MIN_ENCODED_CHARS) return
  const row = [...padded.slice(first, end)].map(digitSpellings)
  const last = addRow(builder, secret, row, () => ESCAPED_LINE_BREAKS)
  builder.accept(last)
  if (bits % 6 === 0) return
  const known = BASE64_DIGITS.indexOf(padded.charAt(end))
  const unknownBits = 6 - (bits % 6)
  const mixed = builder.node(secret)
  for (let low = 0; low < 1 << unknownBits; low++) {
    for (const spelling of digitSpellings(BASE64_DIGITS.charAt(known + low)))
      builder.chain(last, spelling, mixed)
  }
  builder.accept(mixed)
}

const spellingsByDigit = new Map([...BASE64_DIGITS].map((digit) => [digit, workOutDigit(digit)]))

function digitSpellings(digit: string): readonly Spelling[] {
  return spellingsByDigit.get(digit) ?? []
}

function workOutDigit(digit: string): Spelling[] {
  if (digit === '+')
    return [[bytesOf('+-')], literal('%2B'), literal('%2b'), literal('\\u002b'), literal('\\u002B')]
  if (digit === '/') return [[bytesOf('/_')], literal('%2F'), literal('%2f'), literal('\\/')]
  return [literal(digit)]
}

function literal(text: string): Spelling {
  return [...Buffer.from(text)].map((byte) => [byte])
}

function bytesOf(chars: string): number[] {
  return [...Buffer.from(chars)]
}

/** The number in hexadecimal, every digit in either case. */
function hexSteps(value: number, digits: number): Spelling {
  const text = value.toString(16).padStart(digits, '0')
  return [...text].map((digit) => [...new Set(bytesOf(digit + digit.toUpperCase()))])
}
