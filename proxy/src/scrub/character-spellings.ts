/**
 * How escapes write a character: percent forms, backslashes of every language, HTML, quoted-printable, JSON in JSON.
 * Any character may be written in any of them, whatever its neighbours are.
 */
import { END, type Spelling, SpellingBuilder, START } from './spelling.ts'

/** WHATWG HTML, 13.5, for what is not a letter in ASCII. */
const ENTITIES: Readonly<Record<string, readonly string[]>> = {
  '\t': ['Tab'],
  '\n': ['NewLine'],
  '!': ['excl'],
  '"': ['quot', 'QUOT'],
  '#': ['num'],
  $: ['dollar'],
  '%': ['percnt'],
  '&': ['amp', 'AMP'],
  "'": ['apos'],
  '(': ['lpar'],
  ')': ['rpar'],
  '*': ['ast', 'midast'],
  '+': ['plus'],
  ',': ['comma'],
  '.': ['period'],
  '/': ['sol'],
  ':': ['colon'],
  ';': ['semi'],
  '<': ['lt', 'LT'],
  '=': ['equals'],
  '>': ['gt', 'GT'],
  '?': ['quest'],
  '@': ['commat'],
  '[': ['lsqb', 'lbrack'],
  '\\': ['bsol'],
  ']': ['rsqb', 'rbrack'],
  '^': ['Hat'],
  _: ['lowbar', 'UnderBar'],
  '`': ['grave', 'DiacriticalGrave'],
  '{': ['lcub', 'lbrace'],
  '|': ['verbar', 'vert', 'VerticalLine'],
  '}': ['rcub', 'rbrace'],
}
/** `\n` and its like, in C, JavaScript, Python and shells. */
const LETTERS: Readonly<Record<string, string>> = {
  '\0': '0',
  '\x07': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\x1b': 'eE',
}
/** JSON in JSON in JSON doubles them each time. */
const MAX_BACKSLASHES = 8
const MAX_PERCENT_BACKSLASHES = 4
const MAX_ZEROS = 7
const MAX_PERCENT_ROUNDS = 4

const ZERO = bytesOf('0')

/** Every byte in hexadecimal, each digit in either case; of several numbers with as many digits, any of them. */
function hexSteps(numbers: readonly number[], digits: number): number[][] {
  const texts = numbers.map((one) => one.toString(16).padStart(digits, '0'))
  return Array.from({ length: digits }, (_, at) =>
    bytesOf(texts.map((text) => `${text[at]}${text[at]?.toUpperCase()}`).join('')),
  )
}

function bytesOf(chars: string): number[] {
  return [...new Set(Buffer.from(chars))]
}

const utf8 = (char: string): number[] => [...Buffer.from(char)]
const unitsOf = (char: string): number[] =>
  Array.from({ length: char.length }, (_, at) => char.charCodeAt(at))

/** The spellings of a character, with those of its upper and lower case where these do not count. */
export function charSpelling(char: string, caseCounts: boolean): Spelling {
  return spellingOf(caseCounts ? [char] : [char, char.toLowerCase(), char.toUpperCase()])
}

/** The spellings of any of these characters. */
export function spellingOf(chars: readonly string[]): Spelling {
  const builder = new SpellingBuilder()
  const all = [...new Set(chars)]
  for (const char of all) addPlain(builder, char)
  const single = all.filter((char) => [...char].length === 1)
  const ascii = single.filter((char) => char <= '\x7f')
  if (ascii.length > 0) addEscapes(builder, ascii)
  for (const char of single) if (char > '\x7f') addEscapes(builder, [char])
  return builder.build()
}

/** In UTF-8, and in Latin-1 or UTF-16 without its NULs, which are passed over wherever they stand. */
function addPlain(builder: SpellingBuilder, char: string): void {
  // A NUL as it stands is passed over like any other, and stands for nothing.
  if (char !== '\0') builder.text(START, char, END)
  if (char === ' ') builder.edge(START, bytesOf('+_'), END)
  if (char === '\n') builder.text(START, '\r\n', END)
  if (char <= '\x7f') return
  const little = Buffer.from(char, 'utf16le')
  const code = char.codePointAt(0) ?? 0
  const wide = [code & 255, (code >> 8) & 255, code >> 16]
  for (const bytes of [[...little], [...Buffer.from(little).swap16()], wide, wide.toReversed()]) {
    const seen = bytes.filter((byte) => byte !== 0)
    if (seen.length > 0) builder.text(START, Uint8Array.from(seen), END)
  }
}

