import { program } from './case.ts'
import type { Style } from './style.ts'

/** Ways to change one thing, as the description says. */
export const WRITE_STYLES: Style[] = [
  {
    family: 'write/top-level-await',
    code: (c) => program`
const token = ${c.env}
const response = await fetch('${c.url}', {
  method: '${c.method}',
  headers: { ...${c.headers}, 'content-type': 'application/json' },
  body: JSON.stringify(${c.body}),
})
const text = await response.text()
if (!response.ok) throw new Error(´@{response.status} @{text}´)
console.log(text)
`,
  },
  {
    family: 'write/send-helper',
    code: (c) => program`
const BASE = '${c.root}'
const token = ${c.env}

const send = async (method: string, path: string, body?: unknown) => {
  const res = await fetch(´@{BASE}@{path}´, {
    method,
    headers: { ...${c.headers}, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!res.ok) throw new Error(´@{method} @{path} -> @{res.status}´)
  return res.status === 204 ? undefined : res.json()
}

const result = await send('${c.method}', '${c.path}', ${c.body})
console.log(JSON.stringify({ done: true, id: result?.id }))
`,
  },
  {
    family: 'write/stated-capability',
    stated: true,
    code: (c) => program`
const token = ${c.env}
const payload = ${c.body}
const answer = await fetch('${c.url}', {
  method: '${c.method}',
  headers: { 'content-type': 'application/json', ...${c.headers} },
  body: JSON.stringify(payload),
})
console.log(answer.status, await answer.text())
`,
  },
  {
    family: 'write/client-with-verbs',
    code: (c) => program`
class Http {
  constructor(base, headers) {
    this.base = base
    this.headers = headers
  }
  async request(method, path, body) {
    const res = await fetch(this.base + path, {
      method,
      headers: { ...this.headers, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    })
    if (!res.ok) throw new Error(´@{method} @{path}: @{res.status}´)
    return res.text()
  }
  get(path) { return this.request('GET', path) }
  post(path, body) { return this.request('POST', path, body) }
  put(path, body) { return this.request('PUT', path, body) }
  patch(path, body) { return this.request('PATCH', path, body) }
  delete(path, body) { return this.request('DELETE', path, body) }
}

const token = ${c.env}
const http = new Http('${c.root}', ${c.headers})
console.log(await http.${c.method.toLowerCase()}('${c.path}', ${c.body}))
`,
  },
  {
    family: 'write/node-with-idempotency-key',
    runtime: 'node',
    code: (c) => program`
import { createHash } from 'node:crypto'

const token = ${c.env}
const payload = JSON.stringify(${c.body})
const key = createHash('sha256').update('${c.path}' + payload).digest('hex').slice(0, 32)

async function attempt(n = 1) {
  const res = await fetch('${c.url}', {
    method: '${c.method}',
    headers: { ...${c.headers}, 'content-type': 'application/json', 'idempotency-key': key },
    body: payload,
  })
  if (res.status >= 500 && n < 3) {
    await new Promise((r) => setTimeout(r, n * 500))
    return attempt(n + 1)
  }
  return res
}

const res = await attempt()
console.log(res.status, await res.text())
if (!res.ok) process.exit(1)
`,
  },
  {
    family: 'write/quickjs',
    runtime: 'quickjs',
    code: (c) => program`
const token = ${c.env}
const res = await fetch('${c.url}', {
  method: '${c.method}',
  headers: Object.assign({ 'content-type': 'application/json' }, ${c.headers}),
  body: JSON.stringify(${c.body}),
})
console.log(res.ok ? 'done' : 'failed with ' + res.status)
`,
  },
  {
    family: 'write/stated-dry-run-in-args',
    args: { dry_run: false },
    deserves: ['mode_from_args'],
    code: (c) => program`
const { dry_run = true } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const token = ${c.env}
const payload = ${c.body}
if (dry_run === true) {
  console.log('Would send ${c.method} ${c.path}:', JSON.stringify(payload))
} else {
  const res = await fetch('${c.url}', {
    method: '${c.method}',
    headers: { ...${c.headers}, 'content-type': 'application/json' },
    body: JSON.stringify(payload),
  })
  console.log(res.status, await res.text())
}
`,
  },
]
