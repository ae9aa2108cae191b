import { cardSigns } from './card-imitation.ts'
import type { Span } from './spans.ts'

/** Comments on lines that follow each other are one text; so many lines of it are looked at together. */
const BLOCK_LINES = 40
/** Different signs that a text in quotes must show: programs write messages with marks of their own. */
const SIGNS_IN_STRING = 2
/** What every sign holds some of: text without any of it need not be looked at. */
const HINT =
  /warn|danger|risk|approv|verif|trust|deny|allow|once|network|secret|sends|permission|imports|oauth|safe|audit|vet|certif|review|check|clear|scan|inspect|signed|list|exactly|avert|advert|avis|avvis|avver|none|uyar|varning|advars|[^\0-\x7f]/i
/** Shorter text says nothing. */
const SHORTEST = 4

/**
 * UI spoofing inside code: lines on which a comment, or a long text, reads like the approval card; and what of it was found
 * first.
 */
export function cardImitations(
  code: string,
  found: readonly Span[],
  lineOf: (offset: number) => number,
): { readonly lines: ReadonlySet<number>; readonly sign: string | undefined } {
  const lines = new Set<number>()
  let sign: string | undefined
  const look = (block: readonly CommentLine[], fewest: number): void => {
    const signs = cardSigns(block.map(({ text }) => text).join('\n'))
    if (signs.length < fewest) return
    sign ??= signs[0]
    const telling = block.filter(({ text }) => cardSigns(text, 1).length > 0)
    for (const { line } of telling.length > 0 ? telling : block.slice(0, 1)) lines.add(line)
  }
  for (const [kind, fewest] of [
    ['comment', 1],
    ['string', SIGNS_IN_STRING],
  ] as const) {
    const texts = found.filter((span) => span.kind === kind && span.end - span.start >= SHORTEST)
    for (const block of blocks(textLines(code, texts, lineOf))) look(block.map(plainLine), fewest)
  }
  return { lines, sign }
}

interface CommentLine {
  readonly line: number
  readonly text: string
}

function* textLines(
  code: string,
  texts: readonly Span[],
  lineOf: (offset: number) => number,
): Generator<CommentLine> {
  for (const { start, end } of texts) {
    let line = lineOf(start)
    for (const part of code.slice(start, end).split('\n')) {
      for (let at = 0; at === 0 || at < part.length; at += PIECE - PIECE_OVERLAP) {
        yield { line, text: part.length <= PIECE ? part : part.slice(at, at + PIECE) }
        if (part.length <= PIECE) break
      }
      line += 1
    }
  }
}

/** A very long line is taken in pieces that overlap, so that each is quick to look at. */
const PIECE = 2_000
const PIECE_OVERLAP = 200
/** What opens, continues and draws a comment or a box. */
const DRAWN = /^[\s/*#!─│║┃━═|+<>-]{1,200}|[\s*/─│║┃━═|-]{1,200}$/g

/** Without what draws it; a line feed in quotes is written as two characters. */
const plainLine = ({ line, text }: CommentLine): CommentLine => ({
  line,
  text: text.replace(DRAWN, '').replaceAll('\\n', '\n'),
})

/** Lines that follow each other, where something in them may be a sign. */
function* blocks(lines: Iterable<CommentLine>): Generator<readonly CommentLine[]> {
  let block: CommentLine[] = []
  let hinted = false
  for (const comment of lines) {
    const last = block.at(-1)
    if (last !== undefined && (comment.line > last.line + 2 || block.length >= BLOCK_LINES)) {
      if (hinted) yield block
      block = []
      hinted = false
    }
    block.push(comment)
    hinted ||= HINT.test(comment.text)
  }
  if (hinted && block.length > 0) yield block
}
