// biome-ignore-all lint/suspicious/noTemplateCurlyInString: programs to be read, as text
import { describe, expect, it } from 'vitest'
import { readJavaScript } from './index.ts'

const told = (code: string): string[] => {
  const facts = readJavaScript(code)
  expect(facts.readable).toBe(true)
  return facts.dangers.map((one) => `${one.kind} ${one.lines.join()} ${one.detail ?? ''}`)
}

const SMALL: readonly string[] = [
  'console.log(foo.constructor.name)',
  'if (x.constructor === Object) y()',
  'class A { clone() { return new this.constructor(this.x) } }',
  'if (x instanceof Function) x()',
  "if (typeof x === 'function' && typeof Worker === 'undefined') x()",
  'const s = Object.prototype.toString.call(x)',
  'Function.prototype.call.apply(f, x)',
  'function evaluate(x) { return x } evaluate(1)',
  "const parser = { eval: (x) => x }; parser.eval('1')",
  "const o = { eval: 1, Function: 2, 'constructor': 3 }",
  'const evaluation = o.eval',
  'function Worker2() {} new Worker2()',
  'interface F { run: Function } const f: Function = x',
  'type W = Worker; let w: WebAssembly.Module | null = null',
  'setTimeout(() => go(), 10)',
  'setTimeout(go, 10, "text")',
  'const fn = table[key]; fn()',
  "// eval('1')\nconst a = \"eval('1')\" // new Function()",
  "const s = 'globalThis.fetch = 1; Deno.Command'",
  "import { readFile } from 'node:fs/promises'",
  "import path from 'node:path'\nimport { createHash } from 'node:crypto'",
  "export const API = 'https://api.x.com/v1'",
  'globalThis.myCache = new Map()',
  'process.exitCode = 1',
  "process.env.TZ = 'UTC'",
  'module.exports = { run }',
  'exports.run = run',
  'Error.stackTraceLimit = 50',
  'axios = null; let axios',
  'const { fetch } = globalThis',
  'const fetch = globalThis.fetch',
  'function client({ fetch }) { return fetch }',
  'class ApiError extends Error { get name() { return "ApiError" } }',
  'class Queue extends Array2 { get size() { return 1 } }',
  'const Date2 = 1, Math2 = 2',
  "const greeting = new Date().getHours() < 12 ? 'Good morning' : 'Good evening'; fetch('https://a.com/x', { method: 'POST', body: greeting })",
  "const since = new Date(Date.now() - 864e5).toISOString(); const r = await fetch(`https://a.com/x?since=${since}`); if ((await r.json()).length > 0) await fetch('https://a.com/y', { method: 'POST' })",
  "const id = crypto.randomUUID(); await fetch('https://a.com/x', { method: 'POST', headers: { 'Idempotency-Key': id } })",
  "const key = Deno.env.get('KEY'); if (!key) throw new Error('no key'); await fetch('https://a.com/x', { headers: { a: key } })",
  "const key = process.env.KEY; if (!key) { console.error('no'); process.exit(1) } await fetch('https://a.com/x', { headers: { a: key } })",
  "const key = Deno.env.get('KEY'); if (key) await fetch('https://a.com/x', { headers: { a: key } })",
  "const debug = Deno.env.get('DEBUG') === '1'; if (debug) console.log('x'); await fetch('https://a.com/x')",
  "let expires = 0, token = ''; async function auth() { if (Date.now() > expires) { const r = await (await fetch('https://a.com/token', { method: 'POST' })).json(); token = r.token; expires = Date.now() + r.expires_in * 1000 } return token } await fetch('https://a.com/x', { headers: { a: await auth() } })",
  "const cache = { expiresAt: 0 }; async function auth() { if (cache.expiresAt < Date.now()) { await fetch('https://a.com/token', { method: 'POST' }); cache.expiresAt = Date.now() + 1000 } } await auth()",
  "for (const t of await (await fetch('https://a.com/x')).json()) if (new Date(t.due) < new Date()) await fetch(`https://a.com/x/${t.id}/remind`, { method: 'POST' })",
  "const start = Date.now(); while (Date.now() - start < 60000) { const r = await fetch('https://a.com/x'); if (r.ok) break; await new Promise((d) => setTimeout(d, 1000)) }",
  "const deadline = Date.now() + 60000; for (;;) { if (Date.now() > deadline) throw new Error('late'); const r = await fetch('https://a.com/x'); if (r.ok) break }",
  "let calls = 0; async function get(p) { if (++calls > 90) throw new Error('too many'); return fetch('https://a.com/' + p) } await get('x')",
  "const a = 'caf\\u00e9 \\u2014 \\u{1f600}'",
  "const esc = '\\x1b[31mred\\x1b[0m'",
  'const re = /\\u0041\\x41/',
  "const price = '10\u00a0\u20ac'",
  "s.replace('\u00a0', ' ')",
  "if (s === '\\u00a0') t()",
  'const x = 1, y = 2, l = 3, i = 4; const line1 = 5, line2 = 6, item = 7, items = 8',
  "const s = 'a\u3002b'",
  "import z from './types.ts' with { type: 'json' }".replace("'./types.ts'", "'node:fs'"),
  "import type { Stripe } from 'npm:stripe'",
  'const re = /a/g; re.lastIndex = 0',
  'const list = []; list.total = 1; list[-1] = 2',
  "import { EventEmitter } from 'node:events'; EventEmitter.defaultMaxListeners = 50",
  "import https from 'node:https'; https.globalAgent.maxSockets = 5",
  'const object = Object, origin = x, Origin = y',
  "const pick = (l) => l[Math.floor(Math.random() * l.length)]; await fetch('https://a.com/quote/' + pick(['a', 'b']))",
  "if (require.main === module) fetch('https://a.com/x')",
  "if (import.meta.main) fetch('https://a.com/x')",
  "await fetch('https://a.com/x/{id}'.replace(/\\{(\\w+)\\}/g, (_, k) => o[k]))",
  'function f() { f.calls = (f.calls ?? 0) + 1 } f()',
  'label: for (const a of b) { continue label }',
  "const headers = new Headers({ a: 'b' }); headers.set('c', 'd'); await fetch('https://a.com/x', { headers })",
  "const u = new URL('https://a.com/x'); for (const [k, v] of Object.entries(q)) u.searchParams.set(k, v); await fetch(u)",
  'const sum = [1, 2].reduce((a, b) => a + b); document2.write(sum)',
  "const d = Object.getOwnPropertyDescriptor(x, 'y')",
  "const c = structuredClone(x); Object.defineProperty(c, 'y', { value: 1 })",
  'x.map(Function.prototype.call, String.prototype.trim)',
]

