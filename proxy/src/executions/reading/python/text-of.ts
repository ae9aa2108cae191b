const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
const ESCAPE =
  /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]{0,100})\}|([\s\S]))/g
const PREFIX = /^([A-Za-z]{0,2})("""|'''|"|')/

/** A string literal read: its text, and whether it writes plain letters as escapes, which only hides what they say. */
export interface ReadText {
  readonly text: string
  readonly bytes: boolean
  readonly escapedLetters: boolean
}

/** Reads the escapes of a piece of text as Python does. A named character (`\N{…}`) is not looked up: it is a blank. */
export function readEscapes(source: string, bytes: boolean): { text: string; letters: number } {
  if (!source.includes('\\')) return { text: source, letters: 0 }
  let letters = 0
  const text = source.replace(ESCAPE, (whole, x, octal, u, big, named, other) => {
    const digits = x ?? (bytes ? undefined : (u ?? big))
    if (digits !== undefined || octal !== undefined) {
      const point = octal === undefined ? Number.parseInt(digits, 16) : Number.parseInt(octal, 8)
      if (point > 0x10ffff) return whole
      const char = String.fromCodePoint(point)
      if (/[A-Za-z0-9_./:-]/.test(char)) letters++
      return char
    }
    if (named !== undefined && !bytes) {
      if (
        /\b(?:LATIN|FULLWIDTH|MATHEMATICAL|SOLIDUS|FULL STOP|DIGIT)\b/i.test(named) &&
        !/ WITH /i.test(named)
      )
        letters++
      const latin = /^LATIN (SMALL|CAPITAL) LETTER ([A-Z])$/i.exec(named)
      if (latin === null) return ' '
      return latin[1]?.toUpperCase() === 'SMALL'
        ? (latin[2] as string).toLowerCase()
        : (latin[2] as string).toUpperCase()
    }
    return other === undefined ? whole : (SIMPLE[other] ?? whole)
  })
  return { text, letters }
}

/** Parts of a literal: its prefix in lower case, its quote, and the offset where its content begins. */
export function literalHead(source: string): { prefix: string; quote: string; start: number } {
  const match = PREFIX.exec(source)
  if (match === null) return { prefix: '', quote: '', start: 0 }
  return { prefix: (match[1] as string).toLowerCase(), quote: match[2] as string, start: match[0].length }
}

/** The text of a string literal without replacement fields. */
export function readLiteral(source: string): ReadText {
  const { prefix, quote, start } = literalHead(source)
  const content = source.slice(start, source.endsWith(quote) ? source.length - quote.length : undefined)
  const bytes = prefix.includes('b')
  if (prefix.includes('r')) return { text: content, bytes, escapedLetters: false }
  const { text, letters } = readEscapes(content, bytes)
  return { text, bytes, escapedLetters: letters > 1 || (letters === 1 && text.length < 24) }
}
