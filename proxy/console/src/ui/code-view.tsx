import { useLayoutEffect, useRef } from 'preact/hooks'

/** A block is laid out when it comes near the screen; all of its text is in the page for search, selection and copying. */
const LINES_A_BLOCK = 100

/** As many lines get an element and a number each, so that the page does not stand still for what a mebibyte of line feeds would make. */
const MAX_NUMBERED_LINES = 20_000
/** Above it a block is one text with the number of its first line, and there are at most so many. */
const MAX_PLAIN_BLOCKS = 2_000

/** A line feed at the very end ends the last line; it begins no other. */
function countLines(code: string): number {
  let lines = code === '' || code.endsWith('\n') ? 0 : 1
  for (let at = code.indexOf('\n'); at !== -1; at = code.indexOf('\n', at + 1)) lines += 1
  return lines
}

/** Pieces of so many lines each, but for the last; together they are the code. */
function* blocksOf(code: string, lines: number): Generator<string> {
  for (let from = 0; from < code.length; ) {
    let to = from
    for (let count = 0; count < lines && to < code.length; count += 1) {
      const feed = code.indexOf('\n', to)
      to = feed === -1 ? code.length : feed + 1
    }
    yield code.slice(from, to)
    from = to
  }
}

const linesOf = (block: string): string[] => block.match(/[^\n]*\n|[^\n]+$/g) ?? []

function drawn(code: string, lineCount: number): DocumentFragment {
  const isNumbered = lineCount <= MAX_NUMBERED_LINES
  const blockLines = isNumbered
    ? LINES_A_BLOCK
    : Math.max(LINES_A_BLOCK, Math.ceil(lineCount / MAX_PLAIN_BLOCKS))
  const blocks = document.createDocumentFragment()
  let first = 1
  for (const text of blocksOf(code, blockLines)) {
    const block = document.createElement('span')
    block.className = isNumbered ? 'block' : 'block plain'
    const lines = isNumbered ? linesOf(text) : []
    const count = Math.min(blockLines, lineCount - first + 1)
    block.style.setProperty('--lines', String(count))
    for (const [index, lineText] of lines.entries()) {
      const line = document.createElement('span')
      line.className = 'line'
      line.dataset.n = String(first + index)
      line.textContent = lineText
      block.append(line)
    }
    if (!isNumbered) {
      block.dataset.n = String(first)
      block.textContent = text
    }
    blocks.append(block)
    first += count
  }
  return blocks
}

/**
 * The whole code. The text of the element is the code itself, byte for byte: numbers are drawn by the style sheet, and colours are
 * ranges over the text (CSS Custom Highlight API) and no elements.
 */
export function CodeView({ code, language }: { readonly code: string; readonly language: string }) {
  const holder = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const element = holder.current
    if (element === null) return
    const lineCount = countLines(code)
    element.replaceChildren(drawn(code, lineCount))
    element.style.setProperty('--digits', String(Math.max(3, String(lineCount).length)))
    let isGone = false
    let end = (): void => undefined
    void import('../code/highlight.ts').then(({ highlight }) => {
      if (!isGone) end = highlight(element, language)
    })
    return () => {
      isGone = true
      end()
    }
  }, [code, language])
  return (
    <pre class="code">
      <code ref={holder} />
    </pre>
  )
}
