import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../kernel/index.ts'
import { readCommentMetadata } from './metadata.ts'
import { readStoredCode } from './stored-code.ts'
import { codeWarnings, hasMixedWord } from './warnings.ts'

const kinds = (code: string): string[] => codeWarnings(code).map(({ kind }) => kind)

describe('warnings of code', () => {
  it.each<[string, string]>([
    ['eval(x)', 'eval'],
    ['eval?.(x)', 'eval'],
    ['(0, eval)(x)', 'eval'],
    ['new Function("x")', 'eval'],
    ['Function("x")()', 'eval'],
    ['globalThis["eval"](x)', 'eval'],
    ['(() => {}).constructor("x")', 'eval'],
    ['setTimeout("x", 1)', 'eval'],
    ['await import(url)', 'computed_import'],
    ['await import("https://a.com/" + secret)', 'computed_import'],
    [`await import(\`https://\${x}\`)`, 'computed_import'],
    ['import x from "npm:lodash"', 'remote_import'],
    ['export * from "jsr:@a/b"', 'remote_import'],
    ['await import("https://a.com/x.ts")', 'remote_import'],
    ['import "data:text/javascript,1"', 'remote_import'],
    ['const a\u200b = 1', 'hidden_characters'],
    ['// \u202e evil', 'hidden_characters'],
    ['a\rb()', 'hidden_characters'],
    ['\ufeffx', 'hidden_characters'],
    ['const pаss = 1', 'mixed_scripts'],
    [`x = "${'y'.repeat(500)}"`, 'long_line'],
    ['const асе = 1', 'lookalikes'],
    ['fetch("https://a.com∕b")', 'lookalikes'],
    ['const f\u0131lter = 1', 'mixed_scripts'],
    ['ev\\u0061l(x)', 'escaped_name'],
    ['import x from\n  "data:text/javascript,1"', 'remote_import'],
  ])('tell of %j: %s', (code, kind) => {
    expect(kinds(`const ok = 1\n${code}\n`)).toContain(kind)
    expect(codeWarnings(`const ok = 1\n${code}\n`).find((warning) => warning.kind === kind)?.line).toBe(2)
  })

  it.each([
    'const evaluate = 1; evaluate(2)',
    'console.log("import")',
    'import x from "./x.ts"',
    'const слово = 1',
    'a()\r\nb()\r\n',
  ])('stay away from %j', (code) => {
    expect(kinds(code)).toEqual([])
  })

  it.each([
    ['blanks', `// a${' '.repeat(1_000_000)}a`],
    ['imports', `//${'import '.repeat(150_000)}`],
    ['news', 'new a.'.repeat(150_000)],
    ['short lines', 'import\n'.repeat(150_000)],
    ['a tag behind blanks', `// @skill${' '.repeat(16_000)}a`],
  ])('read a mebibyte of %s in one pass, where a backtracking pattern takes minutes', (_name, code) => {
    const began = performance.now()
    codeWarnings(code)
    readCommentMetadata(code)
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  it('find a word that mixes look-alike letters', () => {
    expect(hasMixedWord('pаypal')).toBe(true)
    expect(hasMixedWord('paypal и слово')).toBe(false)
  })
})

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

describe('stored code', () => {
  it('is given out only as what its hash names', () => {
    const hash = sha256Hex('a') as never
    expect(readStoredCode({ get: () => 'a' }, hash)).toBe('a')
    expect(() => readStoredCode({ get: () => 'b' }, hash)).toThrow('does not match its hash')
    expect(() => readStoredCode({ get: () => undefined }, hash)).toThrow('missing')
  })
})
