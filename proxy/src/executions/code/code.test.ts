import { describe, expect, it } from 'vitest'
import { createUnitDouble } from '../../../test/support/unit-double.ts'
import { sha256Hex } from '../../kernel/index.ts'
import { readCommentClaims, readCommentMetadata } from './metadata.ts'
import { readStoredCode } from './stored-code.ts'

describe('comment metadata', () => {
  it('is read from the head of the code', () => {
    const code =
      '/**\n * @skill demo\n * @description Says hello\n * @secrets A_KEY, B_KEY\n * @network a.com b.com:8443\n * @timeout 5s\n */\nrun()'
    expect(readCommentMetadata(code)).toEqual({
      skill: 'demo',
      description: 'Says hello',
      secrets: ['A_KEY', 'B_KEY'],
      network: ['a.com', 'b.com:8443'],
      timeout: 5,
    })
  })

  it('ends at the first line of code, and takes the first of each', () => {
    expect(readCommentMetadata('// @skill one\n// @skill two\nrun()\n// @network evil.com')).toEqual({
      skill: 'one',
    })
    expect(readCommentMetadata('run() // @skill x')).toEqual({})
  })

  it.each(['0', '-1', '1.5', 'soon', '1e999'])('leaves out the timeout %j', (timeout) => {
    expect(readCommentMetadata(`// @timeout ${timeout}`)).toEqual({})
  })

  it('tells none from not said', () => {
    expect(readCommentMetadata('// @secrets none')).toEqual({ secrets: [] })
  })
})

describe('what comments claim', () => {
  it.each<[string, object]>([
    ['// Skill: acme/reader. Description: reads', { skill: 'acme/reader' }],
    ['x()\n# Secrets: A_KEY, B_KEY', { secrets: ['A_KEY', 'B_KEY'] }],
    ['/* secrets = none */', { secrets: [] }],
    [
      'x()\n// @secrets A_KEY\n// @skill_id: acme/x\n// @description Reads',
      { secrets: ['A_KEY'], skill: 'acme/x', description: 'Reads' },
    ],
    ['// uses secrets: no secret at all', { secrets: [] }],
  ])('is read from %j', (code, claims) => {
    expect(readCommentClaims(code)).toEqual(claims)
  })

  it.each(['// this skill: fast', 'const secrets = "A_KEY"', '// the secret: be kind', '// @network A_KEY'])(
    'is not read from %j',
    (code) => {
      expect(readCommentClaims(code)).toEqual({})
    },
  )

  it.each(['// skill: ', '# secrets: A_', '//'])('is read from a mebibyte of %j in one pass', (text) => {
    readCommentClaims(text.repeat(1_048_576 / text.length))
    readCommentMetadata(text.repeat(1_048_576 / text.length))
  })
})

describe('stored code', () => {
  it('is given out only as what its hash names', async () => {
    const hash = sha256Hex('a') as never
    const read = (stored: string | undefined): Promise<string> =>
      createUnitDouble({ codes: { get: async () => stored, put: async () => {} } }).read((tx) =>
        readStoredCode(tx, hash),
      )
    expect(await read('a')).toBe('a')
    await expect(read('b')).rejects.toThrow('does not match its hash')
    await expect(read(undefined)).rejects.toThrow('missing')
  })
})
