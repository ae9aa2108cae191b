/**
 * Numbers of the lines of an `.env` file that set nothing and are no comments: dotenv passes over them, so a mistyped
 * setting would silently count as not set. A value in quotes may go on over lines.
 */
export const strayLines = (text: string): number[] =>
  [...settingLines(text)].filter(({ value }) => value === undefined).map(({ line }) => line)

/**
 * Numbers of the lines whose value is another one for another reader: dotenv takes a `#` within a word for a comment, Docker Compose
 * and shells do not; behind a closing quote it takes the quotes for a part of the value, as all do with those of typesetters.
 */
export const unclearLines = (text: string): number[] =>
  [...settingLines(text)]
    .filter(({ value }) => value !== undefined && isUnclear(value))
    .map(({ line }) => line)

function isUnclear(value: string): boolean {
  const quote = /^["'`]/.exec(value)?.[0]
  if (quote !== undefined) return value.includes(quote, 1) && !QUOTED.test(value)
  const hash = value.indexOf('#')
  return TYPESET_QUOTE.test(value) || (hash > 0 && !/\s/.test(value[hash - 1] as string))
}

const QUOTED = /^(["'`])(?:\\.|(?!\1)[^\\])*\1\s*(?:#.*)?$/
const TYPESET_QUOTE = /^[\u2018\u2019\u201c-\u201e\u00ab]/

/** Without comments and empty lines, and without those that a value in quotes goes on over; undefined: it sets nothing. */
function* settingLines(
  text: string,
): Generator<{ readonly line: number; readonly value: string | undefined }> {
  let open: string | undefined
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (open !== undefined) {
      if (line.includes(open)) open = undefined
      continue
    }
    if (/^\s*(?:#|$)/.test(line)) continue
    const [, value] = /^\s*(?:export\s+)?[\w.-]+(?:\s*=|:\s)\s*(.*)$/.exec(line) ?? []
    yield { line: index + 1, value }
    const quote = /^["'`]/.exec(value ?? '')?.[0]
    if (quote !== undefined && !value?.includes(quote, 1) && closesLater(text, index, quote)) open = quote
  }
}

/** A quote that nothing closes is a part of its line's value. */
const closesLater = (text: string, index: number, quote: string): boolean =>
  text
    .split(/\r\n|\n|\r/)
    .slice(index + 1)
    .some((line) => line.includes(quote))
