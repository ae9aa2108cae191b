/**
 * Text for Telegram's HTML parse mode. Whatever comes from outside passes `escapeHtml`, so it can neither open a
 * tag nor break a message; `code` also keeps Telegram from making links, mentions and commands of it.
 */
export const escapeHtml = (text: string): string =>
  text.toWellFormed().replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char)

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

export const bold = (text: string): string => `<b>${escapeHtml(text)}</b>`
export const code = (text: string): string => (text === '' ? '' : `<code>${escapeHtml(text)}</code>`)
export const pre = (text: string): string => `<pre>${escapeHtml(text)}</pre>`

/** The text that a reader sees: tags gone, entities read. */
export const plainText = (html: string): string =>
  html
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&')

/** What fits across a phone's screen in a message bubble. */
export const PHONE_COLUMNS = 40

/** Emoji, CJK and full-width characters take two columns. */
const WIDE =
  /[\p{Extended_Pictographic}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u

/** Columns that the text takes on one line; a tab counts as eight. */
export function columnsOf(text: string): number {
  let columns = 0
  for (const char of text) columns += char === '\t' ? 8 : WIDE.test(char) ? 2 : 1
  return columns
}

/** Lines that a plain text takes on a phone, long lines wrapped. */
export const phoneLines = (text: string): number =>
  text.split('\n').reduce((lines, line) => lines + Math.max(1, Math.ceil(columnsOf(line) / PHONE_COLUMNS)), 0)

/** The text cut to a number of columns, with an ellipsis when something is missing. */
export function clip(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text
  let kept = ''
  let used = 1
  for (const char of text) {
    used += columnsOf(char)
    if (used > columns) break
    kept += char
  }
  return `${kept}…`
}

/** Joins lines up to a message's limit; says how many were left out. */
export function fitLines(lines: readonly string[], limit = 3_500): string {
  const kept: string[] = []
  let length = 0
  for (const line of lines) {
    const size = plainText(line).length + 1
    if (length + size > limit) return [...kept, `… and ${lines.length - kept.length} more`].join('\n')
    kept.push(line)
    length += size
  }
  return kept.join('\n')
}
