import { hasHiddenCharacters } from '../../../kernel/index.ts'
import type { DangerFact, Language } from '../facts.ts'
import { cardImitations } from './comments.ts'
import {
  BLANK_RUN,
  isBehindComment,
  isBlankLooking,
  isFiller,
  isProse,
  isPushedRight,
  LONG_LINE,
  type Piece,
  PUSHED_COLUMNS,
} from './layout.ts'
import { isTurkish, mixedWord, passingWord, withoutEmoji } from './letters.ts'
import { type Span, spans } from './spans.ts'

type TextDanger = Extract<
  DangerFact['kind'],
  | 'card_imitation'
  | 'hidden_characters'
  | 'mixed_scripts'
  | 'lookalikes'
  | 'pushed_right'
  | 'blank_lines'
  | 'long_line'
>

const NOT_ASCII = /[^\0-\x7f]/
const DETAIL = 80

/**
 * Deception of the eye (homoglyphs, hidden characters, code pushed out of sight), which needs no syntax: every line of
 * each. Linear in the length of the code. It looks at text alone, so it knows nothing of what the program does.
 */
export function readText(code: string, language: Language): readonly DangerFact[] {
  const found = new Map<TextDanger, { readonly lines: number[]; detail: string | undefined }>()
  const note = (kind: TextDanger, line: number, detail?: string): void => {
    const fact = found.get(kind)
    if (fact === undefined) found.set(kind, { lines: [line], detail })
    else if (fact.lines.at(-1) !== line) fact.lines.push(line)
  }
  const texts = spans(code, language)
  const lines = code.split('\n')
  const starts = lineStarts(lines)
  const lineOf = (offset: number): number => lineAt(starts, offset)
  const turkish = isTurkish(code)
  let blanks = 0
  let before = ''
  let next = 0
  lines.forEach((raw, index) => {
    const number = index + 1
    const start = starts[index] as number
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    while (next < texts.length && (texts[next] as Span).end < start) next += 1
    readLetters(index === 0 ? line.replace(/^\ufeff/, '') : line, number, turkish, note)
    const filler = isFiller(line, before)
    if (isBlankLooking(line) || filler) blanks += 1
    else {
      if (blanks >= BLANK_RUN) note('blank_lines', number, `${blanks} lines`)
      blanks = 0
      before = line
    }
    if (isPushedRight(line)) note('pushed_right', number)
    if (line.length < PUSHED_COLUMNS) return
    const pieces = piecesOf(line, start, texts, next)
    if (isBehindComment(line, pieces)) note('pushed_right', number)
    if (line.length > LONG_LINE && !isProse(line, pieces))
      note('long_line', number, `${line.length} characters`)
  })
  const imitations = cardImitations(code, texts, lineOf)
  for (const line of [...imitations.lines].sort((a, b) => a - b))
    note('card_imitation', line, imitations.sign)
  return [...found].map(([kind, { lines: at, detail }]) => ({
    kind,
    lines: at,
    ...(detail === undefined ? {} : { detail }),
  }))
}

function readLetters(
  line: string,
  number: number,
  turkish: boolean,
  note: (kind: TextDanger, line: number, detail?: string) => void,
): void {
  if (hasHidden(line)) note('hidden_characters', number, describeHidden(line))
  if (!NOT_ASCII.test(line)) return
  const mixed = mixedWord(line, turkish)
  if (mixed !== undefined) note('mixed_scripts', number, mixed.slice(0, DETAIL))
  const passing = passingWord(line)
  if (passing !== undefined) note('lookalikes', number, passing.slice(0, DETAIL))
}

/** Whether a line holds characters that a screen does not show or that reorder it, past those of emoji. */
export const hasHidden = (line: string): boolean =>
  !line.isWellFormed() || (hasHiddenCharacters(line) && hasHiddenCharacters(withoutEmoji(line)))

/** The first hidden characters by number. */
function describeHidden(line: string): string {
  const points = new Set<string>()
  for (const char of withoutEmoji(line).toWellFormed()) {
    if (hasHiddenCharacters(char)) {
      points.add(`U+${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`)
    }
    if (points.size === 4) break
  }
  return [...points].join(', ') || 'half of a character'
}

function lineStarts(lines: readonly string[]): readonly number[] {
  const starts: number[] = []
  let at = 0
  for (const line of lines) {
    starts.push(at)
    at += line.length + 1
  }
  return starts
}

/** 1-based, by halving. */
function lineAt(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (low + 1 < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= offset) low = middle
    else high = middle
  }
  return low + 1
}

/** What of the line is comment or text in quotes. */
function piecesOf(line: string, start: number, texts: readonly Span[], from: number): readonly Piece[] {
  const pieces: Piece[] = []
  for (let index = from; index < texts.length; index += 1) {
    const { kind, start: begin, end } = texts[index] as Span
    if (begin > start + line.length) break
    const first = Math.max(0, begin - start)
    const last = Math.min(line.length, end - start)
    if (last > first) pieces.push({ kind, text: line.slice(first, last), start: first, end: last })
  }
  return pieces
}
