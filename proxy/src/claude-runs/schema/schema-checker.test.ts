import { afterAll, describe, expect, it } from 'vitest'
import { createSchemaChecker } from './schema-checker.ts'

const checker = createSchemaChecker()
afterAll(() => checker[Symbol.asyncDispose]())

const deep = (levels: number): object => (levels === 0 ? {} : { not: deep(levels - 1) })
const TUPLE = { type: 'array', prefixItems: [{ type: 'number' }], items: false }

describe('a schema', () => {
  it.each<[string, object]>([
    ['without a word', {}],
    ['of draft 2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema', ...TUPLE }],
    ['of draft 7', { $schema: 'http://json-schema.org/draft-07/schema#', items: [{ type: 'number' }] }],
    [
      'that refers to itself',
      { $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' } } }, $ref: '#/$defs/a' },
    ],
    ['with a format and a keyword that nobody knows', { format: 'date', 'x-note': 1 }],
    [
      'with a property named like a keyword',
      { properties: { $ref: { type: 'string' }, $id: { type: 'string' } } },
    ],
  ])('%s is taken', async (_what, schema) => {
    expect(await checker.check('app', schema)).toBeNull()
  })

  it.each<[string, unknown, string]>([
    ['no object', [], 'JSON object'],
    ['true', true, 'JSON object'],
    ['no schema', { type: 'nothing' }, 'cannot be used'],
    ['of another draft', { $schema: 'http://json-schema.org/draft-04/schema#' }, 'neither draft 7 nor'],
    ['of a draft named __proto__', { $schema: '__proto__' }, 'neither draft 7 nor'],
    ['with a remote reference', { $ref: 'https://example.com/schema.json' }, 'within it'],
    ['with a file reference', { properties: { a: { $ref: 'file:///etc/passwd' } } }, 'within it'],
    ['with an $id', { $id: 'https://example.com/a' }, '$id'],
    ['with a reference that leads nowhere', { $ref: '#/$defs/none' }, 'cannot be used'],
    ['too deep', deep(40), 'nested more than 32'],
    ['too large', { description: 'x'.repeat(70_000) }, '65536'],
    ['with a pattern that is none', { pattern: '(' }, 'cannot be used'],
  ])('%s is refused, with a reason', async (_what, schema, reason) => {
    expect(await checker.check('app', schema)).toContain(reason)
  })

  it('tells what does not fit, where', async () => {
    const schema = { properties: { a: { type: 'number' } }, required: ['b'], additionalProperties: false }
    expect(await checker.problems('app', schema, { a: 'x', c: 1 })).toEqual(
      expect.arrayContaining([
        "the value must have required property 'b'",
        'the value must NOT have additional properties (c)',
        '/a must be number',
      ]),
    )
    expect(await checker.problems('app', { required: ['__proto__'] }, {})).not.toEqual([])
    expect(await checker.problems('app', TUPLE, [1])).toEqual([])
    expect(await checker.problems('app', TUPLE, [1, 2])).not.toEqual([])
  })

  it('tells few problems of many', async () => {
    const value = Array.from({ length: 10_000 }, () => 'x')
    const problems = await checker.problems('app', { items: { type: 'number' } }, value)
    expect(problems.length).toBeLessThan(10)
  })

  it('that takes for ever counts as not met, and others go on', async () => {
    await using impatient = createSchemaChecker({ timeLimitMs: 3_000 })
    const slow = impatient.problems('app', { pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`)
    const other = impatient.problems('other', { type: 'number' }, 1)
    expect(await other).toEqual([])
    expect(await slow).toEqual(['the check could not be done: it took too long'])
    expect(await impatient.problems('app', { type: 'number' }, 1)).toEqual([])
  })
})
