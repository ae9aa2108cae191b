import { expect, test } from 'vitest'
import { columnsOf, formatDistance, hardWrap, terminalLine, wordWrap } from './text-layout.ts'

test('counts wide characters twice and combining marks not at all', () => {
  expect(columnsOf('ab')).toBe(2)
  expect(columnsOf('日本')).toBe(4)
  expect(columnsOf('e\u0301')).toBe(1)
  expect(columnsOf('✅')).toBe(2)
})

test('a hard wrap loses and moves nothing', () => {
  const text = `${'a'.repeat(9)}日本語${' '.repeat(7)}z`
  const lines = hardWrap(text, 10)
  expect(lines.join('')).toBe(text)
  for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(10)
  expect(hardWrap('', 10)).toEqual([''])
})

test('a word wrap breaks at spaces and cuts only what is longer than a line', () => {
  expect(wordWrap('one two three', 7)).toEqual(['one two', 'three'])
  expect(wordWrap('x aaaaaaaaaaaa y', 5)).toEqual(['x', 'aaaaa', 'aaaaa', 'aa y'])
})

test('text of others on one line holds no line feed, tab or escape', () => {
  expect(terminalLine('a\n\tb\u001b[1m')).toBe('a⏎    b⟨U+001B⟩[1m')
})

test('says distances in both directions', () => {
  expect(formatDistance(59_000, 0)).toBe('in 59 s')
  expect(formatDistance(3_540_000, 0)).toBe('in 59 min')
  expect(formatDistance(86_400_000, 0)).toBe('in 24 h')
  expect(formatDistance(86_399_000, 0)).toBe('in 24 h')
  expect(formatDistance(3_600_000, 0)).toBe('in 60 min')
  expect(formatDistance(7 * 86_400_000, 0)).toBe('in 7 d')
  expect(formatDistance(0, 7_200_000)).toBe('2 h ago')
})
