import { expect, it } from 'vitest'
import type { OpenedTurn } from '../chat/index.ts'
import { answerText, partsOf } from './messages.ts'

const told = (answer: string, more: Partial<OpenedTurn> = {}): readonly string[] =>
  partsOf(answerText({ state: 'done', problem: null, ...more, answer } as OpenedTurn))

it.each(['', ' \n\t', '\u200b\u2060\ufeff', '\u202e\u2066', '\u3164 \u115f', '\u2800', '\0', '\u{e0041}'])(
  'an answer that shows nothing (%j) is told as none',
  (answer) => {
    expect(told(answer)).toEqual(['(It said nothing.)'])
    expect(told(answer, { state: 'stopped' })).toEqual(['(It was stopped.)'])
    expect(told(answer, { state: 'failed' })).toEqual(['(It failed.)'])
  },
)

it('a long one is told in parts that hold whole characters, and in twelve at most', () => {
  expect(told(`${'x'.repeat(4_095)}😀y`)).toEqual(['x'.repeat(4_095), '😀y'])
  const endless = told('z'.repeat(4_096 * 12 + 1))
  expect(endless).toHaveLength(12)
  expect(endless.at(-1)).toContain('It goes on; all of it')
})

it('of an answer in parts those that show nothing are left out, and the others come', () => {
  const hidden = '\u200b'.repeat(4_096)
  expect(
    told(`begin\n${hidden}\n${hidden}\nend`).map((part) => part.replaceAll('\u200b', '').trim()),
  ).toEqual(['begin', 'end'])
  expect(told('👍')).toEqual(['👍'])
  expect(told('é\u200d!')).toEqual(['é\u200d!'])
})
