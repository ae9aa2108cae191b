import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { cpuMsOf } from '../../../test/support/pace.ts'
import { AppError } from '../../kernel/index.ts'
import { parseJsonBody } from './body.ts'

const parse = (text: string): unknown => parseJsonBody(Buffer.from(text))

test('takes every JSON value that is plain, unchanged', () => {
  const plain = fc.jsonValue({ maxDepth: 6 }).filter((value) => !JSON.stringify(value).includes('__proto__'))
  fc.assert(
    fc.property(plain, (value) => {
      const text = JSON.stringify(value)
      fc.pre(!/\\ud[89a-f]/i.test(text))
      expect(parse(text)).toEqual(JSON.parse(text))
    }),
  )
})

test.each([
  ['a lone surrogate', '{"a":{"b":["\\ud800"]}}', ['a', 'b', 0]],
  ['an infinite number', '[1e999]', [0]],
  ['a __proto__ key', '{"a":[{"__proto__":1}]}', ['a', 0]],
  ['a key with a lone surrogate', '{"\\udfff":1}', []],
])('says where %s is', (_name, text, path) => {
  try {
    parse(text)
    expect.unreachable()
  } catch (error) {
    expect((error as AppError).details).toEqual([{ path, message: expect.any(String) }])
  }
})

test('a million values or levels are refused quickly', async () => {
  const refuse = (): void => {
    for (const text of [`[${'0,'.repeat(1_000_000)}0]`, '['.repeat(1_000_000) + ']'.repeat(1_000_000)])
      expect(() => parse(text)).toThrow(AppError)
  }
  expect(await cpuMsOf(refuse)).toBeLessThan(2_000)
})

test('too many values are refused before anything is made of them, and text may hold what it likes', () => {
  const parsed = vi.spyOn(JSON, 'parse')
  for (const unit of ['[],', '{"a":1},', '0,', '"\\"",']) {
    expect(() => parse(`[${unit.repeat(250_000)}0]`)).toThrow(AppError)
  }
  expect(parsed).not.toHaveBeenCalled()
  parsed.mockRestore()
  for (const text of [',[{'.repeat(300_000), '\\",['.repeat(200_000)]) {
    expect(parse(JSON.stringify({ code: text }))).toEqual({ code: text })
  }
})

test('two keys of one name count as the last one, everywhere alike', () => {
  expect(parse('{"a":1,"a":2}')).toEqual({ a: 2 })
})
