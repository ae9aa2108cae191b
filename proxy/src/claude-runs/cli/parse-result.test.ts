import { describe, expect, it } from 'vitest'
import { parseResult } from './parse-result.ts'

const fence = (content: string, language = 'json', mark = '```') => `${mark}${language}\n${content}\n${mark}`

/** What the model wrote, and what the app gets. */
const OUTPUTS: readonly (readonly [string, string, unknown])[] = [
  ['nothing', '', ''],
  ['white space alone', '  \n ', '  \n '],
  ['prose', 'Hello there.', 'Hello there.'],
  ['an object', '{"a": 1}', { a: 1 }],
  ['an object with space around', '\n  {"a": 1}\n\n', { a: 1 }],
  ['an array', '[1, 2]', [1, 2]],
  ['an empty array', '[]', []],
  ['a number', '42', 42],
  ['a negative number', '-1.5e3', -1500],
  ['a number with a leading zero', '007', '007'],
  ['a number and words', '42 apples', '42 apples'],
  ['true', 'true', true],
  ['false', 'false', false],
  ['null', 'null', null],
  ['a string in quotes', '"yes"', 'yes'],
  ['a quoted word in prose', '"yes" is what I say', '"yes" is what I say'],
  ['a word that begins like true', 'truly', 'truly'],
  ['an object without its end', '{"a": 1', '{"a": 1'],
  ['an object with a comma too many', '{"a": 1,}', '{"a": 1,}'],
  ['single quotes', "{'a': 1}", "{'a': 1}"],
  ['two objects', '{"a": 1}\n{"b": 2}', '{"a": 1}\n{"b": 2}'],
  ['a fenced object', fence('{"a": 1}'), { a: 1 }],
  ['a fence without a language', fence('{"a": 1}', ''), { a: 1 }],
  ['a fence in capitals', fence('{"a": 1}', 'JSON'), { a: 1 }],
  ['a fence with words behind the language', fence('{"a": 1}', 'json title="x"'), { a: 1 }],
  ['a fence of tildes', fence('[1]', 'json', '~~~'), [1]],
  ['a long fence', fence('[1]', 'json', '`````'), [1]],
  ['a fence with space around', `\n\n${fence('{"a": 1}')}\n\n`, { a: 1 }],
  ['a fence with a carriage return', '```json\r\n{"a": 1}\r\n```', { a: 1 }],
  ['a fenced number', fence('7', ''), 7],
  ['fenced prose', fence('hello', 'text'), 'hello'],
  ['fenced code', fence('print(1)\nprint(2)', 'python'), 'print(1)\nprint(2)'],
  ['an empty fence', '```\n```', ''],
  ['a fence that never ends', '```json\n{"a": 1}', '```json\n{"a": 1}'],
  ['a fence in one line', '```{"a": 1}```', '```{"a": 1}```'],
  ['inline code', '`{"a": 1}`', '`{"a": 1}`'],
  ['text before a fence', `Here:\n${fence('{"a": 1}')}`, `Here:\n${fence('{"a": 1}')}`],
  ['text behind a fence', `${fence('{"a": 1}')}\nDone.`, `${fence('{"a": 1}')}\nDone.`],
  ['two fences', `${fence('1')}\n${fence('2')}`, `${fence('1')}\n${fence('2')}`],
  ['a fence within a longer one', fence(fence('[1]'), 'md', '````'), fence('[1]')],
  ['a fence within a string', fence('{"a": "```"}'), { a: '```' }],
  ['a byte order mark', '\uFEFF{"a": 1}', { a: 1 }],
  ['line separators in a string', '"a\u2028b"', 'a\u2028b'],
  ['a key of the prototype', '{"__proto__": {"a": 1}}', JSON.parse('{"__proto__": {"a": 1}}')],
]

/** Where a schema was asked for, words around the one value are put aside too. */
const LENIENT: readonly (readonly [string, string, unknown])[] = [
  ['text around an object', 'Here you are: {"a": [1]} — enjoy.', { a: [1] }],
  ['text around an array', 'The list: [1, 2].', [1, 2]],
  ['text around a fence', `Sure!\n${fence('{"a": 1}')}\nAnything else?`, { a: 1 }],
  ['the one fence that holds JSON', `${fence('x = 1', 'python')}\n${fence('{"a": 1}')}`, { a: 1 }],
  ['two fences of JSON', `${fence('1')}\n${fence('2')}`, `${fence('1')}\n${fence('2')}`],
  ['two objects', 'Either {"a": 1} or {"b": 2}', 'Either {"a": 1} or {"b": 2}'],
  ['a fence that never ends', '```json\n{"a": 1}', { a: 1 }],
  ['prose', 'No idea.', 'No idea.'],
]

describe('an answer', () => {
  it.each(OUTPUTS)('%s', (_what, text, expected) => {
    expect(parseResult(text)).toEqual(expected)
  })

  it.each(LENIENT)('with a schema: %s', (_what, text, expected) => {
    expect(parseResult(text, { lenient: true })).toEqual(expected)
  })
})

it('JSON that is nested too deep to be stored stays a text', () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000)
  for (const options of [{}, { lenient: true }]) expect(parseResult(deep, options)).toBe(deep)
})
