import { program } from '../honest/case.ts'
import type { Api } from './honest-apis.ts'

/** A way to write a program, for whichever API. */
export interface Style {
  family: string
  runtime: 'deno' | 'node' | 'quickjs' | 'python'
  kind: 'read' | 'write'
  code: (a: Api) => string
  deserves?: string[]
}

const denoHeaders = (a: Api): string => `{ '${a.header}': \`${a.scheme}\${Deno.env.get('${a.token}')}\` }`
const nodeHeaders = (a: Api): string => `{ '${a.header}': \`${a.scheme}\${process.env.${a.token}}\` }`
const read = (
  family: string,
  runtime: Style['runtime'],
  code: Style['code'],
  deserves?: string[],
): Style => ({ family, runtime, kind: 'read', code, ...(deserves ? { deserves } : {}) })

export const jsStyles: Style[] = [
  read(
    'class-client',
    'deno',
    (a) => program`
class ${a.id[0]?.toUpperCase() ?? 'A'}${a.id.slice(1)}Client {
  #headers: Record<string, string>
  readonly base = 'https://${a.host}'

  constructor(token: string) {
    this.#headers = { '${a.header}': ´${a.scheme}@{token}´, accept: 'application/json' }
  }

  async #get<T>(path: string): Promise<T> {
    const answer = await fetch(this.base + path, { headers: this.#headers })
    if (!answer.ok) throw new Error(´@{answer.status} @{await answer.text()}´)
    return (await answer.json()) as T
  }

  list() {
    return this.#get<{ ${a.key}?: { ${a.name}: string }[] }>('${a.list}')
  }

  one(id: string) {
    return this.#get<Record<string, unknown>>(´${a.item.replace(/\/$/, '')}/@{encodeURIComponent(id)}´)
  }
}

const client = new ${a.id[0]?.toUpperCase() ?? 'A'}${a.id.slice(1)}Client(Deno.env.get('${a.token}') ?? '')
const { id } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}') as { id?: string }
console.log(JSON.stringify(id ? await client.one(id) : await client.list()))
`,
  ),
  read(
    'retry-wrapper',
    'node',
    (a) => program`
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

async function withRetry(run, { attempts = 4, base = 250 } = {}) {
  let last
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      return await run(attempt)
    } catch (error) {
      last = error
      await pause(base * 2 ** attempt * (0.5 + Math.random() / 2))
    }
  }
  throw last
}

const ${a.key} = await withRetry(async () => {
  const r = await fetch('https://${a.host}${a.list}', { headers: ${nodeHeaders(a)} })
  if (r.status === 429 || r.status >= 500) throw new Error('HTTP ' + r.status)
  return r.json()
})
console.log(JSON.stringify(${a.key}, null, 2))
`,
  ),
  read(
    'functional-pipe',
    'deno',
    (a) => program`
const pipe = (...steps) => (input) => steps.reduce((value, step) => value.then(step), Promise.resolve(input))
const request = (path) => fetch('https://${a.host}' + path, { headers: ${denoHeaders(a)} })
const ensure = (r) => (r.ok ? r : Promise.reject(new Error(r.status + ' ' + r.statusText)))
const toJson = (r) => r.json()
const names = (answer) => (answer.${a.key} ?? answer).map((entry) => entry.${a.name})

console.log(JSON.stringify(await pipe(request, ensure, toJson, names)('${a.list}')))
`,
  ),
  read(
    'url-builder',
    'deno',
    (a) => program`
const API = new URL('https://${a.host}')

function endpoint(path: string, query: Record<string, string | number | undefined> = {}): URL {
  const url = new URL(path, API)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

const { limit = 20, q } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const response = await fetch(endpoint('${a.list}', { limit, q }), {
  headers: new Headers(${denoHeaders(a)}),
  signal: AbortSignal.timeout(15_000),
})
if (!response.ok) {
  console.error(await response.text())
  Deno.exit(1)
}
console.log(await response.text())
`,
  ),
  read(
    'page-generator',
    'node',
    (a) => program`
const headers = ${nodeHeaders(a)}

async function* pages(path) {
  let page = 1
  while (true) {
    const url = new URL(path, 'https://${a.host}')
    url.searchParams.set('page', page)
    url.searchParams.set('per_page', 50)
    const r = await fetch(url, { headers })
    if (!r.ok) throw new Error(´@{r.status} on page @{page}´)
    const body = await r.json()
    const rows = Array.isArray(body) ? body : (body.${a.key} ?? [])
    yield* rows
    if (rows.length < 50 || page >= 20) return
    page += 1
  }
}

let count = 0
for await (const row of pages('${a.list}')) {
  count += 1
  console.log(row.${a.name})
}
console.error(´@{count} ${a.noun}´)
`,
  ),
  read(
    'cursor-pages',
    'deno',
    (a) => program`
const headers = ${denoHeaders(a)}
const all = []
let cursor: string | undefined
do {
  const query = new URLSearchParams({ limit: '100', ...(cursor ? { cursor } : {}) })
  const r = await fetch(´https://${a.host}${a.list}?@{query}´, { headers })
  if (!r.ok) throw new Error(await r.text())
  const page = await r.json()
  all.push(...(page.${a.key} ?? []))
  cursor = page.next_cursor ?? page.meta?.next ?? undefined
} while (cursor && all.length < 1000)
console.log(JSON.stringify(all.map((entry) => ({ name: entry.${a.name} }))))
`,
  ),
  read(
    'commonjs-https',
    'node',
    (a) => program`
const https = require('node:https')

function get(path) {
  return new Promise((resolve, reject) => {
    const request = https.request(
      { hostname: '${a.host}', path, method: 'GET', headers: ${nodeHeaders(a)} },
      (response) => {
        const chunks = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          if (response.statusCode >= 400) reject(new Error(response.statusCode + ': ' + text))
          else resolve(JSON.parse(text))
        })
      },
    )
    request.on('error', reject)
    request.end()
  })
}

get('${a.list}')
  .then((answer) => console.log(JSON.stringify(answer)))
  .catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
`,
  ),
  read(
    'plain-quickjs',
    'quickjs',
    (a) => program`
const response = await fetch('https://${a.host}${a.list}', { headers: ${nodeHeaders(a)} })
if (!response.ok) throw new Error('HTTP ' + response.status)
const answer = await response.json()
const rows = answer.${a.key} || answer
const wanted = (args && args.match ? String(args.match) : '').toLowerCase()
const found = rows.filter((row) => String(row.${a.name}).toLowerCase().includes(wanted))
console.log(JSON.stringify({ total: rows.length, found: found.map((row) => row.${a.name}) }))
`,
  ),
  read(
    'several-at-once',
    'deno',
    (a) => program`
const headers = ${denoHeaders(a)}
const get = async (path: string) => {
  const r = await fetch(´https://${a.host}@{path}´, { headers })
  return r.ok ? r.json() : { error: r.status }
}

const ids: string[] = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}').ids ?? ['1', '2']
const [list, ...details] = await Promise.all([
  get('${a.list}'),
  ...ids.map((id) => get('${a.item.replace(/\/$/, '')}/' + encodeURIComponent(id))),
])
console.log(JSON.stringify({ list, details }))
`,
  ),
]
