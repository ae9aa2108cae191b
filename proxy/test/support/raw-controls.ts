/** What a terminal would obey or hide; line feeds are allowed. Written apart from the code it evaluates. */
const RANGES: readonly (readonly [number, number])[] = [
  [0x00, 0x09],
  [0x0b, 0x1f],
  [0x7f, 0x9f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x2069],
  [0xfeff, 0xfeff],
  [0xe0000, 0xe0fff],
]

/** The code points in the text that must not reach a terminal, as `U+XXXX`. */
export function rawControls(text: string): string[] {
  const found = [...text].map((char) => char.codePointAt(0) ?? 0)
  return found
    .filter((point) => RANGES.some(([from, to]) => point >= from && point <= to))
    .map((point) => `U+${point.toString(16).toUpperCase().padStart(4, '0')}`)
}
