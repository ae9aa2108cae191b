// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs to be read, as text

import { describe, expect, it } from 'vitest'
import { patience } from '../../../../test/support/pace.ts'
import { readJavaScript } from './index.ts'

const MIB = 1 << 20

const repeated = (size: number, piece: (index: number) => string): string => {
  let code = ''
  for (let index = 0; code.length < size; index++) code += piece(index)
  return code
}

describe('what is no program or beyond the limits', () => {
  it.each([
    'let 1',
    'a b c',
    '{',
    '`',
    'import x from',
    'const a = 1; const a = 2',
    '<html></html>',
    '\u0000',
    'class { }',
  ])('%j is unreadable and says so', (code) => {
    const facts = readJavaScript(code)
    expect(facts.readable).toBe(false)
    expect(facts.dangers).toContainEqual(expect.objectContaining({ kind: 'unreadable_code' }))
  })

  it.each([
    '',
    '// nothing',
    'return 1',
    'await x',
    '"use strict"; var a',
    'export default 1',
    '#!/usr/bin/env deno\n1',
    'using x = y',
  ])('%j is a program', (code) => {
    expect(readJavaScript(code).readable).toBe(true)
  })

  it.each([
    ['parentheses', '('.repeat(100_000)],
    ['arrows', `${'()=>'.repeat(50_000)}1`],
    ['choices', `${'a?b:'.repeat(50_000)}1`],
    ['branches', `${'if(a){b()}else '.repeat(20_000)}{}`],
    ['blocks', '{'.repeat(50_000) + '}'.repeat(50_000)],
    ['templates', `${'`${'.repeat(20_000)}1${'}`'.repeat(20_000)}`],
    ['members', `a${'.b'.repeat(200_000)}`],
    ['calls', `a${'()'.repeat(100_000)}`],
    ['terms', `x='a'${"+'a'".repeat(100_000)}`],
    ['arrays', '['.repeat(100_000)],
    ['functions', 'function a(){'.repeat(20_000)],
    ['awaits', `async()=>${'await '.repeat(50_000)}1`],
    ['nots', `${'!'.repeat(100_000)}1`],
    ['types', `let a: ${'Array<'.repeat(20_000)}1`],
  ])('%s nested without end are told, not thrown', (_name, code) => {
    const facts = readJavaScript(code)
    expect(facts.readable).toBe(false)
    expect(facts.dangers.map((one) => one.kind)).toContain('unreadable_code')
  })
})

describe('programs made to be slow', () => {
  it.each([
    ['functions in a row', repeated(MIB, (i) => `function h${i}(){h${i + 1}()}\n`)],
    ['strings that double', `let a='aaaaaaaaaaaaaaaa';${'a=a+a;'.repeat(2000)}fetch(a)`],
    [
      'choices in a row',
      repeated(
        MIB / 4,
        (i) => `const u${i}=Math.random()>.5?'a${i}':${i === 0 ? "'x'" : `u${i - 1}+'b'`};\n`,
      ),
    ],
    ['loops in loops', `${'for(;;){'.repeat(200)}x=x+1;fetch(x)${'}'.repeat(200)}`],
    [
      'tables in tables',
      `${Array.from({ length: 9 }, (_, i) => `for(const v${i} of [1,2,3,4,5,6,7,8,9]){`).join('')}fetch('https://a.com/'+v0+v8)${'}'.repeat(9)}`,
    ],
    [
      'a large array',
      `const a=[${repeated(MIB, (i) => `'x${i}',`)}];for(const x of a)fetch('https://a.com/'+x)`,
    ],
    [
      'a large object',
      `const a={${repeated(MIB, (i) => `x${i}:'y${i}',`)}};for(const x in a)fetch('https://a.com/'+a[x])`,
    ],
    ['one variable', `let x='a';${repeated(MIB, (i) => `x=x+y${i % 100};`)}fetch(x)`],
    [
      'one address',
      `const u=new URL('https://a.com/x');${repeated(MIB, (i) => `u.searchParams.set('a${i}',z);u.pathname+='/x';`)}fetch(u)`,
    ],
    ['regular expressions', repeated(MIB, () => `'${'a'.repeat(900)}'.replace(/a+b/,'x');`)],
    ['a nested repetition', `'${'a'.repeat(900)}'.replace(/(a+)+b/,'x')`],
    ['spreads', `let a={};${'a={...a,...a,x:a};'.repeat(20_000)}`],
    [
      'a recursion with four arms',
      "function f(a,b,c,d){f(a+1,b,c,d);f(a,b+'x',c,d);f(a,b,c+'y',d);f(a,b,c,d+'z');g(a)}function g(a){f(a,a,a,a);f(a,'q',a,a)}f('1','2','3','4')",
    ],
    ['tries in tries', `${'try{'.repeat(500)}fetch(x);x=1${'}catch{fetch(y);y=2}'.repeat(500)}`],
    ['forks', `const T=[{a:1},{a:2},{a:3}];${repeated(MIB / 8, (i) => `const r${i}=T[k${i}];`)}fetch(r0.a)`],
    ['arguments that grow', `function f(a){return [a,a,{a}]}let x=1;${'x=f(x);'.repeat(20_000)}`],
    ['requests', repeated(MIB, (i) => `fetch('https://a.com/${i}');`)],
    [
      'long texts',
      `const a='${'A'.repeat(60_000)}';${'atob(a);a.toUpperCase();f(a);'.repeat(20_000)}function f(x){return x}`,
    ],
    [
      'long replacements',
      `const a='${'a'.repeat(900)}',b='${'b'.repeat(60_000)}';${'a.replace(/a/g,b);a.replaceAll("a",b);'.repeat(5_000)}`,
    ],
    ['joins', `const a=['x'];${'a.push(a.join(""));'.repeat(20_000)}`],
  ])(
    '%s end',
    (_name, code) => {
      expect(readJavaScript(code).language).toBe('javascript')
    },
    patience(120_000),
  )

  it.each([
    [
      'calls that double',
      repeated(MIB, (i) => `function g${i}(x){return g${i + 1}(x+'a')+g${i + 2}(x+'b')}\n`),
    ],
    ['one object', `const o={};${repeated(MIB / 8, (i) => `o.k${i}=x${i};f(o);`)}`],
  ])('what is beyond the steps stands as a request of any kind: %s', (_name, code) => {
    const { requests, dangers } = readJavaScript(code)
    expect(requests).toContainEqual(expect.objectContaining({ host: null, method: null, path: null }))
    expect(dangers.map((one) => one.kind)).toContain('host_computed')
  })

  it('is small however long what it tells of is', () => {
    const long = 'x'.repeat(50_000)
    const code = `${repeated(MIB / 4, (i) => `fetch(a+'/${i}');`)}`
    const facts = readJavaScript(
      `import('data:text/javascript,${long}');Deno.env.get('${long}');const a='https://a.com/${long}';${code}`,
    )
    expect(JSON.stringify(facts).length).toBeLessThan(200_000)
  })

  it('is pure data', () => {
    const facts = readJavaScript("fetch('https://a.com/x', { headers: { k: process.env.K } }); eval('1')")
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts)
  })
})
