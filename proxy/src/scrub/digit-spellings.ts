/** How digits of encodings are written, and what stands between them: line breaks, blanks, commas, `0x`. */
import { lazily } from '../kernel/index.ts'
import { spellingOf } from './character-spellings.ts'
import { type Alphabet, createAlphabet, END, type Spelling, SpellingBuilder, START } from './spelling.ts'

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const BASE32_HEX = '0123456789ABCDEFGHIJKLMNOPQRSTUV'
/** Crockford's, without I, L, O and U. */
const BASE32_CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const HEX = '0123456789ABCDEF'

/** RFC 4648, section 5, has other signs for two of them. */
const URL_SAFE: Readonly<Record<string, string>> = { '+': '-', '/': '_' }

const bytesOf = (chars: string): number[] => [...new Set(Buffer.from(chars))]

function built(write: (builder: SpellingBuilder) => void): Spelling {
  const builder = new SpellingBuilder()
  write(builder)
  return builder.build()
}

const anyOf = (chars: string): Spelling => built((builder) => builder.edge(START, bytesOf(chars), END))

const digitsOf = (digits: string): Alphabet => createAlphabet([...digits].map(anyOf))
const inEachCase = (digits: string): Alphabet[] => [digits, digits.toLowerCase()].map(digitsOf)

const bothBase64 = (digit: string): string[] => [digit, ...(URL_SAFE[digit] ?? '')]

/** Each digit by itself. */
export const base64Inside: Alphabet = createAlphabet(
  [...BASE64].map((digit) => anyOf(bothBase64(digit).join(''))),
)
/** Each digit in any escape. */
export const base64Escaped = lazily(() =>
  createAlphabet([...BASE64].map((digit) => spellingOf(bothBase64(digit)))),
)
/** Each digit by itself, `+` and `/` in percent form or with a backslash as well. */
export const base64Digits: Alphabet = createAlphabet(
  [...BASE64].map((digit) =>
    built((builder) => {
      builder.edge(START, bytesOf(bothBase64(digit).join('')), END)
      const hex = digit === '+' ? ['2B', '2b'] : digit === '/' ? ['2F', '2f'] : []
      for (const two of hex) for (const mark of ['%', '%25', '\\u00']) builder.text(START, mark + two, END)
      if (digit === '/') builder.text(START, '\\/', END)
    }),
  ),
)
/** Of each kind in capitals and in small letters: no encoder mixes them. */
export const base32Alphabets: readonly Alphabet[] = [BASE32, BASE32_HEX, BASE32_CROCKFORD].flatMap(inEachCase)
/** Pairs are often put together by hand, so each digit may be in either case. */
export const hexDigits: Alphabet = createAlphabet([...HEX].map((digit) => anyOf(digit + digit.toLowerCase())))
export const hexInside: readonly Alphabet[] = inEachCase(HEX)

const MAX_INDENT = 16
const MAX_BLANKS = 3
const BLANKS = bytesOf(' ')

/** Line breaks as they stand, soft ones of quoted-printable and of shells. */
export const lineBreaks: Spelling = built((builder) => {
  const soft = builder.node()
  builder.edge(START, bytesOf('=\\'), soft)
  const cr = builder.node()
  for (const from of [START, soft]) builder.edge(from, bytesOf('\r'), cr)
  for (const from of [START, soft, cr]) builder.edge(from, bytesOf('\n'), END)
})

export const nothingBetween: Spelling = built(() => {})

/** Between the digits of an encoding that is encoded again. */
export const lineBreaksInside: Spelling = built((builder) => {
  builder.text(START, '\n', END)
})

/** Wrapped and indented, as it stands, inside a text of JSON or a program, or in percent form. */
export const wrapping: Spelling = built((builder) => {
  const broken = builder.node()
  addLineBreaks(builder, [START], broken)
  builder.end(builder.upTo(MAX_INDENT, [broken], BLANKS))
})

function addLineBreaks(builder: SpellingBuilder, from: readonly number[], broken: number): void {
  const soft = builder.node()
  const cr = builder.node()
  for (const node of from) builder.edge(node, bytesOf('=\\'), soft)
  for (const node of [...from, soft]) builder.edge(node, bytesOf('\r'), cr)
  for (const node of [...from, soft, cr]) builder.edge(node, bytesOf('\n'), broken)
  const slashes = builder.upTo(3, [soft], bytesOf('\\'))
  const r = builder.node()
  for (const node of slashes) {
    builder.edge(node, bytesOf('r'), r)
    builder.edge(node, bytesOf('n'), broken)
  }
  for (const node of builder.upTo(4, [r], bytesOf('\\')).slice(1)) builder.edge(node, bytesOf('n'), broken)
  for (const text of ['%0D%0A', '%0d%0a', '%0A', '%0a']) builder.text(from, text, broken)
}

/** Between two bytes in hexadecimal: of dumps, lists and programs. */
export const betweenHex: Spelling = built((builder) => {
  const all = addSeparators(builder, ',:;-')
  const prefix = builder.node()
  for (const from of all) {
    builder.text(from, '0x', prefix)
    builder.text(from, '0X', prefix)
    builder.text(from, '\\x', prefix)
  }
  builder.end([...all, prefix])
})

/** Between two numbers. */
export const betweenNumbers: Spelling = built((builder) => builder.end(addSeparators(builder, ',;:.|/-')))

/** A sign, blanks and a line break; all of them may be missing. */
function addSeparators(builder: SpellingBuilder, signs: string): number[] {
  const signed = builder.upTo(1, [START], bytesOf(signs))
  const blank = builder.upTo(MAX_BLANKS, signed, BLANKS)
  const broken = builder.node()
  addLineBreaks(builder, blank, broken)
  return [...blank, ...builder.upTo(MAX_INDENT, [broken], BLANKS)]
}

/** Numbers of one character in either case, in base 10, 8 and 2. */
export function numberSpelling(codes: readonly number[]): Spelling {
  return built((builder) => {
    for (const code of codes) {
      builder.text(START, `${code}`, END)
      if (code > 255) continue
      const octal = code.toString(8)
      builder.text(START, octal, END)
      for (const text of [octal.padStart(3, '0'), `0${octal}`, `0o${octal}`, `\\${octal.padStart(3, '0')}`]) {
        builder.text(START, text, END)
      }
      const binary = code.toString(2)
      for (const text of [binary, binary.padStart(8, '0'), `0b${binary}`, `0b${binary.padStart(8, '0')}`]) {
        builder.text(START, text, END)
      }
    }
  })
}

/** Eight binary digits for each byte need nothing between them. */
export const byteInBinary = lazily(() =>
  createAlphabet(
    Array.from({ length: 256 }, (_, byte) =>
      built((builder) => builder.text(START, byte.toString(2).padStart(8, '0'), END)),
    ),
  ),
)
