/**
 * Characters that a screen does not show or that reorder what it shows: controls except tab and line feed, whatever
 * Unicode calls default-ignorable (soft hyphen, zero-width and tag characters, variation selectors, fillers), line
 * and paragraph separators, bidirectional controls (CVE-2021-42574), interlinear marks, the blank braille pattern. Not those that
 * an emoji is made with where they stand in one (UTS 51).
 */
const HIDDEN =
  /(?![\t\n])(?!(?<=\p{Extended_Pictographic})\ufe0f|(?<=[0-9#*])\ufe0f(?=\u20e3)|(?<=\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]?)\u200d(?=\p{Extended_Pictographic}))[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Zl}\p{Zp}\u2800\ufff9-\ufffb]/u
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
