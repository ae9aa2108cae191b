import { type TokenKind, tokensOf } from './tokens.ts'

/** More than this is read without colour: ranges are kept up to date with the page one by one. */
const MAX_CHARS = 400_000
const TOKENS_A_TURN = 2_000

/** Colours the text below `element`, a turn of the event loop after the other; ends by what it returns. */
export function highlight(element: HTMLElement, language: string): () => void {
  // Browsers without it show plain text.
  if (!('highlights' in CSS)) return () => undefined
  const code = element.textContent
  if (code.length > MAX_CHARS) return () => undefined
  const painted = new Map<TokenKind, Highlight>()
  const highlightOf = (kind: TokenKind): Highlight => {
    const known = painted.get(kind)
    if (known !== undefined) return known
    const made = new Highlight()
    painted.set(kind, made)
    CSS.highlights.set(`code-${kind}`, made)
    return made
  }
  const place = placeFinder(element)
  const tokens = tokensOf(code, language)
  let isGone = false
  const turn = (): void => {
    for (let count = 0; count < TOKENS_A_TURN && !isGone; count += 1) {
      const { value, done } = tokens.next()
      if (done) return
      const range = new StaticRange({ ...startOf(place(value.start)), ...endOf(place(value.end)) })
      highlightOf(value.kind).add(range)
    }
    if (!isGone) setTimeout(turn)
  }
  turn()
  return () => {
    isGone = true
    for (const kind of painted.keys()) CSS.highlights.delete(`code-${kind}`)
  }
}

interface TextPlace {
  readonly node: Text
  readonly offset: number
}

const startOf = ({ node, offset }: TextPlace) => ({ startContainer: node, startOffset: offset })
const endOf = ({ node, offset }: TextPlace) => ({ endContainer: node, endOffset: offset })

/** Of growing offsets into the whole text, where each is in the text nodes. */
function placeFinder(element: HTMLElement): (offset: number) => TextPlace {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
  let node = walker.nextNode() as Text
  let before = 0
  return (offset) => {
    while (offset > before + node.length) {
      const next = walker.nextNode() as Text | null
      if (next === null) break
      before += node.length
      node = next
    }
    return { node, offset: offset - before }
  }
}
