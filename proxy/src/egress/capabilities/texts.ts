/**
 * What a word of a body stands in, found in one pass: a body is written by the code, so its length must be all that reading it
 * costs. Nothing here recurses, backtracks, or makes a list as long as the body.
 */

/** Hits of a word beyond which a text is taken to hold whatever is looked for. */
const MAX_HITS = 10_000

/** A word in any mixture of letters and percent forms, whatever their case. */
const percentWord = (word: string): RegExp =>
  new RegExp([...word].map((letter) => `(?:${letter}|${anyCase(letter)})`).join(''), 'gi')
const anyCase = (letter: string): string =>
  [letter, letter.toUpperCase()].map((one) => `%${one.charCodeAt(0).toString(16)}`).join('|')

/** Percent forms and plus signs undone byte by byte; never throws. */
export const decodedBytes = (text: string): string =>
  text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_form, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/** Escapes of letters and of `_` in a JSON text undone, which leaves its structure as it is. */
export const withoutLetterEscapes = (json: string): string =>
  json.includes('\\u')
    ? json.replace(/\\u00(4[1-9a-f]|5[0-9a]|5f|6[1-9a-f]|7[0-9a])/gi, (_form, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : json

/**
 * The parameters of a query or form that hold the word in name or value, name and value apart and not decoded; null for too
 * many. Servers differ on whether a semicolon separates, so each is given both ways.
 */
export function parametersWith(word: 'method' | 'mutation', text: string): [string, string][] | null {
  const found = piecesWith(word, text)
  if (found === null || !text.includes(';')) return found
  const besides = piecesWith(word, text.replaceAll('&', ';'), ';')
  return besides && [...found, ...besides]
}

const WORDS = { method: percentWord('method'), mutation: percentWord('mutation') }

function piecesWith(word: keyof typeof WORDS, text: string, separator = '&'): [string, string][] | null {
  const pieces: [string, string][] = []
  let done = 0
  for (const { index } of text.matchAll(WORDS[word])) {
    if (index < done) continue
    if (pieces.length >= MAX_HITS) return null
    const end = text.indexOf(separator, index)
    const piece = text.slice(text.lastIndexOf(separator, index) + 1, end === -1 ? text.length : end)
    const sign = piece.indexOf('=')
    pieces.push(sign === -1 ? [piece, ''] : [piece.slice(0, sign), piece.slice(sign + 1)])
    done = end === -1 ? text.length : end
  }
  return pieces
}

/** Whether a body begins as an object or a list of JSON does. */
export const beginsAsJson = (text: string): boolean => /^[\s\ufeff]*[[{]/.test(text)

interface JsonTexts {
  /** Still escaped. */
  readonly texts: readonly string[]
  /**
   * Not all of them: behind these comes what only a lenient reader takes (other quotes, comments), in which a text cannot be told
   * from what is none. Others may have stopped before it.
   */
  readonly isCut: boolean
}

/** Texts of a JSON body that hold the word; null for too many. */
export function jsonTextsWith(word: string, json: string): JsonTexts | null {
  const texts: string[] = []
  const next = finder(json)
  let end = 0
  for (let start = json.indexOf('"'); start !== -1; start = json.indexOf('"', end)) {
    if (next("'", end) < start || next('/', end) < start || next('#', end) < start)
      return { texts, isCut: true }
    end = endOfJsonText(json, start)
    if (next(word, start) >= end) continue
    if (texts.length >= MAX_HITS) return null
    texts.push(json.slice(start + 1, end - 1))
  }
  const rest = json.length
  return { texts, isCut: next("'", end) < rest || next('/', end) < rest || next('#', end) < rest }
}

/** Where something comes next; asked with ever later places, it looks at each character once. */
function finder(text: string): (what: string, from: number) => number {
  const known = new Map<string, number>()
  return (what, from) => {
    const last = known.get(what) ?? -1
    if (last >= from) return last
    const found = text.indexOf(what, from)
    const at = found === -1 ? Number.POSITIVE_INFINITY : found
    known.set(what, at)
    return at
  }
}

function endOfJsonText(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let before = quote - 1
    while (json[before] === '\\') before -= 1
    if ((quote - 1 - before) % 2 === 0) return quote + 1
  }
  return json.length
}

/** A JSON text without its escapes; as it is where they are broken. */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}

/** Whether a text is declared in an encoding that is not read here. */
export const hasOddCharset = (contentType: string): boolean =>
  [...contentType.matchAll(/charset\s*=\s*"?([^";,\s]*)/gi)].some(
    ([, charset = '']) => !/^(?:utf-?8|us-ascii)$/i.test(charset),
  )

/** Whether JSON begins as it does in UTF-16 or UTF-32, which some readers find out by themselves. */
export function isWideText(body: Buffer): boolean {
  const [a = 1, b = 1, c = 1, d = 1] = body
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return true
  const isStart = (byte: number): boolean => [0x7b, 0x5b, 0x20, 0x09, 0x0a, 0x0d, 0x22].includes(byte)
  return (isStart(a) && b === 0) || (a === 0 && isStart(b)) || (a === 0 && b === 0 && c === 0 && isStart(d))
}
