import { describe, expect, it } from 'vitest'
import { inputBound } from './input-bound.ts'

const bound = (text: string): number => inputBound(Buffer.from(text))

/** Counted with gpt-tokenizer 3 (cl100k, o200k), llama3-tokenizer-js and @anthropic-ai/tokenizer: the most of the four. */
describe('the most tokens that a body may be', () => {
  it.each([
    ['prose', 'The owner of the machine is asked before anything is sent to a vendor.', 15],
    ['code', 'export const added = (a: number, b: number): number => Math.min(a + b, LARGEST)', 24],
    ['German', 'Der Schlüssel verlässt den Rechner nicht.', 13],
  ])('is not more than twice what it is in %s', (_name, text, tokens) => {
    expect(bound(text)).toBeGreaterThanOrEqual(tokens)
    expect(bound(text)).toBeLessThanOrEqual(2 * tokens)
  })

  it.each([
    ['digits, of which some take each for one', '8361940275'.repeat(10), 100],
    ['letters that make no words', 'qxzjv kwqfh xkvzq wjhxq', 18],
    ['letters that nearly do', 'thermat onesile antoup rinedle', 11],
    ['capitals', 'QXZJVKWQFH', 6],
    ['lone letters', 'q w x z k j v', 7],
    ['marks', '!@#$%^&*()_+-=[]{}|;:,.<>?/~', 18],
    ['marks that are escaped', String.raw`\"\\\n\t\u00e9`, 7],
    ['characters of a script that is rare', 'ཀཁགངཅཆཇཉ', 24],
    ['Chinese', '程序读取请求', 7],
    ['emoji', '🜁🜂🜃🜄', 16],
    ['bytes that are no text', '\u0080\u0081\u0082', 3],
  ])('is no less than it is in %s', (_name, text, tokens) => {
    expect(bound(text)).toBeGreaterThanOrEqual(tokens)
  })

  it('leaves out what is said not to be text', () => {
    const text = 'one two three'
    expect(inputBound(Buffer.from(text), [{ start: 3, end: text.length }])).toBe(bound('one'))
    expect(inputBound(Buffer.from(text), [{ start: 0, end: text.length }])).toBe(0)
  })

  it('ends on bytes that end in the middle of a character or an escape', () => {
    for (const bytes of [[0xf0], [0xe2, 0x80], [0x5c], [0x5c, 0x75], [0xff, 0xfe], []]) {
      expect(inputBound(Buffer.from(bytes))).toBeLessThan(16)
    }
  })
})
