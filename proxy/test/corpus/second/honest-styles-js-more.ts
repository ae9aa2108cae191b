import { program } from '../honest/case.ts'
import type { Api } from './honest-apis.ts'
import type { Style } from './honest-styles-js.ts'

const denoHeaders = (a: Api): string => `{ '${a.header}': \`${a.scheme}\${Deno.env.get('${a.token}')}\` }`
const nodeHeaders = (a: Api): string => `{ '${a.header}': \`${a.scheme}\${process.env.${a.token}}\` }`
const read = (
  family: string,
  runtime: Style['runtime'],
  code: Style['code'],
  deserves?: string[],
): Style => ({ family, runtime, kind: 'read', code, ...(deserves ? { deserves } : {}) })
const write = (family: string, runtime: Style['runtime'], code: Style['code']): Style => ({
  family,
  runtime,
  kind: 'write',
  code,
})

export const jsStylesMore: Style[] = [
  read(
    'typed-result',
    'deno',
    (a) => program`
type Ok<T> = { ok: true; value: T }
type Err = { ok: false; error: string }
type Result<T> = Ok<T> | Err

interface Row {
  ${a.name}: string
  created_at?: string
}

const token = Deno.env.get('${a.token}')
if (!token) throw new Error('${a.token} is not set')

async function rows(): Promise<Result<Row[]>> {
  const request = new Request('https://${a.host}${a.list}', {
    method: 'GET',
    headers: { '${a.header}': '${a.scheme}' + token, accept: 'application/json' },
  })
  const response = await fetch(request)
  if (!response.ok) return { ok: false, error: ´@{response.status} @{response.statusText}´ }
  const body = await response.json()
  return { ok: true, value: (body['${a.key}'] ?? body) as Row[] }
}

const result = await rows()
switch (result.ok) {
  case true:
    for (const row of result.value) console.log(´- @{row.${a.name}} (@{row.created_at ?? 'no date'})´)
    break
  case false:
    console.error(result.error)
    Deno.exit(1)
}
`,
  ),
  write(
    'post-json',
    'deno',
    (a) => program`
const { title, note = '' } = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{}')
if (!title) throw new Error('args.title is missing')

const response = await fetch('https://${a.host}${a.write}', {
  method: 'POST',
  headers: { ...${denoHeaders(a)}, 'content-type': 'application/json' },
  body: JSON.stringify({ ${a.name}: title, note }),
})
const text = await response.text()
if (!response.ok) throw new Error(´@{response.status} @{text}´)
console.log(text)
`,
  ),
  write(
    'send-helper',
    'node',
    (a) => program`
const BASE = 'https://${a.host}'

async function send(method, path, body) {
  const response = await fetch(´@{BASE}@{path}´, {
    method,
    headers: {
      ...${nodeHeaders(a)},
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  if (!response.ok) throw new Error(´@{method} @{path}: @{response.status}´)
  return response.status === 204 ? null : response.json()
}

const get = (path) => send('GET', path)
const post = (path, body) => send('POST', path, body)

const args = JSON.parse(process.env.OAUTH3_ARGS ?? '{}')
const before = await get('${a.list}')
const known = (before.${a.key} ?? []).some((entry) => entry.${a.name} === args.name)
if (known) console.log('already there')
else console.log(JSON.stringify(await post('${a.write}', { ${a.name}: args.name })))
`,
  ),
  write(
    'form-encoded',
    'quickjs',
    (a) => program`
const form = new URLSearchParams()
form.set('${a.name}', args.name)
if (args.description) form.set('description', args.description)

const response = await fetch('https://${a.host}${a.write}', {
  method: 'POST',
  headers: { ...${nodeHeaders(a)}, 'content-type': 'application/x-www-form-urlencoded' },
  body: form.toString(),
})
console.log(response.status, await response.text())
`,
  ),
  write(
    'dry-run-args',
    'deno',
    (a) => program`
interface Args {
  names: string[]
  dryRun?: boolean
}

const args: Args = JSON.parse(Deno.env.get('OAUTH3_ARGS') ?? '{"names":[]}')
const dryRun = args.dryRun === true
const headers = { ...${denoHeaders(a)}, 'content-type': 'application/json' }

for (const name of args.names) {
  if (dryRun) {
    console.log(´would add @{name}´)
    continue
  }
  const r = await fetch('https://${a.host}${a.write}', {
    method: 'POST',
    headers,
    body: JSON.stringify({ ${a.name}: name }),
  })
  console.log(name, r.status)
}
`,
  ),
  write(
    'builder-pattern',
    'node',
    (a) => program`
class Call {
  constructor() {
    this.init = { method: 'GET', headers: ${nodeHeaders(a)} }
    this.path = '/'
  }

  to(path) {
    this.path = path
    return this
  }

  json(body) {
    this.init.body = JSON.stringify(body)
    this.init.headers['content-type'] = 'application/json'
    return this
  }

  post() {
    this.init.method = 'POST'
    return this
  }

  run() {
    return fetch('https://${a.host}' + this.path, this.init)
  }
}

const { name } = JSON.parse(process.env.OAUTH3_ARGS ?? '{}')
const answer = await new Call().to('${a.write}').json({ ${a.name}: name }).post().run()
console.log(answer.status, await answer.text())
`,
  ),
  read(
    'proxy-client',
    'deno',
    (a) => program`
const headers = ${denoHeaders(a)}
const call = (method: string, path: string) => fetch('https://${a.host}' + path, { method, headers }).then((r) => r.json())
const api = new Proxy({} as Record<string, (path: string) => Promise<unknown>>, {
  get: (_, method: string) => (path: string) => call(method.toUpperCase(), path),
})
console.log(JSON.stringify(await api.get('${a.list}')))
`,
    ['any_method', 'any_path'],
  ),
]
