import { describe, expect, it } from 'vitest'
import { createLineReader } from './lines.ts'

function read(limits: { lineBytes: number; totalBytes: number }) {
  const lines: string[] = []
  const overflows: string[] = []
  const reader = createLineReader(
    limits,
    (line) => lines.push(line),
    (which) => overflows.push(which),
  )
  return { reader, lines, overflows }
}

describe('lines of the CLI', () => {
  it.each([1, 2, 3, 7, 1_000])('come whole, in pieces of %i bytes', (size) => {
    const { reader, lines, overflows } = read({ lineBytes: 100, totalBytes: 1_000 })
    const bytes = Buffer.from('{"a":"ä🙂"}\n\nb\u2028c\u2029d\re\nunfinished')
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    expect(lines).toEqual(['{"a":"ä🙂"}', '', 'b\u2028c\u2029d\re'])
    expect(overflows).toEqual([])
    expect(reader.bytes).toBe(bytes.length)
  })

  it.each([
    ['in one piece', ['x'.repeat(11), '\n']],
    ['in pieces', ['xxxxxx', 'xxxxx']],
    ['with its end', [`${'x'.repeat(11)}\n`]],
  ])('a line beyond its length ends all, %s', (_how, parts) => {
    const { reader, lines, overflows } = read({ lineBytes: 10, totalBytes: 1_000 })
    for (const part of [...parts, 'later\n']) reader.push(Buffer.from(part))
    expect([lines, overflows]).toEqual([[], ['line']])
  })

  it('more than all may have ends all', () => {
    const { reader, lines, overflows } = read({ lineBytes: 10, totalBytes: 8 })
    for (const part of ['abc\n', 'def\n', 'g', '\n']) reader.push(Buffer.from(part))
    expect([lines, overflows]).toEqual([['abc', 'def'], ['total']])
  })

  it('keeps no piece of a buffer that is used again', () => {
    const { reader, lines } = read({ lineBytes: 10, totalBytes: 100 })
    const buffer = Buffer.from('abc')
    reader.push(buffer)
    buffer.fill('x')
    reader.push(Buffer.from('\n'))
    expect(lines).toEqual(['abc'])
  })
})
