import type { ComponentChildren } from 'preact'

const FENCE = /^(?:```|~~~)/
const MARKS = /(`[^`\n]+`|\*\*[^*\n]+\*\*)/

/**
 * What a model says, with blocks of code, `code` and **bold** set as such. Everything is text: no HTML of it, no link and no picture, which a
 * hostile text could lead or load elsewhere by. A block that has not ended yet is one already.
 */
export function InertMarkdown({ text }: { readonly text: string }) {
  return (
    <>
      {blocksOf(text).map(({ isCode, lines }, at) =>
        isCode ? (
          <pre key={at}>
            <bdi>{lines.join('\n')}</bdi>
          </pre>
        ) : (
          <p key={at} dir="auto">
            {inline(lines.join('\n').trim())}
          </p>
        ),
      )}
    </>
  )
}

interface Block {
  readonly isCode: boolean
  readonly lines: string[]
}

function blocksOf(text: string): readonly Block[] {
  const blocks: Block[] = [{ isCode: false, lines: [] }]
  for (const line of text.split('\n')) {
    const last = blocks.at(-1)
    if (FENCE.test(line.trimStart())) blocks.push({ isCode: last?.isCode !== true, lines: [] })
    else last?.lines.push(line)
  }
  return blocks.filter(({ isCode, lines }) => isCode || lines.some((line) => line.trim() !== ''))
}

const inline = (text: string): ComponentChildren =>
  text.split(MARKS).map((part, at) => {
    if (at % 2 === 0) return part
    return part.startsWith('`') ? (
      <code key={at}>{part.slice(1, -1)}</code>
    ) : (
      <strong key={at}>{part.slice(2, -2)}</strong>
    )
  })