/** Of characters with as many bytes in UTF-8 each. */
function addEscapes(builder: SpellingBuilder, chars: readonly string[]): void {
  addBytes(builder, chars)
  addBackslashes(builder, chars)
  for (const char of chars) addHtml(builder, char)
  if (chars.includes('\n')) {
    for (const text of ['%0D%0A', '%0d%0a', '=0D=0A', '\\r\\n', '\\\\r\\\\n', '&#13;&#10;']) {
      builder.text(START, text, END)
    }
  }
}

/** A character that another escape may have been put around: `%5Cu0041`, `\u0026#65;`, `%26%2365%3B`. */
function addMark(builder: SpellingBuilder, from: number, mark: string, to: number): void {
  const code = mark.charCodeAt(0)
  builder.edge(from, [code], to)
  const percent = builder.node()
  builder.edge(from, bytesOf('%'), percent)
  const twice = builder.node()
  builder.text(percent, '25', twice)
  builder.steps([percent, twice], hexSteps([code], 2), to)
  if (mark === '\\') return
  const slash = builder.node()
  builder.edge(from, bytesOf('\\'), slash)
  builder.steps(slash, [bytesOf('u'), ZERO, ZERO, ...hexSteps([code], 2)], to)
  builder.steps(slash, [bytesOf('x'), ...hexSteps([code], 2)], to)
}

/** Percent forms, in any number of rounds, quoted-printable, and `%uXXXX`. */
function addBytes(builder: SpellingBuilder, chars: readonly string[]): void {
  const bytes = chars.map(utf8)
  const { length } = bytes[0] as number[]
  const begin = (from: number): number[] => {
    const first = builder.node()
    addMark(builder, from, '%', first)
    builder.edge(from, bytesOf('='), first)
    const rounds = [first]
    for (let round = 1; round < MAX_PERCENT_ROUNDS; round++) {
      const next = builder.node()
      builder.text(rounds.at(-1) as number, '25', next)
      rounds.push(next)
    }
    return rounds
  }
  let at = [START]
  for (let index = 0; index < length; index++) {
    const next = index === length - 1 ? END : builder.node()
    builder.steps(
      at.flatMap(begin),
      hexSteps(
        bytes.map((one) => one[index] as number),
        2,
      ),
      next,
    )
    at = [next, ...softBreak(builder, next)]
  }
  const units = chars.map(unitsOf)
  let from = START
  const many = (units[0] as number[]).length
  for (let index = 0; index < many; index++) {
    const next = index === many - 1 ? END : builder.node()
    const rounds = begin(from)
    builder.steps(
      rounds,
      [
        bytesOf('u'),
        ...hexSteps(
          units.map((one) => one[index] as number),
          4,
        ),
      ],
      next,
    )
    from = next
  }
  if (length > 1) {
    for (const code of chars.map((char) => char.codePointAt(0) ?? 0)) {
      if (code < 256) builder.steps(begin(START), hexSteps([code], 2), END)
    }
  }
}

/** RFC 2045, 6.7: a line may end between two bytes of a character. */
function softBreak(builder: SpellingBuilder, from: number): number[] {
  if (from === END) return []
  const broken = builder.node()
  builder.text(from, '=\r\n', broken)
  builder.text(from, '=\n', broken)
  return [broken]
}

/**
 * One to many backslashes, some as percent forms. They all end at one node, since that is what a match is walked back
 * through: a character behind a backslash may be any.
 */
function backslashes(builder: SpellingBuilder, from: number): number[] {
  const nodes = Array.from({ length: MAX_BACKSLASHES }, () => builder.node())
  const percent = builder.node()
  const five = builder.node()
  builder.edge(from, bytesOf('%'), percent)
  builder.edge(percent, bytesOf('5'), five)
  nodes.forEach((node, index) => {
    builder.edge(from, bytesOf('\\'), node)
    builder.edge(five, bytesOf('cC'), node)
    if (index > 0) {
      const before = nodes[index - 1] as number
      builder.edge(before, bytesOf('\\'), node)
      if (index > MAX_BACKSLASHES - MAX_PERCENT_BACKSLASHES) {
        builder.steps(before, [bytesOf('%'), bytesOf('5'), bytesOf('cC')], node)
      }
    }
  })
  addMark(builder, from, '\\', nodes.at(-1) as number)
  return nodes.slice(-1)
}

