import { isNestedWithin } from '../../kernel/index.ts'
import { MAX_NESTING } from './messages.ts'

/**
 * The seed's rule: code fences are stripped, what then is JSON is parsed, and everything else is the string. Text around one fenced
 * block, or around one JSON object or array, is stripped too where a schema was asked for (`lenient`), and there alone: an
 * answer that merely holds JSON somewhere is a text.
 */
export function parseResult(text: string, options: { readonly lenient?: boolean } = {}): unknown {
  const trimmed = text.trim()
  const inner = unfenced(trimmed)
  const parsed = parseJson(inner)
  if (parsed !== undefined) return parsed.value
  if (options.lenient === true) {
    const found = embedded(trimmed)
    if (found !== undefined) return found.value
  }
  return inner === trimmed ? text : inner
}

interface Parsed {
  readonly value: unknown
}

/** Undefined where it is no JSON: null is a value. */
function parseJson(text: string): Parsed | undefined {
  // A quick look spares the parser the many answers that are prose.
  if (!/^[[{"\-\dtfn]/.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    // Deeper it stays a text, which can be stored and told.
    return isNestedWithin(value, MAX_NESTING) ? { value } : undefined
  } catch {
    return undefined
  }
}

const FENCE = /^(`{3,}|~{3,})[^\S\n]*([^\s`]*)[^\n]*\n/

/** The content of a text that is one fenced block as a whole; else the text. A fence ends at a line of at least as many marks. */
function unfenced(text: string): string {
  const opened = FENCE.exec(text)
  const mark = opened?.[1]
  if (opened === null || mark === undefined) return text
  const lines = text.slice(opened[0].length).split('\n')
  const isEnd = (line: string): boolean => {
    const bare = line.trim()
    return bare.length >= mark.length && bare === mark.charAt(0).repeat(bare.length)
  }
  const end = lines.findIndex(isEnd)
  // Something follows the block, or it never ends: then it is no block as a whole.
  if (end !== lines.length - 1) return text
  return lines.slice(0, end).join('\n').trim()
}

/** The one fenced block, or the one JSON object or array, in a text that has others words besides. */
function embedded(text: string): Parsed | undefined {
  const blocks = fencedBlocks(text)
    .map(parseJson)
    .filter((one) => one !== undefined)
  if (blocks.length === 1) return blocks[0]
  if (blocks.length > 1) return undefined
  const from = text.search(/[[{]/)
  if (from === -1) return undefined
  const to = Math.max(text.lastIndexOf('}'), text.lastIndexOf(']'))
  return parseJson(text.slice(from, to + 1))
}

function fencedBlocks(text: string): string[] {
  const blocks: string[] = []
  let open: { readonly mark: string; readonly lines: string[] } | undefined
  for (const line of text.split('\n')) {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1]
    if (open === undefined) {
      if (mark !== undefined) open = { mark, lines: [] }
    } else if (mark?.startsWith(open.mark) && line.trim() === mark) {
      blocks.push(open.lines.join('\n').trim())
      open = undefined
    } else open.lines.push(line)
  }
  return blocks
}
