import type { Span } from './spans.ts'

/**
 * Code hidden by layout, below or to the right of what a screen shows. A line is told when it is longer and no prose in
 * quotes.
 */
export const LONG_LINE = 500
/** So many lines without a letter or digit in a row push what follows out of sight. */
export const BLANK_RUN = 40
/** So many columns of blanks do the same to the right. */
export const PUSHED_COLUMNS = 80
const TAB_COLUMNS = 4
const FILLER = 24

/** Blanks of all kinds, and letters that are drawn blank. */
const BLANK = /[\s\u115f\u1160\u2800\u3164\uffa0]/
const BLANKS = /[\s\u115f\u1160\u2800\u3164\uffa0]{20,}/g
const LETTER = /[\p{L}\p{N}]/u

/** Whether nothing in the line can be read: blanks, bare comment marks, punctuation. */
export const isBlankLooking = (line: string): boolean =>
  !LETTER.test(line.length > 2_000 ? line : line.replace(/[\u115f\u1160\u3164\uffa0]/g, ''))

/** A short line that says the same as the last one that said anything (`pass`, `// .`): many of them are as good as blank. */
export const isFiller = (line: string, before: string): boolean =>
  line.length <= FILLER && before.length <= FILLER && line.trim() === before.trim()

/** Whether blanks as wide as the screen stand somewhere before the line's last visible character. */
export function isPushedRight(line: string): boolean {
  if (line.length < PUSHED_COLUMNS / TAB_COLUMNS) return false
  const end = line.length
  for (const run of line.matchAll(BLANKS)) {
    const behind = run.index + run[0].length
    if (behind >= end) continue
    let columns = 0
    for (const char of run[0]) columns += char === '\t' ? TAB_COLUMNS : 1
    if (columns >= PUSHED_COLUMNS) return true
  }
  return false
}

/** A piece of a line that is text in quotes or a comment, without its marks. */
export interface Piece {
  readonly kind: Span['kind']
  readonly text: string
  readonly start: number
  readonly end: number
}

/** Whether code stands on the line behind a comment as wide as the screen. */
export const isBehindComment = (line: string, pieces: readonly Piece[]): boolean =>
  pieces.some(
    ({ kind, text, end }) =>
      kind === 'comment' &&
      text.length >= PUSHED_COLUMNS &&
      !isBlankText(line.slice(end).replace(/^(?:"""|''')/, '')),
  )

const isBlankText = (text: string): boolean => [...text.slice(0, 400)].every((char) => BLANK.test(char))

/** So much of the line may be code around the prose, in all and behind its first long piece. */
const CODE_AROUND = 260
const CODE_BEHIND = 120
const LONG_PIECE = 100
/** A call or an assignment behind the prose is what a reader who scrolls past it does not see. */
const CALL_BEHIND =
  /[;,&|?:]\s{0,20}(?:await |void |return )?[\w$][\w$.]{0,80}\s{0,20}(?:[(`]|=[^>=])|\$\{\s{0,20}(?:await\b|fetch\b)/

/** Whether a line of more than LONG_LINE characters is a text that a person wrote, in quotes or as a comment. */
export function isProse(line: string, pieces: readonly Piece[]): boolean {
  const long = pieces.filter(({ text }) => text.length >= LONG_PIECE)
  const first = long[0]
  if (first === undefined || !long.every(({ text }) => readsAsProse(text))) return false
  const length = pieces.reduce((sum, { text }) => sum + text.length, 0)
  if (line.length - length > CODE_AROUND) return false
  const behind = codeBehind(line, pieces, first.end)
  if (first.kind === 'comment' && /\S/.test(behind)) return false
  return behind.length <= CODE_BEHIND && !CALL_BEHIND.test(behind)
}

/** The line from `from` on without its texts. */
function codeBehind(line: string, pieces: readonly Piece[], from: number): string {
  let code = ''
  let at = from
  for (const { start, end } of pieces) {
    if (start < from) continue
    code += line.slice(at, start)
    at = end
    if (code.length > CODE_BEHIND) return code
  }
  return code + line.slice(at)
}

/** Words between blanks, of a length that words have; scripts without blanks count by their letters. */
function readsAsProse(text: string): boolean {
  const blanks = text.match(/\s|\\[nt]|[,.;:!?/&=|-]/g)?.length ?? 0
  const wide = text.match(/[\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0
  if (wide > text.length / 2) return true
  const spaces = text.match(/ |\\[nt]/g)?.length ?? 0
  return blanks >= text.length / 14 && spaces >= text.length / 30 && !/[^\s]{160,}/.test(text)
}