function addBackslashes(builder: SpellingBuilder, chars: readonly string[]): void {
  const slashes = backslashes(builder, START)
  const codes = chars.map((char) => char.codePointAt(0) ?? 0)
  const units = chars.map(unitsOf)
  // \u0041, a pair of them beyond the basic plane, \U00000041
  let at = slashes
  const many = (units[0] as number[]).length
  for (let index = 0; index < many; index++) {
    const next = index === many - 1 ? END : builder.node()
    builder.steps(
      at,
      [
        bytesOf('u'),
        ...hexSteps(
          units.map((one) => one[index] as number),
          4,
        ),
      ],
      next,
    )
    if (next !== END) at = backslashes(builder, next)
  }
  builder.steps(slashes, [bytesOf('U'), ...hexSteps(codes, 8)], END)
  // \u{41}
  const brace = builder.node()
  const u = builder.node()
  for (const slash of slashes) builder.edge(slash, bytesOf('ux'), u)
  addMark(builder, u, '{', brace)
  const braceZeros = builder.upTo(MAX_ZEROS, [brace], ZERO)
  const closed = builder.node()
  for (const code of codes) builder.steps(braceZeros, hexSteps([code], code.toString(16).length), closed)
  addMark(builder, closed, '}', END)
  // Bytes: \x41, \101; all of a character's, or its own number.
  addEscapedBytes(builder, slashes, chars.map(utf8))
  if (codes.every((code) => code > 127 && code < 256)) {
    addEscapedBytes(
      builder,
      slashes,
      codes.map((code) => [code]),
    )
  }
  // CSS Syntax Level 3, 4.3.7: a blank may end it.
  const zeros = builder.upTo(4, slashes, ZERO)
  for (const code of codes) {
    const last = builder.node()
    builder.steps(zeros, hexSteps([code], code.toString(16).length), last)
    builder.end([last])
    builder.edge(last, bytesOf(' \t\n'), END)
  }
  for (const char of chars) {
    const letters = LETTERS[char] ?? ''
    for (const slash of slashes) {
      if (letters !== '') builder.edge(slash, bytesOf(letters), END)
      if (char > ' ') builder.text(slash, char, END)
    }
    if (char > ' ' && char <= '\x7f') {
      const percent = builder.node()
      for (const slash of slashes) builder.edge(slash, bytesOf('%'), percent)
      const twice = builder.node()
      builder.text(percent, '25', twice)
      builder.steps([percent, twice], hexSteps([char.charCodeAt(0)], 2), END)
    }
    if (char === ' ') for (const slash of slashes) builder.edge(slash, bytesOf(' '), END)
  }
}

function addEscapedBytes(
  builder: SpellingBuilder,
  slashes: readonly number[],
  bytes: readonly number[][],
): void {
  const { length } = bytes[0] as number[]
  let at = slashes
  for (let index = 0; index < length; index++) {
    const numbers = bytes.map((one) => one[index] as number)
    const next = index === length - 1 ? END : builder.node()
    builder.steps(at, [bytesOf('x'), ...hexSteps(numbers, 2)], next)
    const zeros = builder.upTo(2, at, ZERO)
    for (const number of numbers) {
      builder.steps(
        zeros,
        [...number.toString(8)].map((digit) => bytesOf(digit)),
        next,
      )
    }
    if (next !== END) at = backslashes(builder, next)
  }
}

/** By name and by number, with leading zeros, with and without the semicolon, the ampersand escaped or not. */
function addHtml(builder: SpellingBuilder, char: string): void {
  const code = char.codePointAt(0) ?? 0
  const ampersand = builder.node()
  addMark(builder, START, '&', ampersand)
  const again = builder.node()
  builder.text(ampersand, 'amp;', again)
  const thrice = builder.node()
  builder.text(again, 'amp;', thrice)
  const begun = [ampersand, again, thrice]
  const number = builder.node()
  addMark(builder, ampersand, '#', number)
  for (const node of [again, thrice]) builder.edge(node, bytesOf('#'), number)
  const open = builder.node()
  const decimal = builder.upTo(MAX_ZEROS, [number], ZERO)
  builder.steps(
    decimal,
    [...`${code}`].map((digit) => bytesOf(digit)),
    open,
  )
  const x = builder.node()
  builder.edge(number, bytesOf('xX'), x)
  const hexadecimal = builder.upTo(MAX_ZEROS, [x], ZERO)
  builder.steps(hexadecimal, hexSteps([code], code.toString(16).length), open)
  for (const name of ENTITIES[char] ?? []) builder.text(begun, name, open)
  builder.end([open])
  addMark(builder, open, ';', END)
}
