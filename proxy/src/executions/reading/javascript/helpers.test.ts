// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs to be read, as text
import { describe, expect, it } from 'vitest'
import { requestsIn } from '../../../../test/support/requests-in.ts'

const CASES: Record<string, readonly (readonly [code: string, ...requests: string[]])[]> = {
  'helpers and their call sites': [
    [
      "const send = (method, path) => fetch('https://a.com' + path, { method }); send('GET', '/x'); send('POST', '/y')",
      'GET a.com /x',
      'POST a.com /y',
    ],
    [
      "async function api({ method = 'GET', path }) { return fetch('https://a.com' + path, { method }) } api({ path: '/x' }); api({ method: 'PUT', path: '/y' })",
      'GET a.com /x',
      'PUT a.com /y',
    ],
    ["function api(path, base = 'https://a.com') { return fetch(base + path) } api('/x')", 'GET a.com /x'],
    [
      "const api = { get: (p) => api.send('GET', p), send(m, p) { return fetch('https://a.com' + p, { method: m }) } }; api.get('/x')",
      'GET a.com /x',
    ],
    [
      "class C { constructor(base) { this.base = base } get(p) { return this.#send('GET', p) } #send(m, p) { return fetch(this.base + p, { method: m }) } } new C('https://a.com').get('/x')",
      'GET a.com /x',
    ],
    [
      "class A { base = 'https://a.com'; send(p) { return fetch(this.base + p) } } class B extends A { base = 'https://b.com'; go() { return super.send('/x') } } new B().go()",
      'GET b.com /x',
    ],
    [
      "class S { static url = 'https://a.com'; static get(p) { return fetch(S.url + p) } } S.get('/x')",
      'GET a.com /x',
    ],
    ["for (const p of ['/x', '/y']) await fetch('https://a.com' + p)", 'GET a.com /x', 'GET a.com /y'],
    ["['/x', '/y'].forEach((p) => fetch('https://a.com' + p))", 'GET a.com /x', 'GET a.com /y'],
    [
      "await Promise.all(['/x', '/y'].map(async (p) => fetch('https://a.com' + p)))",
      'GET a.com /x',
      'GET a.com /y',
    ],
    [
      "const T = { a: ['GET', '/x'], b: ['PUT', '/y'] }; const [m, p] = T[k]; fetch('https://a.com' + p, { method: m })",
      'GET a.com /x',
      'PUT a.com /y',
    ],
    [
      "const T = { a: ['GET', '/x'], b: ['PUT', '/y'] }; const [m, p] = T['b']; fetch('https://a.com' + p, { method: m })",
      'PUT a.com /y',
    ],
    [
      "const T = { a: { m: 'GET', p: '/x' }, b: { m: 'PUT', p: '/y' } }; const s = ({ m, p }) => fetch('https://a.com' + p, { method: m }); s(T[k])",
      'GET a.com /x',
      'PUT a.com /y',
    ],
    [
      "for (const { m, p } of [{ m: 'GET', p: '/x' }, { m: 'PUT', p: '/y' }]) fetch('https://a.com' + p, { method: m })",
      'GET a.com /x',
      'PUT a.com /y',
    ],
    [
      "let m, p; switch (k) { case 'a': m = 'GET'; p = '/x'; break; case 'b': m = 'PUT'; p = '/y'; break; default: throw 1 } fetch('https://a.com' + p, { method: m })",
      'GET a.com /x',
      'PUT a.com /y',
    ],
    [
      "const run = (op) => { switch (op) { case 'a': return fetch('https://a.com/x'); case 'b': return fetch('https://a.com/y', { method: 'PUT' }) } }; run('b')",
      'PUT a.com /y',
    ],
    [
      "const h = { list: () => fetch('https://a.com/x'), del: () => fetch('https://a.com/y', { method: 'DELETE' }) }; await h[k]()",
      'GET a.com /x',
      'DELETE a.com /y',
    ],
    [
      "const curry = (m) => (p) => fetch('https://a.com' + p, { method: m }); const put = curry('PUT'); put('/x')",
      'PUT a.com /x',
    ],
    [
      "function make(b) { return { get: (p) => fetch(b + p) } } make('https://a.com').get('/x')",
      'GET a.com /x',
    ],
    [
      "main(); async function main() { await fetch(BASE + '/x') } const BASE = 'https://a.com'",
      'GET a.com /x',
    ],
    ["on('x', () => fetch(BASE + '/x')); const BASE = 'https://a.com'", 'GET a.com /x'],
    ["let base = ''; function init() { base = 'https://a.com' } init(); fetch(base + '/x')", 'GET a.com /x'],
    ["function rest(...parts) { return fetch(parts.join('/')) } rest('https://a.com', 'x')", 'GET a.com /x'],
    [
      "function* paths() { yield '/x'; yield '/y' } for (const p of paths()) fetch('https://a.com' + p)",
      'GET a.com /x',
      'GET a.com /y',
    ],
    ["const p = new Promise((resolve) => resolve('https://a.com/x')); fetch(await p)", 'GET a.com /x'],
    ["setTimeout(() => fetch('https://a.com/x'), 10)", 'GET a.com /x'],
    ["function f() { return fetch(arguments[0]) } f('https://a.com/x')", 'GET a.com /x'],
    [
      "const handler = { async run() { await fetch('https://a.com/x') } }; export default handler",
      'GET a.com /x',
    ],
    ["exports.run = function () { return fetch('https://a.com/x') }", 'GET a.com /x'],
    [
      "try { await fetch('https://a.com/x') } catch { await fetch('https://b.com/y') } finally { fetch('https://c.com/z') }",
      'GET a.com /x',
      'GET b.com /y',
      'GET c.com /z',
    ],
    [
      "let a = 'https://a.com/x'; while (q) { if (z) { a = 'https://b.com/y'; break } } fetch(a)",
      'GET a.com /x',
      'GET b.com /y',
    ],
  ],
  'what is set or called later': [
    [
      "let h = 'a.com'; function f() { h = 'b.com' } setTimeout(f); setTimeout(() => fetch(`https://${h}/x`))",
      'GET a.com /x',
      'GET b.com /x',
    ],
    [
      "const c = { h: 'a.com' }; queueMicrotask(() => { c.h = 'b.com' }); await 0; fetch(`https://${c.h}/x`)",
      'GET a.com /x',
      'GET b.com /x',
    ],
    [
      "function C() { this.b = 'https://a.com' } C.prototype.get = function (p) { return fetch(this.b + p) }; new C().get('/x')",
      'GET a.com /x',
    ],
    ["const u = await { then(r) { r('https://a.com/x') } }; fetch(u)", 'GET a.com /x'],
    ["fetch({ [Symbol.toPrimitive]: () => 'https://a.com/x' })", 'GET a.com /x'],
    ["const o = Object.create({ method: 'POST' }); fetch('https://a.com/x', o)", 'POST a.com /x'],
    [
      "import axios from 'npm:axios'; axios.defaults.baseURL = 'https://a.com'; axios.get('/x')",
      'GET a.com /x',
    ],
    ["const g = Function.prototype.call.bind(fetch); g(null, 'https://a.com/x')", 'GET a.com /x'],
    [
      "const t = 'https://a.com/{a}/x/{b}'; fetch(t.replace(/\\{(\\w+)\\}/g, (_, k) => ({ a: '1', b: q })[k]))",
      'GET a.com /1/x/*',
    ],
    ["fetch('https://a.com/x', { method: 'POST', body: '{}' })", 'POST a.com /x'],
    ["const x = { get s() { return fetch('https://a.com/x') } }; console.log(x.s)", 'GET a.com /x'],
    ["const f = !localStorage.seen; if (f) fetch('https://a.com/x')", 'GET a.com /x'],
    ["let ok = false; const h = () => { if (ok) fetch('https://a.com/x') }; ok = true; h()", 'GET a.com /x'],
    [
      "const i = new Proxy({ method: 'GET' }, { get: () => 'DELETE' }); fetch('https://a.com/x', i)",
      'DELETE a.com /x',
    ],
    [
      "const u = ['https://a.com/x']; if (q) u[0] = 'https://b.com/y'; fetch(u[0])",
      'GET a.com /x',
      'GET b.com /y',
    ],
    ["const d = (c) => fetch('https://a.com/x'); @d class A {}", 'GET a.com /x'],
    [
      "const i = { n: 0, get method() { return this.n++ ? 'DELETE' : 'GET' } }; fetch('https://a.com/x', i)",
      'DELETE a.com /x',
      'GET a.com /x',
    ],
    ["if (Boolean('false')) fetch('https://a.com/x')", 'GET a.com /x'],
  ],
}

for (const [family, cases] of Object.entries(CASES)) {
  describe(family, () => {
    it.each(cases.map(([code, ...requests]) => ({ code, requests })))('$code', ({ code, requests }) => {
      expect(requestsIn(code).sort()).toEqual(requests.sort())
    })
  })
}
