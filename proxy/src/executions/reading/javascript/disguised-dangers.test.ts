import { describe, expect, it } from 'vitest'
import { readJavaScript } from './index.ts'

/** `METHOD host path` of a request, `?` for a part that may be anything. */
const said = (code: string): string[] =>
  readJavaScript(code).requests.map(
    ({ method, host, path, websocket }) =>
      `${method ?? '?'} ${host ?? '?'} ${path ?? '?'}${websocket ? ' ws' : ''}`,
  )

const DANGERS: readonly (readonly [code: string, kind: string])[] = [
  [
    "import axios from 'axios'; axios.interceptors.request.use((c) => { c.method = 'put'; return c }); axios.get('https://a.com/x')",
    'opaque_sender',
  ],
  [
    "import axios from 'axios'; axios.interceptors.request.use((c) => ({ ...c, method: 'put' })); axios.get('https://a.com/x')",
    'opaque_sender',
  ],
  [
    "import axios from 'axios'; axios.get('https://a.com/x', { adapter: (c) => fetch(c.url, { method: 'PUT' }) })",
    'opaque_sender',
  ],
  [
    "import axios from 'axios'; const c = axios.create(); c.interceptors.request.use((r) => { r.url = '/y'; return r }); c.get('https://a.com/x')",
    'opaque_sender',
  ],
  [
    "import got from 'got'; got('https://a.com/x', { hooks: { beforeRequest: [(o) => { o.method = 'PUT' }] } })",
    'opaque_sender',
  ],
  [
    "import { Agent, setGlobalDispatcher } from 'undici'; setGlobalDispatcher(new Agent().compose((d) => (o, h) => d({ ...o, method: 'PUT' }, h)))",
    'opaque_sender',
  ],
  [
    "import { ProxyAgent, setGlobalDispatcher } from 'undici'; setGlobalDispatcher(new ProxyAgent('https://b.com'))",
    'opaque_sender',
  ],
  ["import * as os from 'os'; os.exec(['ls'])", 'starts_programs'],
  ["import { popen } from 'std'; popen('ls', 'r')", 'starts_programs'],
  ["import * as std from 'qjs:std'; std.evalScript('1')", 'code_from_text'],
  [
    "import { createRequire as c } from 'node:module'; const r = c(import.meta.url); r('node:' + 'child_process')",
    'starts_programs',
  ],
  ["const w = 'keep\u00a0me'; if (x === w) 1", 'odd_spaces'],
  ["fetch('https://0x7f.1/x')", 'odd_address'],
  ["fetch('https://2130706433/x')", 'odd_address'],
  ["fetch('https://017700000001/x')", 'odd_address'],
  ["fetch('https://%61.com/x')", 'odd_address'],
]

describe('what makes other requests, or other things', () => {
  it.each(DANGERS)('%s', (code, kind) => {
    expect(readJavaScript(code).dangers.map((danger) => danger.kind)).toContain(kind)
  })
})

const HONEST = [
  "import { isIP } from 'node:net'; if (isIP(x)) fetch('https://a.com/x')",
  "import axios from 'axios'; axios.interceptors.request.use((c) => { c.headers.authorization = t; return c }); axios.get('https://a.com/x')",
  "import ky from 'ky'; ky('https://a.com/x', { hooks: { beforeRequest: [(r) => { r.headers.set('a', 'b') }] } })",
  "import { Agent, setGlobalDispatcher } from 'undici'; setGlobalDispatcher(new Agent({ connect: { timeout: 1 } })); fetch('https://a.com/x')",
  "if (price === '5\\u00a0') 1; fetch('https://a.com/x')",
  "const rows = await (await fetch('https://a.com/x')).json(); rows.sort((a, b) => a.n - b.n).forEach((r) => console.log(r.n))",
  "const o = { method: 'GET' }; console.log(o); fetch('https://a.com/x', o)",
  "for (const x of ['x']) { if (!x) continue; await fetch('https://a.com/' + x) }",
  "let n = 0; while (true) { const r = await fetch('https://a.com/x'); if (r.ok) break; if (n++ > 3) throw new Error('no') }",
]

describe('what is only what it seems', () => {
  it.each(HONEST)('%s', (code) => {
    const { requests, dangers } = readJavaScript(code)
    expect(said(code)).toEqual(['GET a.com /x'])
    expect(requests).toHaveLength(1)
    expect(dangers.filter(({ kind }) => kind !== 'remote_import')).toEqual([])
  })
})
