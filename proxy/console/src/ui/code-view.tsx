import { useLayoutEffect, useRef } from 'preact/hooks'

/** A block is laid out when it comes near the screen; all of its text is in the page for search, selection and copying. */
const LINES_A_BLOCK = 100

/** A line feed at the very end ends the last line; it begins no other. */
const linesOf = (code: string): string[] => code.match(/[^\n]*\n|[^\n]+$/g) ?? []

/**
 * The whole code. The text of the element is the code itself, byte for byte: numbers are drawn by the style sheet, and colours are
 * ranges over the text (CSS Custom Highlight API) and no elements.
 */
export function CodeView({ code, language }: { readonly code: string; readonly language: string }) {
  const holder = useRef<HTMLElement>(null)
  useLayoutEffect(() => {
    const element = holder.current
    if (element === null) return
    const lines = linesOf(code)
    const blocks = document.createDocumentFragment()
    for (let at = 0; at < lines.length; at += LINES_A_BLOCK) {
      const block = document.createElement('span')
      block.className = 'block'
      const some = lines.slice(at, at + LINES_A_BLOCK)
      block.style.setProperty('--lines', String(some.length))
      for (const [index, text] of some.entries()) {
        const line = document.createElement('span')
        line.className = 'line'
        line.dataset.n = String(at + index + 1)
        line.textContent = text
        block.append(line)
      }
      blocks.append(block)
    }
    element.replaceChildren(blocks)
    element.style.setProperty('--digits', String(Math.max(3, String(lines.length).length)))
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
