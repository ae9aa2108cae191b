/**
 * How many tokens a body may be at most, whoever counts them. There is no tokenizer here: vendors keep theirs to themselves, and
 * each would cost more than the request. The body is read once, by runs, and each run counts about as the worst of the public
 * tokenizers does (cl100k, o200k, Llama 3, Claude 2):
 *
 * - a word is a token, a third of one for each further letter, and one for each pair of letters that is rare in words,
 * - a digit is a token; of marks that follow each other the first is one, and each further one three quarters,
 * - spaces are a token for each change between kinds of them; a single one before a word belongs to the word,
 * - what is not ASCII counts by its block, from one token a character to four.
 *
 * Prose and code come out about 1.5 to 1.9 times too high. Of text that was made to be dense it is no less than four fifths of what
 * the worst of them counts.
 */

const [OTHER, LOWER, UPPER, DIGIT, SPACE, NEWLINE, ESCAPE, HIGH] = [0, 1, 2, 3, 4, 5, 6, 7] as const

const KIND = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x61 && byte <= 0x7a) return LOWER
  if (byte >= 0x41 && byte <= 0x5a) return UPPER
  if (byte >= 0x30 && byte <= 0x39) return DIGIT
  if (byte === 0x20) return SPACE
  if (byte === 0x09 || byte === 0x0a || byte === 0x0d) return NEWLINE
  if (byte === 0x5c) return ESCAPE
  return byte >= 0x80 ? HIGH : OTHER
})

/** For each letter those that follow it in words; 98 of 100 pairs of English prose are among them. */
const FOLLOWERS = [
  ...['bcdegiklmnprstuvwy', 'aeilorsuy', 'acehiklorstu', 'abdeimorsvy', 'abcdefghilmnpqrstvwxy', 'aeiortu'],
  ...['aehiors', 'aeioqrst', 'abcdeflmnoprstv', 's', 'eis', 'adefilmostuy', 'abdeiopsu', 'acdegilnopstuvy'],
  ...['abcdefgklmnoprstuvwx', 'aehilmoprstuxy', 'lu', 'acdefgiklmnorstuvy', 'acehikoprstuwy'],
  ...['acehiloprstuwy', 'bcdegilmnprst', 'aei', 'aehinors', 'ety', 'ost', ''],
]

/** Everything is counted in sixteenths of a token, which are whole numbers. */
const TOKEN = 16

const A = 0x61
const BLANK = 0x20
/** What a letter of a word counts behind another one. */
const LETTER_AFTER = Uint8Array.from({ length: 26 * 32 }, (_, pair) =>
  (FOLLOWERS[pair >> 5] ?? '').includes(String.fromCharCode(A + (pair & 31))) ? 5 : 5 + TOKEN,
)

/** Of a character of more than one byte, by its first byte; of `E2` and `E3` the second one tells more. */
const HIGH_SIXTEENTHS = Uint8Array.from({ length: 256 }, (_, lead) => {
  if (lead < 0xc0) return TOKEN
  // Greek and Cyrillic; accented Latin, Hebrew and Arabic; others.
  if (lead >= 0xce && lead <= 0xd1) return TOKEN
  if (lead === 0xc3 || (lead >= 0xd7 && lead <= 0xd9)) return 1.5 * TOKEN
  if (lead < 0xe0) return 2 * TOKEN
  // Kana and Chinese; Hangul; others.
  if (lead >= 0xe3 && lead <= 0xe9) return 2 * TOKEN
  if (lead >= 0xea && lead <= 0xed) return 2.5 * TOKEN
  return lead < 0xf0 ? 3 * TOKEN : 4 * TOKEN
})

function highSixteenths(lead: number, second: number): number {
  // Dashes and quotes of prose; Chinese characters that are hardly in use.
  if (lead === 0xe2 && second === 0x80) return 1.5 * TOKEN
  if ((lead === 0xe3 && second >= 0x90) || (lead === 0xe4 && second < 0xb8)) return 3 * TOKEN
  return HIGH_SIXTEENTHS[lead] as number
}

/** Bytes that are not counted, such as an image in base64; in order, and none inside another. */
export interface Uncounted {
  readonly start: number
  readonly end: number
}

export function inputBound(body: Uint8Array, uncounted: readonly Uncounted[] = []): number {
  let sum = 0
  let from = 0
  for (const { start, end } of uncounted) {
    sum += sixteenthsOf(body, from, start)
    from = end
  }
  return Math.ceil((sum + sixteenthsOf(body, from, body.length)) / TOKEN)
}

function sixteenthsOf(body: Uint8Array, from: number, to: number): number {
  let sum = 0
  let at = from
  while (at < to) {
    const byte = body[at] as number
    const kind = KIND[byte] as number
    const start = at
    if (kind === LOWER || kind === UPPER) {
      at += 1
      if (kind === UPPER && at < to && KIND[body[at] as number] === UPPER) {
        while (at < to && KIND[body[at] as number] === UPPER) at += 1
        sum += (at - start) * CAPITAL + CAPITALS
        continue
      }
      let last = (byte | 0x20) - A
      // Words of small letters with a space between two, which belongs to the second one.
      for (;;) {
        let letter = (body[at] as number) - A
        while (at < to && letter >= 0 && letter <= 25) {
          sum += LETTER_AFTER[(last << 5) | letter] as number
          last = letter
          at += 1
          letter = (body[at] as number) - A
        }
        sum += TOKEN
        last = (body[at + 1] as number) - A
        if (body[at] !== BLANK || at + 1 >= to || last < 0 || last > 25) break
        at += 2
      }
    } else if (kind === DIGIT) {
      sum += TOKEN
      at += 1
    } else if (kind === HIGH) {
      sum += highSixteenths(byte, body[at + 1] ?? 0)
      at += byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    } else if (kind === SPACE || kind === NEWLINE) {
      at += 1
      while (at < to && body[at] === byte) at += 1
      const isWordSpace = kind === SPACE && at - start === 1 && (KIND[body[at] as number] as number) <= DIGIT
      if (!isWordSpace) sum += TOKEN + (at - start - 1) * REPEATED
    } else {
      // A run of marks, escaped ones among them.
      let before = -1
      while (at < to) {
        const mark = body[at] as number
        const ofMark = KIND[mark] as number
        if (ofMark === ESCAPE) {
          // In JSON `\\n` is a new line, and `\\u00e9` a character of up to three bytes.
          const isUnicode = body[at + 1] === 0x75
          sum += isUnicode ? 3 * TOKEN : before === -1 ? TOKEN : MARK
          before = 0
          at += isUnicode ? 6 : 2
        } else if (ofMark === OTHER) {
          sum += before === -1 ? TOKEN : mark === before ? REPEATED : MARK
          before = mark
          at += 1
        } else break
      }
    }
  }
  return sum
}

/** Of each further mark, and of what is repeated. */
const [MARK, REPEATED] = [12, 4] as const
/** Of each capital of several, and of them together. */
const [CAPITAL, CAPITALS] = [10, 6] as const
