import { visibleText } from '../kernel/index.ts'

/** Fitting text into columns. Lengths are terminal columns: wide characters take two, combining marks none. */
export const TERMINAL_COLUMNS = 80

const ZERO = /^\p{M}$/u
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]$/u
const EMOJI = /^\p{Emoji_Presentation}$/u

export function columnsOf(text: string): number {
  let columns = 0
  for (const char of text) columns += charColumns(char)
  return columns
}

function charColumns(char: string): number {
  if (char < '\u0300') return 1
  if (ZERO.test(char)) return 0
  return WIDE.test(char) || EMOJI.test(char) ? 2 : 1
}

/** Cuts after at most `columns` columns, wherever that is: nothing is dropped or moved. */
export function hardWrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  let used = 0
  for (const char of text) {
    const width = charColumns(char)
    if (used + width > columns) {
      lines.push(line)
      line = ''
      used = 0
    }
    line += char
    used += width
  }
  return [...lines, line]
}

/** The text in at most `columns` columns; what is left out shows as an ellipsis. */
export function clipColumns(text: string, columns = Number.POSITIVE_INFINITY): string {
  if (columnsOf(text) <= columns) return text
  return `${hardWrap(text, Math.max(1, columns - 1))[0]}…`
}

/** `1,234,567`. */
export const groupedDigits = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

/** `1 line`, `2 lines`. */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Breaks at spaces where it can; a longer word is cut. */
export function wordWrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const joined = line === '' ? word : `${line} ${word}`
    if (columnsOf(joined) <= columns) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    const pieces = hardWrap(word, columns)
    line = pieces.pop() ?? ''
    lines.push(...pieces)
  }
  return [...lines, line]
}

/** Text of others, safe for a terminal: hidden characters written out, tabs as spaces; line feeds stay. */
export const terminalText = (text: string): string => visibleText(text).replaceAll('\t', '    ')

/** The same on one line. */
export const terminalLine = (text: string): string => terminalText(text).replaceAll('\n', '⏎')

const two = (value: number): string => String(value).padStart(2, '0')

/** Local time to the second. */
export function formatTime(unixMs: number): string {
  const date = new Date(unixMs)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** For whom it is handed on to, wherever they are. */
export const formatTimeUtc = (unixMs: number): string =>
  `${new Date(unixMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** `in 59 min`, `4 s ago`. The larger unit from two of it on, so that a moment later it is the same one. */
export function formatDistance(unixMs: number, now: number): string {
  const seconds = Math.round(Math.abs(unixMs - now) / 1_000)
  const units: readonly [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
  ]
  const unit = units.find(([size]) => seconds >= size * 2)
  const amount = unit ? `${Math.round(seconds / unit[0])} ${unit[1]}` : `${seconds} s`
  return unixMs >= now ? `in ${amount}` : `${amount} ago`
}
