import { lazily } from '../kernel/index.ts'
import { charSpelling } from './character-spellings.ts'
import { numberSpelling } from './digit-spellings.ts'
import { createChain, type Layer } from './graph.ts'
import { type Alphabet, createAlphabet, END, type Spelling, SpellingBuilder, START } from './spelling.ts'

/** A text as a chain of its characters, and how each of them is written. */
interface Text {
  readonly chain: Layer
  readonly alphabet: Alphabet
}

/** Room for the nodes of a spelling that is not worked out yet. */
const MAX_SPELLING_NODES = 4096
const ASCII = 128
/** Of the characters with the longest spellings: four bytes, two UTF-16 units. */
const LONGEST = '\u{10ffff}'
/** Spellings beyond ASCII that are kept at hand; the others are worked out anew. */
const MAX_KEPT = 1024

/** Built once per process: a run waits while its secrets are compiled. */
const escapedByChar = new Map<string, Spelling>()
const lightByChar = new Map<string, Spelling>()
const numberByChar = new Map<string, Spelling>()

function keptIn(known: Map<string, Spelling>, char: string, workOut: (char: string) => Spelling): Spelling {
  const found = known.get(char)
  if (found !== undefined) return found
  if (known.size >= ASCII + MAX_KEPT) {
    for (const one of known.keys()) if (one > '\x7f') known.delete(one)
  }
  const spelling = workOut(char)
  known.set(char, spelling)
  return spelling
}

const escapedOf = (char: string): Spelling => charSpelling(char, false)
const spellingOfChar = (char: string): Spelling => keptIn(escapedByChar, char, escapedOf)

/** Each character in any escape, in either case. */
export function escapedText(text: string): Text {
  const { chain, distinct } = numbered(text)
  const offsets = new Float64Array(distinct.length + 1)
  let longest = 0
  distinct.forEach((char, symbol) => {
    const spelling = char <= '\x7f' ? spellingOfChar(char) : null
    offsets[symbol + 1] = (offsets[symbol] as number) + (spelling?.inner ?? MAX_SPELLING_NODES)
    longest = Math.max(longest, (spelling ?? spellingOfChar(LONGEST)).longest)
  })
  return {
    chain,
    alphabet: {
      spelling: (symbol) => spellingOfChar(distinct[symbol] as string),
      offsets,
      longest,
      shortest: 1,
    },
  }
}

/** Each character as JSON, a query or HTML would have it inside another encoding; null when that is as it stands. */
export function lightlyEscapedText(text: string): Text | null {
  const { chain, distinct } = numbered(text)
  const spellings = distinct.map((char) => keptIn(lightByChar, char, lightOf))
  if (spellings.every(({ inner, out }) => inner === 0 && out[START]?.length === 2)) return null
  return { chain, alphabet: createAlphabet(spellings) }
}

/** Each character by its number, in either case; each byte of what is not ASCII as well. */
export function numberedText(text: string): Text[] {
  const { chain, distinct } = numbered(text)
  const spellings = distinct.map((char) => keptIn(numberByChar, char, numbersOf))
  const whole = { chain, alphabet: createAlphabet(spellings) }
  const bytes = Buffer.from(text)
  return bytes.length === text.length
    ? [whole]
    : [whole, { chain: createChain(bytes), alphabet: byteNumbers() }]
}

const byteNumbers = lazily(() =>
  createAlphabet(Array.from({ length: 256 }, (_, byte) => numberSpelling([byte]))),
)

const numbersOf = (char: string): Spelling =>
  numberSpelling(
    [...new Set([char, char.toLowerCase(), char.toUpperCase()])]
      .filter((one) => [...one].length === 1)
      .map((one) => one.codePointAt(0) ?? 0),
  )

function numbered(text: string): { chain: Layer; distinct: string[] } {
  const symbolOf = new Map<string, number>()
  const symbols: number[] = []
  for (const char of text) {
    let symbol = symbolOf.get(char)
    if (symbol === undefined) {
      symbol = symbolOf.size
      symbolOf.set(char, symbol)
    }
    symbols.push(symbol)
  }
  return { chain: createChain(symbols), distinct: [...symbolOf.keys()] }
}

function lightOf(char: string): Spelling {
  const builder = new SpellingBuilder()
  builder.text(START, char, END)
  const forms = [JSON.stringify(char).slice(1, -1)]
  if (char.isWellFormed()) forms.push(encodeURIComponent(char))
  if (char === '/') forms.push('\\/')
  if (char === ' ') forms.push('+')
  for (const form of forms) if (form !== char) builder.text(START, form, END)
  return builder.build()
}
