import type { Scrubber } from './scrubber.ts'

/**
 * A whole text with every secret taken out. `latin1`: one character a byte, as node:http gives header fields. `truncated`: the text was cut, so
 * a secret that begins at its end is taken out too.
 */
export function scrubText(
  scrubber: Scrubber,
  text: string,
  { encoding = 'utf8', truncated = false }: { encoding?: 'utf8' | 'latin1'; truncated?: boolean } = {},
): string {
  const stream = scrubber.stream()
  const first = stream.push(Buffer.from(text, encoding))
  return Buffer.concat([first, stream.end({ truncated })]).toString(encoding)
}