const PROGRAMS: Record<string, string> = {
  'a helper with constant call sites': `
    const BASE = 'https://api.stripe.com/v1'
    const key = Deno.env.get('STRIPE_KEY')
    const send = async (method: string, path: string, body?: Record<string, string>) => {
      const res = await fetch(BASE + path, {
        method,
        headers: { Authorization: 'Bearer ' + key, 'Content-Type': 'application/x-www-form-urlencoded' },
        body: body ? new URLSearchParams(body) : undefined,
      })
      if (!res.ok) throw new Error(\`\${method} \${path}: \${res.status}\`)
      return res.json()
    }
    const { data } = await send('GET', '/charges?limit=10')
    for (const charge of data) if (charge.disputed) await send('POST', \`/charges/\${charge.id}\`, { 'metadata[seen]': '1' })`,
  'pagination by cursor': `
    const all = []
    let cursor
    do {
      const url = new URL('https://api.x.com/v2/items')
      url.searchParams.set('limit', '100')
      if (cursor) url.searchParams.set('cursor', cursor)
      const page = await (await fetch(url, { headers: { Authorization: \`Bearer \${Deno.env.get('TOKEN')}\` } })).json()
      all.push(...page.items)
      cursor = page.next_cursor
    } while (cursor)
    console.log(JSON.stringify(all))`,
  'pagination by page number': `
    for (let page = 1; ; page++) {
      const res = await fetch(\`https://api.x.com/repos/acme/app/issues?page=\${page}&per_page=100\`)
      const rows = await res.json()
      if (rows.length === 0) break
      console.log(rows.map((r) => r.title).join('\\n'))
    }`,
  'retries with backoff': `
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
    async function get(path, attempt = 0) {
      const res = await fetch('https://api.x.com' + path)
      if ((res.status === 429 || res.status >= 500) && attempt < 5) {
        const wait = Number(res.headers.get('retry-after')) * 1000 || 2 ** attempt * 500 + Math.random() * 100
        await sleep(wait)
        return get(path, attempt + 1)
      }
      return res.json()
    }
    console.log(await get('/v1/things'))`,
  'a client class': `
    class GitHub {
      private readonly base = 'https://api.github.com'
      constructor(private readonly token: string) {}
      private async request<T>(method: string, path: string, body?: unknown): Promise<T> {
        const res = await fetch(\`\${this.base}\${path}\`, {
          method,
          headers: { Authorization: \`token \${this.token}\`, Accept: 'application/vnd.github+json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        })
        return (await res.json()) as T
      }
      issues(repo: string) { return this.request<unknown[]>('GET', \`/repos/acme/\${repo}/issues\`) }
      comment(repo: string, n: number, body: string) { return this.request('POST', \`/repos/acme/\${repo}/issues/\${n}/comments\`, { body }) }
    }
    const gh = new GitHub(process.env.GITHUB_TOKEN ?? '')
    const args = JSON.parse(process.env.OAUTH3_ARGS ?? '{}')
    for (const issue of await gh.issues(args.repo)) await gh.comment(args.repo, issue.number, 'Thanks!')`,
  'QuickJS with args': `
    const res = await fetch('https://api.x.com/search?q=' + encodeURIComponent(args.query))
    console.log(await res.text())`,
  'CommonJS with https': `
    const https = require('https')
    https.get({ hostname: 'api.x.com', path: '/v1/status', headers: { 'x-key': process.env.X_KEY } }, (res) => {
      let body = ''
      res.on('data', (chunk) => { body += chunk })
      res.on('end', () => console.log(JSON.parse(body).status))
    })`,
  'basic auth and a form': `
    const auth = btoa(\`\${Deno.env.get('SID')}:\${Deno.env.get('TOKEN')}\`)
    const form = new URLSearchParams({ To: '+15551234567', Body: 'Hello \u{1f44b}\ufe0f' })
    const res = await fetch(\`https://api.twilio.com/2010-04-01/Accounts/\${Deno.env.get('SID')}/Messages.json\`, {
      method: 'POST',
      headers: { Authorization: \`Basic \${auth}\` },
      body: form,
    })
    console.log(res.status)`,
  'timeouts and abort': `
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), 5000)
    try {
      const res = await fetch('https://api.x.com/v1/slow', { signal: controller.signal })
      console.log(await res.json())
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') console.log('timed out')
      else throw error
    } finally {
      clearTimeout(timer)
    }`,
}

describe('honest code', () => {
  it.each(SMALL)('%s', (code) => {
    expect(told(code)).toEqual([])
  })
  it.each(Object.entries(PROGRAMS))('%s', (_name, code) => {
    expect(told(code)).toEqual([])
    const { requests } = readJavaScript(code)
    expect(requests.length).toBeGreaterThan(0)
    expect(requests.every((one) => one.host !== null && one.method !== null && one.path !== null)).toBe(true)
  })
})
