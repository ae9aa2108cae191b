import { program } from './case.ts'
import type { Style } from './style.ts'

/** Ways to read a list from an API in JavaScript, from the shortest to small clients. */
export const READ_STYLES: Style[] = [
  {
    family: 'read/top-level-await',
    code: (c) => program`
const token = ${c.env}
const response = await fetch('${c.url}', { headers: ${c.headers} })
if (!response.ok) throw new Error(´@{response.status} @{await response.text()}´)
const body = await response.json()
console.log(JSON.stringify(${c.list}, null, 2))
`,
  },
  {
    family: 'read/main-function',
    code: (c) => program`
const BASE_URL = '${c.root}'

async function main() {
  const token = ${c.env}
  if (!token) {
    console.error('${c.api.secret} is not set')
    Deno.exit(1)
  }
  const res = await fetch(´@{BASE_URL}${c.path}${c.query}´, { method: 'GET', headers: ${c.headers} })
  const body = await res.json()
  const items = ${c.list} ?? []
  console.log(´Found @{items.length} entries (${c.purpose})´)
  for (const item of items) console.log(' -', item.name ?? item.title ?? item.id)
}

await main()
`,
  },
  {
    family: 'read/url-and-search-params',
    code: (c) => program`
const token = ${c.env} ?? ''
const url = new URL('${c.api.base}${c.path}', '${c.origin}')
${Object.entries(c.params)
  .map(([name, value]) => `url.searchParams.set('${name}', '${value}')`)
  .join('\n')}
const res = await fetch(url, { headers: { accept: 'application/json', ...${c.headers} } })
if (res.status === 401) throw new Error('The token is not accepted')
const body = await res.json()
console.log(JSON.stringify({ count: (${c.list} ?? []).length, at: new Date().toISOString() }))
`,
  },
  {
    family: 'read/send-helper',
    code: (c) => program`
const token = ${c.env}
const API = '${c.root}'

async function send(method, path, payload) {
  const res = await fetch(API + path, {
    method,
    headers: { ...${c.headers}, 'content-type': 'application/json' },
    body: payload === undefined ? undefined : JSON.stringify(payload),
  })
  const text = await res.text()
  if (!res.ok) throw new Error(´@{method} @{path}: @{res.status} @{text.slice(0, 200)}´)
  return text ? JSON.parse(text) : null
}

const body = await send('GET', '${c.path}${c.query}')
console.log(JSON.stringify(${c.list}))
`,
  },
  {
    family: 'read/client-class',
    code: (c) => program`
interface Item { id?: string | number; name?: string; title?: string; [key: string]: unknown }

class Client {
  #token: string
  readonly baseUrl = '${c.root}'

  constructor(token: string) {
    this.#token = token
  }

  private async get<T>(path: string): Promise<T> {
    const token = this.#token
    const res = await fetch(´@{this.baseUrl}@{path}´, { headers: ${c.headers} })
    if (!res.ok) throw new Error(´GET @{path} failed with @{res.status}´)
    return (await res.json()) as T
  }

  async list(): Promise<Item[]> {
    const body = await this.get<any>('${c.path}${c.query}')
    return ${c.list}
  }
}

const client = new Client(${c.env}!)
for (const item of await client.list()) console.log(item.id, item.name ?? item.title ?? '(no name)')
`,
  },
  {
    family: 'read/sdk-closure',
    code: (c) => program`
const createClient = ({ token, baseUrl = '${c.root}' }) => {
  const request = async (path, init = {}) => {
    const res = await fetch(´@{baseUrl}@{path}´, { ...init, headers: { ...${c.headers}, ...init.headers } })
    if (!res.ok) throw Object.assign(new Error(res.statusText), { status: res.status })
    return res.json()
  }
  return {
    list: (params = {}) => request('${c.path}?' + new URLSearchParams(params)),
  }
}

const client = createClient({ token: ${c.env} })
const body = await client.list(${JSON.stringify(c.params)})
console.table(${c.list})
`,
  },
  {
    family: 'read/retry-with-backoff',
    code: (c) => program`
const token = ${c.env}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function fetchWithRetry(url, init, attempts = 5) {
  for (let attempt = 1; ; attempt++) {
    const res = await fetch(url, init)
    if (res.ok) return res
    if (attempt === attempts || (res.status < 500 && res.status !== 429)) {
      throw new Error(´@{res.status} after @{attempt} attempts´)
    }
    const wait = Number(res.headers.get('retry-after')) * 1000 || 2 ** attempt * 250 + Math.random() * 250
    console.error(´attempt @{attempt} got @{res.status}, waiting @{Math.round(wait)} ms´)
    await sleep(wait)
  }
}

const res = await fetchWithRetry('${c.url}', { headers: ${c.headers} })
const body = await res.json()
console.log(JSON.stringify(${c.list}))
`,
  },
  {
    family: 'read/abort-timeout',
    code: (c) => program`
const token = ${c.env}
const controller = new AbortController()
const timer = setTimeout(() => controller.abort(), 10_000)
try {
  const res = await fetch('${c.url}', { headers: ${c.headers}, signal: controller.signal })
  const body = await res.json()
  console.log(JSON.stringify({ ok: res.ok, items: ${c.list} }))
} catch (error) {
  if (error instanceof DOMException && error.name === 'AbortError') console.error('${c.api.name} took longer than 10 s')
  else throw error
} finally {
  clearTimeout(timer)
}
`,
  },
  {
    family: 'read/abort-signal-timeout-node',
    runtime: 'node',
    code: (c) => program`
import process from 'node:process'

const token = process.env.${c.api.secret}
if (!token) throw new Error('Missing ${c.api.secret}')

const response = await fetch("${c.url}", {
  headers: ${c.headers},
  signal: AbortSignal.timeout(15_000),
})
const body = await response.json()
process.stdout.write(JSON.stringify(${c.list}, null, 2) + "\n")
process.exitCode = response.ok ? 0 : 1
`,
  },
  {
    family: 'read/request-object',
    code: (c) => program`
const token = ${c.env}
const headers = new Headers(${c.headers})
headers.set('accept', 'application/json')
const request = new Request('${c.url}', { method: 'GET', headers })
const response = await fetch(request)
const body = await response.json()
const rows = ${c.list}
console.log(Array.isArray(rows) ? rows.length : Object.keys(rows).length)
`,
  },
  {
    family: 'read/method-table',
    code: (c) => program`
const ENDPOINTS = {
  list: { method: 'GET', path: '${c.path}${c.query}' },
} as const
type Endpoint = keyof typeof ENDPOINTS

const call = async (name: Endpoint) => {
  const token = ${c.env}
  const { method, path } = ENDPOINTS[name]
  const res = await fetch('${c.root}' + path, { method, headers: ${c.headers} })
  return res.json()
}

const body = await call('list')
console.log(JSON.stringify(${c.list}))
`,
  },
  {
    family: 'read/one-liner',
    code: (
      c,
    ) => program`const token=${c.env};fetch("${c.url}",{headers:${c.headers}}).then(r=>r.ok?r.json():Promise.reject(new Error("HTTP "+r.status))).then(body=>console.log(JSON.stringify(${c.list}))).catch(e=>{console.error(String(e));Deno.exit(1)})
`,
  },
  {
    family: 'read/commonjs-https',
    runtime: 'node',
    code: (c) => program`
const https = require('node:https')
const token = ${c.env}

https
  .get('${c.url}', { headers: ${c.headers} }, (res) => {
    let data = ''
    res.setEncoding('utf8')
    res.on('data', (chunk) => (data += chunk))
    res.on('end', () => {
      const body = JSON.parse(data)
      console.log(JSON.stringify(${c.list}))
    })
  })
  .on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
`,
  },
  {
    family: 'read/quickjs',
    runtime: 'quickjs',
    code: (c) => program`
const token = ${c.env}
const res = await fetch('${c.url}', { headers: ${c.headers} })
if (!res.ok) throw new Error('HTTP ' + res.status)
const body = await res.json()
const rows = ${c.list} || []
console.log(rows.length + ' rows')
`,
  },
  {
    family: 'read/stated-capability',
    stated: true,
    code: (c) => program`
const token = ${c.env}
const answer = await fetch('${c.url}', { headers: ${c.headers} })
if (!answer.ok) throw new Error(´@{answer.status} @{await answer.text()}´)
const body = await answer.json()
console.log(JSON.stringify(${c.list}))
`,
  },
]
