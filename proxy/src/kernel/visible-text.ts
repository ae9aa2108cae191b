/**
 * Characters that a screen does not show or that reorder what it shows: C0/C1 controls except tab and line
 * feed, soft hyphen, zero-width and bidirectional controls (CVE-2021-42574), invisible operators, tag
 * characters, variation selectors, interlinear marks, fillers that render as blank, U+FEFF, and whatever else
 * Unicode calls default-ignorable.
 */
const HIDDEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\p{Default_Ignorable_Code_Point}]/u
const HIDDEN_ALL = new RegExp(HIDDEN.source, 'gu')

export const hasHiddenCharacters = (text: string): boolean => HIDDEN.test(text)

/** The text with every hidden character written out as `⟨U+202E⟩`; tabs and line feeds stay. */
export const visibleText = (text: string): string =>
  text
    .toWellFormed()
    .replace(
      HIDDEN_ALL,
      (char) => `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
    )

/** Visible text on one line of at most `limit` characters, cut with an ellipsis. */
export function oneLine(text: string, limit: number): string {
  const head = text.slice(0, limit * 4)
  const flat = visibleText(head).replace(/\s+/g, ' ').trim()
  const chars = [...flat]
  // What is left out shows, also when blanks alone stood before it.
  if (head.length < text.length && chars.length < limit) return `${flat}…`
  return chars.length > limit || head.length < text.length ? `${chars.slice(0, limit - 1).join('')}…` : flat
}
