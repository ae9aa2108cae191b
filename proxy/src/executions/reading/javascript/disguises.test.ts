// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs to be read, as text
import { describe, expect, it } from 'vitest'
import { readJavaScript } from './index.ts'

/** `METHOD host path` of a request, `?` for a part that may be anything. */
const said = (code: string): string[] =>
  readJavaScript(code).requests.map(
    ({ method, host, path, websocket }) =>
      `${method ?? '?'} ${host ?? '?'} ${path ?? '?'}${websocket ? ' ws' : ''}`,
  )

/** Whether a request that is told covers the one that is made: each part is the same or may be anything. */
function covers(told: string, made: string): boolean {
  const parts = made.split(' ')
  return told.split(' ').every((part, index) => part === '?' || parts[index] === '?' || part === parts[index])
}

/** Programs and one request that they make, which a narrower reading would miss. */
const MADE: Record<string, readonly (readonly [code: string, made: string])[]> = {
  'functions, this and what goes out of sight': [
    [
      "const o = { m: 'GET', go() { return fetch('https://a.com/x', { method: this.m }) } }; const f = o.go; f.apply({ m: 'DELETE' })",
      'DELETE a.com /x',
    ],
    [
      "const o = { m: 'GET', go() { return fetch('https://a.com/x', { method: this.m }) } }; const p = { m: 'DELETE', go: o.go }; p.go()",
      'DELETE a.com /x',
    ],
    [
      "const o = { method: 'GET' }; const m = new Map(); m.set(o, o); m.get(o).method = 'PUT'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; const r = new WeakRef(o); r.deref().method = 'PUT'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; const s = new Set([o]); for (const x of s) x.method = 'PUT'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; const { x = o } = {}; x.method = 'PUT'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; Promise.resolve(o).then((x) => { x.method = 'PUT' }); await 0; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; const [x] = Object.values({ o }); x.method = 'PUT'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "q.on('x', (x) => { x.method = 'PUT' }); const o = { method: 'GET' }; q.emit('x', o); fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "function F() { if (!new.target) return new F(); this.method = 'PUT' } fetch('https://a.com/x', F())",
      'PUT a.com /x',
    ],
    ["class A { static { fetch('https://a.com/x', { method: 'PUT' }) } }", 'PUT a.com /x'],
    [
      "class A { static #m = 'GET'; static { A.#m = 'PUT' } static go() { fetch('https://a.com/x', { method: A.#m }) } } A.go()",
      'PUT a.com /x',
    ],
    ["new TransformStream({ transform(c) { fetch('https://a.com/x', { method: c }) } })", '? a.com /x'],
    [
      "addEventListener('unload', { handleEvent(e) { fetch('https://a.com/x', { method: e.m }) } })",
      '? a.com /x',
    ],
    ["const f = (...a) => fetch(...a); f('https://a.com/x', { method: 'PUT' })", 'PUT a.com /x'],
    [
      "const f = (a, b) => fetch(a, b); f.apply(null, Object.values({ a: 'https://a.com/x', b: { method: 'PUT' } }))",
      'PUT a.com /x',
    ],
    ["const { fetch: f } = globalThis; f('https://a.com/x', { method: 'PUT' })", 'PUT a.com /x'],
    [
      "const f = Object.entries(globalThis).find(([k]) => k === 'fetch')[1]; f('https://a.com/x', { method: 'PUT' })",
      'PUT a.com /x',
    ],
    ["const f = Reflect.get(globalThis, q); f('https://a.com/x', { method: 'PUT' })", 'PUT a.com /x'],
    [
      "function f(m) { arguments[0] = 'PUT'; fetch('https://a.com/x', { method: m }) } f('GET')",
      'PUT a.com /x',
    ],
    [
      "function f(m) { m = 'PUT'; fetch('https://a.com/x', { method: arguments[0] }) } f('GET')",
      'PUT a.com /x',
    ],
    [
      "function f(m) { [].splice.call(arguments, 0, 1, 'PUT'); fetch('https://a.com/x', { method: m }) } f('GET')",
      'PUT a.com /x',
    ],
    [
      "function f(m) { const a = arguments; a[0] = 'PUT'; return g(m) } const g = (m) => fetch('https://a.com/x', { method: m }); f('GET')",
      'PUT a.com /x',
    ],
  ],
  'prototypes, accessors and proxies': [
    [
      "const o = { __proto__: { get method() { return 'PUT' } } }; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const b = {}; const o = Object.create(b); b.method = 'PUT'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    ["const o = {}; o.__proto__ = { method: 'PUT' }; fetch('https://a.com/x', o)", 'PUT a.com /x'],
    [
      "class A { get method() { return 'PUT' } } class B extends A {} fetch('https://a.com/x', new B())",
      'PUT a.com /x',
    ],
    [
      "class A { method = 'GET' } A.prototype.go = function () { return fetch('https://a.com/x', { method: 'PUT' }) }; new A().go()",
      'PUT a.com /x',
    ],
    [
      "class A { path() { return '/x' } } A.prototype.path = () => '/y'; fetch('https://a.com' + new A().path())",
      'GET a.com /y',
    ],
    [
      "const o = Object.assign({ get method() { return 'GET' } }, {}); const p = Object.assign({}, o, { method: 'PUT' }); fetch('https://a.com/x', p)",
      'PUT a.com /x',
    ],
    [
      "const o = { get method() { return 'GET' }, ...{ method: 'PUT' } }; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; Object.defineProperties(o, { method: { get: () => 'PUT' } }); fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; Reflect.defineProperty(o, 'method', { value: 'PUT' }); fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; o.__defineGetter__('method', () => 'PUT'); fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { set method(v) { this.real = 'PUT' }, get method() { return this.real } }; o.method = 'GET'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; const p = new Proxy(o, {}); p.method = 'PUT'; fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'GET' }; const p = new Proxy(o, { ownKeys: () => ['method'], getOwnPropertyDescriptor: () => ({ value: 'PUT', enumerable: true, configurable: true }), get: () => 'PUT' }); fetch('https://a.com/x', { ...p })",
      'PUT a.com /x',
    ],
    [
      "const { proxy } = Proxy.revocable({ method: 'GET' }, { get: () => 'PUT' }); fetch('https://a.com/x', proxy)",
      '? a.com /x',
    ],
    [
      "class V { toString() { return 'PUT' } } class W extends V {} fetch('https://a.com/x', { method: new W() })",
      'PUT a.com /x',
    ],
    ["class R extends Request {} fetch(new R('https://a.com/x', { method: 'PUT' }))", 'PUT a.com /x'],
    [
      "class U2 extends URL { constructor(p) { super('/y' + p, 'https://a.com') } } fetch(new U2('z'))",
      'GET a.com /yz',
    ],
    [
      "const h = require('node:https'); h.request({ hostname: 'a.com', path: '/x', get method() { return 'PUT' } }).end()",
      'PUT a.com /x',
    ],
    [
      "const { ClientRequest } = require('node:http'); class C extends ClientRequest { constructor() { super({ protocol: 'http:', hostname: 'a.com', path: '/x', method: 'PUT' }) } } new C().end()",
      'PUT http://a.com /x',
    ],
  ],
  'objects that answer for themselves': [
    [
      "const v = { [Symbol.toPrimitive]() { return 'PUT' } }; fetch('https://a.com/x', { method: v })",
      'PUT a.com /x',
    ],
    [
      "const v = { valueOf: () => 'PUT', toString: () => 'GET' }; fetch('https://a.com/x', { method: '' + v })",
      'PUT a.com /x',
    ],
    [
      "const l = { *[Symbol.iterator]() { yield 'PUT' } }; for (const m of l) fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "const l = { [Symbol.iterator]() { return { next: () => ({ value: 'PUT', done: false }) } } }; const [m] = l; fetch('https://a.com/x', { method: m })",
      '? a.com /x',
    ],
    [
      "const l = { *[Symbol.iterator]() { yield 'PUT' } }; const m = [...l][0]; fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "const l = { *[Symbol.iterator]() { yield 'https://a.com/x'; yield { method: 'PUT' } } }; fetch(...l)",
      'PUT a.com /x',
    ],
    [
      "const d = JSON.parse('{\"m\":\"GET\"}', function (k, v) { return k === 'm' ? 'PUT' : v }); fetch('https://a.com/x', { method: d.m })",
      '? a.com /x',
    ],
    [
      "class P { m = 'GET'; toJSON() { return { m: 'PUT' } } } fetch('https://a.com/x', { method: JSON.parse(JSON.stringify({ p: new P() })).p.m })",
      '? a.com /x',
    ],
    [
      "const o = { toString() { fetch('https://a.com/x', { method: 'PUT' }); return '' } }; console.log(`${o}`)",
      'PUT a.com /x',
    ],
    [
      "const o = { method: 'PUT', [Symbol.dispose]() { fetch('https://a.com/x', { method: this.method }) } }; { using x = o }",
      'PUT a.com /x',
    ],
  ],
  'the way through the program': [
    [
      "let m = 'GET'; a: { m = 'PUT'; if (q) break a; m = 'GET' } fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET'; try { m = 'PUT'; JSON.parse('{'); m = 'GET' } catch { fetch('https://a.com/x', { method: m }) }",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET'; try { m = 'PUT'; throw 1 } catch {} fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET'; try { if (q) { m = 'PUT'; throw 1 } m = 'GET' } catch {} fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET'; for (;;) { try { break } finally { m = 'PUT' } } fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET'; try { try { m = 'PUT'; throw 1 } finally { fetch('https://a.com/x', { method: m }) } } catch {}",
      'PUT a.com /x',
    ],
    [
      "const f = () => { try { return 'GET' } finally { return 'PUT' } }; fetch('https://a.com/x', { method: f() })",
      'PUT a.com /x',
    ],
    ["try { throw { method: 'PUT' } } catch (e) { fetch('https://a.com/x', e) }", '? a.com /x'],
    [
      "let m = 'GET'; switch (q) { case 1: m = 'PUT'; case 2: fetch('https://a.com/x', { method: m }) }",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET', n = 'HEAD', o = 'PUT'; for (const i of list) { m = n; n = o } fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET', n = 'HEAD', o = 'OPTIONS', p = 'PUT'; while (q()) { m = n; n = o; o = p } fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "let m = 'GET'; while (q()) { if (z) { m = 'PUT'; continue } m = 'GET' } fetch('https://a.com/x', { method: m })",
      'PUT a.com /x',
    ],
    [
      "new FinalizationRegistry((m) => fetch('https://a.com/x', { method: m })).register({}, 'PUT')",
      '? a.com /x',
    ],
  ],
  'lists and texts': [
    ["const [m] = ['GET', 'PUT'].toReversed(); fetch('https://a.com/x', { method: m })", 'PUT a.com /x'],
    ["const l = ['GET', 'PUT']; l.shift(); fetch('https://a.com/x', { method: l[0] })", 'PUT a.com /x'],
    ["const l = ['GET']; l.unshift('PUT'); fetch('https://a.com/x', { method: l[0] })", 'PUT a.com /x'],
    ["const l = ['GET']; l.splice(0, 1, 'PUT'); fetch('https://a.com/x', { method: l[0] })", 'PUT a.com /x'],
    [
      "const l = ['GET', 'PUT']; l.copyWithin(0, 1); fetch('https://a.com/x', { method: l[0] })",
      'PUT a.com /x',
    ],
    ["const l = ['GET']; l.fill('PUT'); fetch('https://a.com/x', { method: l[0] })", 'PUT a.com /x'],
    ["const l = ['GET'].with(0, 'PUT'); fetch('https://a.com/x', { method: l[0] })", 'PUT a.com /x'],
    [
      "const l = ['GET', 'PUT'].filter((x) => x !== 'GET'); fetch('https://a.com/x', { method: l[0] })",
      'PUT a.com /x',
    ],
    ["const l = ['GET']; l[0] = 'PUT'; fetch('https://a.com/x', { method: l.at(-1) })", 'PUT a.com /x'],
    [
      "const l = ['GET']; l.length = 0; l.push('PUT'); fetch('https://a.com/x', { method: l[0] })",
      'PUT a.com /x',
    ],
    ["Array.prototype.forEach.call(['PUT'], (m) => fetch('https://a.com/x', { method: m }))", 'PUT a.com /x'],
    [
      "['x'].forEach(function () { fetch('https://a.com/x', { method: this.m }) }, { m: 'PUT' })",
      'PUT a.com /x',
    ],
    [
      "const l = ['GET']; Array.prototype.splice.call(l, 0, 1, 'PUT'); fetch('https://a.com/x', { method: l[0] })",
      'PUT a.com /x',
    ],
    [
      "const l = ['GET']; Array.prototype.splice.apply(l, [0, 1, 'PUT']); fetch('https://a.com/x', { method: l[0] })",
      'PUT a.com /x',
    ],
    [
      "const l = Object.groupBy(['GET', 'PUT'], (x) => x.length); fetch('https://a.com/x', { method: l[3][1] })",
      '? a.com /x',
    ],
    [
      "fetch('https://a.com/x', { method: 'GET'.replace(/G(E)T/, 'PU$1').replace('E', 'T') })",
      'PUT a.com /x',
    ],
    [
      "fetch('https://a.com/x', { method: 'GxT'.replaceAll('x', () => 'E').replace(/.*/s, () => 'PUT') })",
      '? a.com /x',
    ],
    ["fetch('https://a.com/' + 'ab'.replace('b', '$`x'))", 'GET a.com /aax'],
    [
      "const o = { method: 'GET' }; [o].forEach((x) => { x.method = 'PUT' }); fetch('https://a.com/x', o)",
      'PUT a.com /x',
    ],
  ],
  'requests and clients': [
    ["const u = new URL('https://a.com/x'); const h = { u }; h.u.pathname = '/y'; fetch(u)", 'GET a.com /y'],
    [
      "const u = new URL('https://a.com/x'); q.set('u', u); q.get('u').pathname = '/y'; fetch(u)",
      'GET a.com /y',
    ],
    [
      "const r = new Request('https://a.com/x', { method: 'GET' }); fetch(new Request(r, { method: 'PUT' }))",
      'PUT a.com /x',
    ],
    ["const r = new Request('https://a.com/x', { method: 'PUT' }); fetch(r.clone())", 'PUT a.com /x'],
    [
      "const r = new Request('https://a.com/x', { method: 'PUT' }); fetch(new Request('https://a.com/y', r))",
      'PUT a.com /y',
    ],
    ["const R = Request.bind(null, 'https://a.com/x', { method: 'PUT' }); fetch(new R())", 'PUT a.com /x'],
    [
      "const r = Reflect.construct(Request, ['https://a.com/x', { method: 'PUT' }]); fetch(r)",
      'PUT a.com /x',
    ],
    [
      "const h = require('node:https'); const o = { hostname: 'a.com', path: '/x' }; o.method = 'PUT'; h.request(o).end()",
      'PUT a.com /x',
    ],
    [
      "const h = require('node:https'); const r = h.request('https://a.com/x'); r.path = '/y'; r.end()",
      'GET a.com /y',
    ],
    [
      "const h = require('node:https'); h.request('https://a.com/x', { hostname: 'b.com' }).end()",
      'GET b.com /x',
    ],
    [
      "const h = require('node:https'); h.request('https://a.com/x', Object.assign({}, { path: '/y', method: 'PUT' })).end()",
      'PUT a.com /y',
    ],
    [
      "const h = require('node:https'); const r = h.request('https://a.com/x'); Object.assign(r, { method: 'PUT' }); r.end()",
      'PUT a.com /x',
    ],
    ["import * as u from 'undici'; u.request('https://a.com/x', { method: 'PUT' })", 'PUT a.com /x'],
    [
      "import { stream, Client, Pool } from 'undici'; new Client('https://a.com').request({ path: '/x', method: 'PUT' })",
      'PUT a.com /x',
    ],
    [
      "const W = globalThis.WebSocket; class F extends W { constructor() { super('wss://a.com/x') } } new F()",
      'GET a.com /x ws',
    ],
    ["const make = (C, ...a) => new C(...a); make(WebSocket, 'wss://a.com/x')", 'GET a.com /x ws'],
    ["const s = Reflect.construct(WebSocket, ['wss://a.com/x'])", 'GET a.com /x ws'],
    ["const ws = { make: () => new WebSocket('ws' + 's://a.com/x') }; ws.make()", 'GET a.com /x ws'],
  ],
}

describe.each(Object.entries(MADE))('%s', (_, cases) => {
  it.each(cases)('%s', (code, made) => {
    expect(said(code).filter((told) => covers(told, made))).not.toEqual([])
  })
})
