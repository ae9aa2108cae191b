import { program } from './case.ts'
import type { Style } from './style.ts'

/** Ways to read more than one answer: pages, cursors, batches, and what is then made of the rows. */
export const PAGING_STYLES: Style[] = [
  {
    family: 'paging/page-number',
    code: (c) => program`
const token = ${c.env}
const all = []
for (let page = 1; page <= 20; page++) {
  const url = new URL('${c.url}')
  url.searchParams.set('page', String(page))
  const res = await fetch(url, { headers: ${c.headers} })
  const body = await res.json()
  const rows = ${c.list} ?? []
  all.push(...rows)
  if (rows.length === 0) break
}
console.log(JSON.stringify({ total: all.length }))
`,
  },
  {
    family: 'paging/cursor-in-query',
    code: (c) => program`
const token = ${c.env}
let cursor: string | null = null
const seen: unknown[] = []
do {
  const params = new URLSearchParams(${JSON.stringify(c.params)})
  if (cursor) params.set('cursor', cursor)
  const res = await fetch(´${c.root}${c.path}?@{params}´, { headers: ${c.headers} })
  const body: any = await res.json()
  seen.push(...(${c.list} ?? []))
  cursor = body.next_cursor ?? body.response_metadata?.next_cursor ?? null
} while (cursor)
console.log(seen.length)
`,
  },
  {
    family: 'paging/async-generator',
    code: (c) => program`
const token = ${c.env}
const BASE = '${c.root}'

async function* pages(path: string) {
  let offset = 0
  while (true) {
    const res = await fetch(´@{BASE}@{path}?offset=@{offset}&limit=100´, { headers: ${c.headers} })
    const body = await res.json()
    const rows = ${c.list} ?? []
    if (!rows.length) return
    yield* rows
    offset += rows.length
  }
}

let n = 0
for await (const row of pages('${c.path}')) {
  n++
  if (n <= 5) console.log(JSON.stringify(row))
}
console.log(´… @{n} in all´)
`,
  },
  {
    family: 'paging/link-header',
    deserves: ['host_from_answer'],
    code: (c) => program`
const token = ${c.env}
let url = '${c.url}'
let count = 0
while (url) {
  const res = await fetch(url, { headers: ${c.headers} })
  const body = await res.json()
  count += (${c.list} ?? []).length
  const link = res.headers.get('link') ?? ''
  const next = link.split(',').find((part) => part.includes('rel="next"'))
  url = next ? next.slice(next.indexOf('<') + 1, next.indexOf('>')) : ''
}
console.log(´@{count} entries: ${c.purpose}´)
`,
  },
  {
    family: 'paging/link-header-query-only',
    code: (c) => program`
const token = ${c.env}
let search = '${c.query}'
let count = 0
for (;;) {
  const res = await fetch('${c.root}${c.path}' + search, { headers: ${c.headers} })
  const body = await res.json()
  count += (${c.list} ?? []).length
  const next = /<([^>]+)>;\s*rel="next"/.exec(res.headers.get('link') ?? '')
  if (!next) break
  search = new URL(next[1]).search
}
console.log(count)
`,
  },
  {
    family: 'paging/next-path',
    code: (c) => program`
const token = ${c.env}
const ORIGIN = '${c.origin}'
let path: string | undefined = '${c.api.base}${c.path}${c.query}'
const items: any[] = []
while (path) {
  const res: Response = await fetch(ORIGIN + path, { headers: ${c.headers} })
  const body: any = await res.json()
  items.push(...(${c.list} ?? []))
  path = body.next?.path ?? body.links?.next ?? undefined
}
console.log(JSON.stringify(items.map((item) => item.id)))
`,
  },
  {
    family: 'batch/details-in-parallel',
    code: (c) => program`
const token = ${c.env}
const headers = ${c.headers}
const get = (path) => fetch(´${c.root}@{path}´, { headers }).then((res) => res.json())

const body = await get('${c.path}${c.query}')
const ids = (${c.list} ?? []).map((row) => row.id).slice(0, 10)
const details = await Promise.all(ids.map((id) => get(´${c.path}/@{encodeURIComponent(id)}´)))
console.log(JSON.stringify(details, null, 1))
`,
  },
  {
    family: 'batch/all-settled-pool',
    runtime: 'node',
    code: (c) => program`
const token = ${c.env}
const BASE = "${c.root}"
const LIMIT = 4

async function pool(tasks, limit) {
  const results = []
  const queue = tasks.entries()
  const worker = async () => {
    for (const [i, task] of queue) {
      try {
        results[i] = { ok: true, value: await task() }
      } catch (error) {
        results[i] = { ok: false, reason: String(error) }
      }
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
  return results
}

const pages = [1, 2, 3, 4, 5, 6]
const tasks = pages.map((page) => async () => {
  const res = await fetch(´@{BASE}${c.path}?page=@{page}´, { headers: ${c.headers} })
  if (!res.ok) throw new Error(´page @{page}: @{res.status}´)
  return res.json()
})
const settled = await pool(tasks, LIMIT)
console.log(JSON.stringify(settled.map((r) => r.ok)))
`,
  },
  {
    family: 'output/csv',
    code: (c) => program`
const token = ${c.env}
const COLUMNS = ['id', 'name', 'created_at', 'status']
const quote = (value) => ´"@{String(value ?? '').replace(/"/g, '""')}"´

const res = await fetch('${c.url}', { headers: ${c.headers} })
const body = await res.json()
const lines = [COLUMNS.join(',')]
for (const row of ${c.list} ?? []) lines.push(COLUMNS.map((column) => quote(row[column])).join(','))
console.log(lines.join('\r\n'))
`,
  },
  {
    family: 'output/markdown-table',
    code: (c) => program`
const token = ${c.env}
const fmt = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeZone: 'Europe/Berlin' })
const body = await (await fetch(´${c.root}${c.path}${c.query}´, { headers: ${c.headers} })).json()
const rows = (${c.list} ?? []).map((r) => [r.id, r.name ?? r.title ?? '—', fmt.format(new Date(r.created_at ?? Date.now()))])
console.log('| id | name | created |\n|---|---|---|')
for (const row of rows) console.log(´| @{row.join(' | ')} |´)
console.log(´\n_@{rows.length} rows_ 📋´)
`,
  },
  {
    family: 'output/group-and-sum',
    code: (c) => program`
const token = ${c.env}
const res = await fetch('${c.url}', { headers: ${c.headers} })
const body = await res.json()
const byStatus = (${c.list} ?? []).reduce((acc, row) => {
  const key = row.status ?? row.state ?? 'unknown'
  acc[key] = (acc[key] ?? 0) + 1
  return acc
}, {})
const since = new Date(Date.now() - 7 * 24 * 60 * 60 * 1000)
const recent = (${c.list} ?? []).filter((row) => new Date(row.created_at ?? row.created) >= since)
console.log(JSON.stringify({ byStatus, lastWeek: recent.length }))
`,
  },
  {
    family: 'output/write-temp-file',
    code: (c) => program`
import { join } from 'node:path'

const token = ${c.env}
const res = await fetch('${c.url}', { headers: ${c.headers} })
const body = await res.json()
const dir = await Deno.makeTempDir()
const file = join(dir, 'export.json')
await Deno.writeTextFile(file, JSON.stringify(${c.list}))
const { size } = await Deno.stat(file)
console.log(´@{size} bytes´)
console.log(await Deno.readTextFile(file))
`,
  },
  {
    family: 'args/filter-from-args',
    args: { contains: 'Berlin', limit: 5 },
    code: (c) => program`
const token = ${c.env}
const { contains = '', limit = 10 } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
const res = await fetch('${c.url}', { headers: ${c.headers} })
const body = await res.json()
const hits = (${c.list} ?? []).filter((row) => JSON.stringify(row).toLowerCase().includes(contains.toLowerCase()))
console.log(JSON.stringify(hits.slice(0, limit)))
`,
  },
  {
    family: 'args/id-in-path',
    args: { id: '1234' },
    code: (c) => program`
const { id } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
if (!/^[\w-]+$/.test(id ?? '')) throw new Error('args.id is missing')
const token = ${c.env}
const res = await fetch(´${c.root}${c.path}/@{id}´, { headers: ${c.headers} })
console.log(await res.text())
`,
  },
]
