// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs to be read, as text
import { describe, expect, it } from 'vitest'
import { readJavaScript } from './index.ts'

/** `METHOD host path`, `?` for a part that is computed, with its source behind. */
const said = (code: string): string[] => {
  const facts = readJavaScript(code)
  expect(facts.readable).toBe(true)
  return facts.requests.map((one) => {
    const host = one.host ?? `?${one.hostFrom}`
    const parts = [one.method ?? `?${one.methodFrom}`, host, one.path ?? `?${one.pathFrom}`]
    if (one.host !== null && one.hostFrom !== null) parts.push(`from:${one.hostFrom}`)
    if (one.websocket) parts.push('ws')
    if (one.graphql !== null) parts.push(one.graphql)
    return parts.join(' ')
  })
}

const ARGS = "const args = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}');"

const CASES: Record<string, readonly (readonly [code: string, ...requests: string[]])[]> = {
  'plain calls': [
    ["await fetch('https://api.x.com/v1/charges')", 'GET api.x.com /v1/charges'],
    ["fetch('https://api.x.com')", 'GET api.x.com /'],
    ["fetch('https://api.x.com?x=1')", 'GET api.x.com /'],
    ["fetch('https://API.X.com:443/A/b?c#d')", 'GET api.x.com /A/b'],
    ["fetch('http://localhost:8080/a')", 'GET http://localhost:8080 /a'],
    ["fetch('https://api.x.com/a', { method: 'post' })", 'POST api.x.com /a'],
    ["fetch('https://api.x.com/a', { method: undefined })", 'GET api.x.com /a'],
    ["fetch('https://api.x.com/a/../b/./c')", 'GET api.x.com /b/c'],
    ["fetch('https://api.x.com/a/%2e%2e/b')", 'GET api.x.com /b'],
    ["fetch('https://api.x.com\\\\a\\\\b')", 'GET api.x.com /a/b'],
    ["fetch('https:api.x.com/a')", 'GET api.x.com /a'],
    ["fetch('https://user:pass@api.x.com/a')", 'GET api.x.com /a'],
    ["fetch('https://api.x.com@evil.com/a')", 'GET evil.com /a'],
    ["fetch('https://api.x.com/a b')", 'GET api.x.com /a%20b'],
    ["fetch('https://bücher.de/a')", 'GET xn--bcher-kva.de /a'],
    ["fetch('https://api.x.com/a/*')", 'GET api.x.com /a/%2A'],
    ["fetch('data:text/plain,hi')"],
    ['const r = 1'],
  ],
  'folded constants': [
    ["const a = 'https://api.x.com'; fetch(a + '/v1' + '/b')", 'GET api.x.com /v1/b'],
    ["let a = 'https://a.com/x'; a = 'https://b.com/y'; fetch(a)", 'GET b.com /y'],
    ["let a = 'https://a.com/x'; if (q) a = 'https://b.com/y'; fetch(a)", 'GET a.com /x', 'GET b.com /y'],
    [
      "let a; if (q) a = 'https://a.com/x'; else a = 'https://b.com/y'; fetch(a)",
      'GET a.com /x',
      'GET b.com /y',
    ],
    ["fetch(['https:', '', 'a.com', 'x'].join('/'))", 'GET a.com /x'],
    ["fetch('https://'.concat('a.com', '/x'))", 'GET a.com /x'],
    ["fetch(' HTTPS://A.COM/X '.trim().toLowerCase())", 'GET a.com /x'],
    ["fetch('https://H/x'.replace('H', 'a.com'))", 'GET a.com /x'],
    ["fetch('https://a.com/x/'.replace(/\\/$/, '') + '/y')", 'GET a.com /x/y'],
    ["fetch('zzhttps://a.com/x'.slice(2))", 'GET a.com /x'],
    ["fetch('x/moc.a//:sptth'.split('').reverse().join(''))", 'GET a.com /x'],
    ['fetch(String.raw`https://a.com/x`)', 'GET a.com /x'],
    [
      "const h = String.fromCharCode(97, 46, 99, 111, 109); fetch('https://' + h + '/x')",
      'GET a.com /x from:decoded',
    ],
    ["fetch(atob('aHR0cHM6Ly9hLmNvbS94'))", 'GET a.com /x from:decoded'],
    ["fetch(Buffer.from('aHR0cHM6Ly9hLmNvbS94', 'base64').toString())", 'GET a.com /x from:decoded'],
    [
      "fetch(Buffer.from('68747470733a2f2f612e636f6d2f78', 'hex').toString('utf8'))",
      'GET a.com /x from:decoded',
    ],
    ["fetch(decodeURIComponent('https%3A%2F%2Fa.com%2Fx'))", 'GET a.com /x from:decoded'],
    ["enum Path { A = '/a', B = '/b' } fetch('https://h.com' + Path.B)", 'GET h.com /b'],
    ["const P = { a: '/a' } as const; fetch('https://h.com' + P.a)", 'GET h.com /a'],
    [
      "const API = { base: 'https://h.com', v: { one: '/v1' } }; fetch(`${API.base}${API.v.one}/x`)",
      'GET h.com /v1/x',
    ],
    ["const { base = 'https://h.com' } = {}; fetch(base + '/x')", 'GET h.com /x'],
    ["const [a, b] = ['https://h.com', '/x']; fetch(a + b)", 'GET h.com /x'],
    ["fetch(q ? 'https://a.com/x' : 'https://b.com/y')", 'GET a.com /x', 'GET b.com /y'],
    ["const u = undefined ?? 'https://a.com/x'; fetch(u)", 'GET a.com /x'],
    ["let u = ''; u += 'https://a.com'; u += '/x'; fetch(u)", 'GET a.com /x'],
    ["fetch((('https://a.com/x' as string)!))", 'GET a.com /x'],
    ['const o = JSON.parse(\'{"u":"https://a.com/x"}\'); fetch(o.u)', 'GET a.com /x'],
    ["const m = new Map([['u', 'https://a.com/x']]); fetch(m.get('u'))", 'GET a.com /x'],
    ["fetch(`https://a.com/${['x', 'y'].map((s) => s + '1').join('/')}`)", 'GET a.com /x1/y1'],
    ["fetch('https://h.com/' + ['a', 'b'].reduce((x, y) => x + y, ''))", 'GET h.com /ab'],
  ],
  'path patterns': [
    ['fetch(`https://h.com/a/${x}`)', 'GET h.com /a/*'],
    ['fetch(`https://h.com/a/${x}/b`)', 'GET h.com /a/*/b'],
    ['fetch(`https://h.com/bot${x}/send`)', 'GET h.com /*/send'],
    ['fetch(`https://h.com/a/item-${x}`)', 'GET h.com /a/*'],
    ['fetch(`https://h.com/a/${x}.json`)', 'GET h.com /a/*'],
    ['fetch(`https://h.com/a/${x}/${y}?q=${z}`)', 'GET h.com /a/*/*'],
    ['fetch(`https://h.com${x}`)', 'GET h.com ?computed'],
    ['fetch(`https://h.com/v1${x}`)', 'GET h.com ?computed'],
    ["fetch('https://h.com/a/' + encodeURIComponent(x) + '/b')", 'GET h.com /a/*/b'],
    ['fetch(`https://h.com/a${encodeURIComponent(x)}`)', 'GET h.com /*'],
    [`${ARGS} fetch(\`https://h.com\${args.path}\`)`, 'GET h.com ?args'],
    ['fetch(`https://h.com/a?${new URLSearchParams({ q: x })}`)', 'GET h.com /a'],
    ["const q = x ? '?a=' + x : ''; fetch('https://h.com/a' + q)", 'GET h.com /a'],
    ['fetch(`https://h.com/a/${Number(x)}`)', 'GET h.com /a/*'],
  ],
  'computed hosts': [
    [`${ARGS} fetch(args.url)`, 'GET ?args ?args'],
    [`${ARGS} fetch(\`https://\${args.host}/x\`)`, 'GET ?args /x'],
    ['fetch(JSON.parse(process.env.OAUTH3_ARGS).url)', 'GET ?args ?args'],
    ['fetch(args.url)', 'GET ?args ?args'],
    [
      "const r = await fetch('https://a.com/x'); const d = await r.json(); fetch(d.url)",
      'GET a.com /x',
      'GET ?answer ?answer',
    ],
    [
      "fetch('https://a.com/x').then((r) => r.json()).then((d) => fetch(d.next))",
      'GET a.com /x',
      'GET ?answer ?answer',
    ],
    ["fetch(Deno.env.get('BASE') + '/x')", 'GET ?environment ?environment'],
    ['fetch(atob(x))', 'GET ?decoded ?decoded'],
    ['fetch(new TextDecoder().decode(bytes))', 'GET ?decoded ?decoded'],
    ['fetch(x.map((c) => String.fromCharCode(c ^ 7)).join(""))', 'GET ?decoded ?decoded'],
    ['fetch(compute())', 'GET ?computed ?computed'],
    ['export default (u) => fetch(u)', 'GET ?computed ?computed'],
    ["fetch('https://' + x + '.a.com/x')", 'GET ?computed /x'],
    ["fetch('/relative')", 'GET ?computed ?computed'],
  ],
  methods: [
    ["fetch('https://a.com/x', { method: m })", '?computed a.com /x'],
    [`${ARGS} fetch('https://a.com/x', { method: args.method })`, '?args a.com /x'],
    ["fetch('https://a.com/x', { method: ['DE', 'LETE'].join('') })", 'DELETE a.com /x'],
    ["fetch('https://a.com/x', { method: q ? 'PUT' : 'POST' })", 'PUT a.com /x', 'POST a.com /x'],
    ["fetch('https://a.com/x', { ['me' + 'thod']: 'POST' })", 'POST a.com /x'],
    ["const i = { method: 'GET' }; i.method = 'POST'; fetch('https://a.com/x', i)", 'POST a.com /x'],
    ["const i = {}; if (q) i.method = 'POST'; fetch('https://a.com/x', i)", 'GET a.com /x', 'POST a.com /x'],
    [
      "const d = { method: 'GET', headers: {} }; fetch('https://a.com/x', { ...d, method: 'POST' })",
      'POST a.com /x',
    ],
    ["const d = { method: 'PUT' }; fetch('https://a.com/x', { method: 'GET', ...d })", 'PUT a.com /x'],
    ["const i = Object.assign({}, { method: 'PATCH' }); fetch('https://a.com/x', i)", 'PATCH a.com /x'],
    ["fetch('https://a.com/x', { get method() { return 'DELETE' } })", 'DELETE a.com /x'],
    ["fetch('https://a.com/x', { method: { toString() { return 'DELETE' } } })", 'DELETE a.com /x'],
    ["class I { get method() { return 'DELETE' } } fetch('https://a.com/x', new I())", 'DELETE a.com /x'],
    ["fetch('https://a.com/x', init)", '?computed a.com /x'],
    ["const o = { __proto__: { method: 'POST' } }; fetch('https://a.com/x', o)", 'POST a.com /x'],
  ],
  'URL and Request objects': [
    ["fetch(new URL('/v1/x', 'https://a.com'))", 'GET a.com /v1/x'],
    ["fetch(new URL('x', 'https://a.com/v1/y'))", 'GET a.com /v1/x'],
    ["fetch(new URL('../x', 'https://a.com/v1/y/z').href)", 'GET a.com /v1/x'],
    ["const u = new URL('https://a.com/x'); u.pathname = '/y'; fetch(u)", 'GET a.com /y'],
    ["const u = new URL('https://a.com/x'); u.host = 'b.com'; fetch(u.toString())", 'GET b.com /x'],
    ["const u = new URL('https://a.com/x'); u.searchParams.set('q', z); fetch(u)", 'GET a.com /x'],
    ["const u = new URL('https://a.com/x'); u.search = '?q'; u.hash = 'h'; fetch(`${u}`)", 'GET a.com /x'],
    ["const u = new URL('https://a.com'); fetch(u.origin + '/y')", 'GET a.com /y'],
    ["const u = new URL('https://a.com/x'); fetch('https://' + u.host + u.pathname)", 'GET a.com /x'],
    ["fetch(new URL(`/v1/${id}`, 'https://a.com'))", 'GET a.com /v1/*'],
    ["fetch(new URL(path, 'https://a.com'))", 'GET a.com ?computed'],
    ["const q = new Request('https://a.com/x', { method: 'PUT' }); fetch(q)", 'PUT a.com /x'],
    ["const q = new Request('https://a.com/x'); fetch(q, { method: 'PUT' })", 'PUT a.com /x'],
    [
      "const q = new Request(new Request('https://a.com/x', { method: 'PUT' })); fetch(q.clone())",
      'PUT a.com /x',
    ],
  ],
  'other senders': [
    ["new WebSocket('wss://a.com/x')", 'GET a.com /x ws'],
    ["new WebSocket('ws://a.com/x')", 'GET http://a.com /x ws'],
    ["new EventSource('https://a.com/x')", 'GET a.com /x'],
    ["navigator.sendBeacon('https://a.com/x', b)", 'POST a.com /x'],
    ["const r = new XMLHttpRequest(); r.open('PUT', 'https://a.com/x'); r.send()", 'PUT a.com /x'],
    ["import https from 'node:https'; https.get('https://a.com/x', (r) => {})", 'GET a.com /x'],
    [
      "import { request } from 'node:https'; request({ hostname: 'a.com', path: '/x', method: 'POST' }).end()",
      'POST a.com /x',
    ],
    [
      "const http = require('http'); http.request({ host: 'a.com', port: 8080, path: '/x' })",
      'GET http://a.com:8080 /x',
    ],
    ["import * as h from 'https'; h.request('https://a.com/x', { method: 'DELETE' })", 'DELETE a.com /x'],
    [
      "import https from 'node:https'; https.request(new URL('https://a.com/x'), { method: 'PUT' })",
      'PUT a.com /x',
    ],
    ["import axios from 'npm:axios'; axios.post('https://a.com/x', {})", 'POST a.com /x'],
    ["import axios from 'npm:axios'; axios({ url: 'https://a.com/x', method: 'put' })", 'PUT a.com /x'],
    [
      "import axios from 'npm:axios'; const c = axios.create({ baseURL: 'https://a.com/v1/' }); c.delete('/x')",
      'DELETE a.com /v1/x',
    ],
    [
      "import axios from 'npm:axios'; const c = axios.create({ baseURL: 'https://a.com' }); c({ url: '/x' })",
      'GET a.com /x',
    ],
    ["import got from 'npm:got'; got.post('https://a.com/x', { json: {} })", 'POST a.com /x'],
    [
      "import ky from 'npm:ky'; const k = ky.create({ prefixUrl: 'https://a.com/v1' }); k.get('x')",
      'GET a.com /v1/x',
    ],
    ["import { request } from 'npm:undici'; request('https://a.com/x', { method: 'PUT' })", 'PUT a.com /x'],
    ["import fetch from 'npm:node-fetch'; fetch('https://a.com/x')", 'GET a.com /x'],
    ["const { default: axios } = await import('npm:axios'); axios.get('https://a.com/x')", 'GET a.com /x'],
  ],
  'aliases of fetch': [
    ["const f = fetch; f('https://a.com/x')", 'GET a.com /x'],
    ["globalThis.fetch('https://a.com/x')", 'GET a.com /x'],
    ["window['fet' + 'ch']('https://a.com/x')", 'GET a.com /x'],
    ["const { fetch: f } = globalThis; f('https://a.com/x')", 'GET a.com /x'],
    ["fetch.call(null, 'https://a.com/x')", 'GET a.com /x'],
    ["fetch.apply(null, ['https://a.com/x', { method: 'PUT' }])", 'PUT a.com /x'],
    ["fetch.bind(null, 'https://a.com/x')({ method: 'PUT' })", 'PUT a.com /x'],
    ["Reflect.apply(fetch, null, ['https://a.com/x'])", 'GET a.com /x'],
    ["Reflect.get(globalThis, 'fetch')('https://a.com/x')", 'GET a.com /x'],
    ["const o = { go: fetch }; o.go('https://a.com/x')", 'GET a.com /x'],
    ["(0, fetch)('https://a.com/x')", 'GET a.com /x'],
    ["['https://a.com/x'].map(fetch)", 'GET a.com /x'],
    ["const f = [fetch][0]; f?.('https://a.com/x')", 'GET a.com /x'],
    ['fetch`https://a.com/x`', 'GET a.com /x'],
    ["Promise.resolve('https://a.com/x').then(fetch)", 'GET a.com /x'],
    ["const f = q ? fetch : null; f('https://a.com/x')", 'GET a.com /x'],
  ],
  GraphQL: [
    [
      "fetch('https://a.com/graphql', { method: 'POST', body: JSON.stringify({ query: '{ me { id } }' }) })",
      'POST a.com /graphql query',
    ],
    [
      "fetch('https://a.com/graphql', { method: 'POST', body: JSON.stringify({ query: 'mutation M { a }' }) })",
      'POST a.com /graphql mutation',
    ],
    [
      "fetch('https://a.com/graphql', { method: 'POST', body: JSON.stringify({ query: 'query Q { a } mutation M { b }' }) })",
      'POST a.com /graphql mutation',
    ],
    [
      "fetch('https://a.com/graphql', { method: 'POST', body: JSON.stringify({ query: '# mutation\\nquery Q { mutation }' }) })",
      'POST a.com /graphql query',
    ],
    [
      "fetch('https://a.com/graphql', { method: 'POST', body: JSON.stringify({ query: q }) })",
      'POST a.com /graphql unknown',
    ],
    [
      'const id = f(); fetch("https://a.com/graphql", { method: "POST", body: JSON.stringify({ query: `query { a(id: "${id}") { b } }` }) })',
      'POST a.com /graphql query',
    ],
    [
      'fetch("https://a.com/graphql", { method: "POST", body: JSON.stringify({ query: `${op} { b }` }) })',
      'POST a.com /graphql unknown',
    ],
    [
      "fetch('https://a.com/search', { method: 'POST', body: JSON.stringify({ query: 'blue shoes' }) })",
      'POST a.com /search',
    ],
    [
      "fetch('https://a.com/search', { method: 'POST', body: JSON.stringify({ query: 'mutation rates' }) })",
      'POST a.com /search',
    ],
    [
      "fetch('https://a.com/api', { method: 'POST', body: JSON.stringify({ query: 'mutation { a }' }) })",
      'POST a.com /api mutation',
    ],
    [
      "const gql = (query, variables) => fetch('https://a.com/graphql', { method: 'POST', body: JSON.stringify({ query, variables }) }); gql('{ a }'); gql('mutation { b }')",
      'POST a.com /graphql query',
      'POST a.com /graphql mutation',
    ],
    [
      "fetch('https://a.com/graphql', { method: 'POST', body: '{\"query\":\"mutation { a }\"}' })",
      'POST a.com /graphql mutation',
    ],
  ],
}

for (const [family, cases] of Object.entries(CASES)) {
  describe(family, () => {
    it.each(cases.map(([code, ...requests]) => ({ code, requests })))('$code', ({ code, requests }) => {
      expect(said(code).sort()).toEqual(requests.sort())
    })
  })
}
