/**
 * Numbers of the lines of an `.env` file that set nothing and are no comments: dotenv passes over them, so a mistyped
 * setting would silently count as not set. A value in quotes may go on over lines.
 */
export function strayLines(text: string): number[] {
  const stray: number[] = []
  let open: string | undefined
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (open !== undefined) {
      if (line.includes(open)) open = undefined
      continue
    }
    if (/^\s*(?:#|$)/.test(line)) continue
    const [, value] = /^\s*(?:export\s+)?[\w.-]+(?:\s*=|:\s)\s*(.*)$/.exec(line) ?? []
    if (value === undefined) stray.push(index + 1)
    const quote = /^["'`]/.exec(value ?? '')?.[0]
    if (quote !== undefined && !value?.includes(quote, 1) && closesLater(text, index, quote)) open = quote
  }
  return stray
}

/** A quote that nothing closes is a part of its line's value. */
const closesLater = (text: string, index: number, quote: string): boolean =>
  text
    .split(/\r\n|\n|\r/)
    .slice(index + 1)
    .some((line) => line.includes(quote))
