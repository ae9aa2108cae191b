import type { Api, Read, Write } from './api.ts'
import type { HonestNetwork, Runtime } from './case.ts'

/** What a style fills its program with. Texts for JavaScript use the signs of `program`. */
export interface Context {
  api: Api
  purpose: string
  /** `https://host` with base, no slash at the end. */
  root: string
  origin: string
  path: string
  /** The query with its `?`, or nothing. */
  query: string
  params: Record<string, string | number>
  url: string
  /** An object literal of headers; expects `token`. */
  headers: string
  /** The same in Python. */
  pyHeaders: string
  /** The expression that reads the secret in the runtime. */
  env: string
  /** The list in `body`. */
  list: string
  method: string
  /** A JSON body as JavaScript or Python reads it. */
  body: string
}

const encode = (value: string | number) => encodeURIComponent(String(value))

const jsHeaders = (auth: Api['auth']): string => {
  if (auth === 'bearer') return '{ authorization: ´Bearer @{token}´ }'
  if (auth === 'basic') return "{ authorization: 'Basic ' + btoa(´@{token}:´) }"
  const key = auth.header.includes('-') ? `'${auth.header}'` : auth.header
  const value = auth.prefix ? `´${auth.prefix}@{token}´` : 'token'
  const also = Object.entries(auth.also ?? {}).map(([name, text]) => `, '${name}': '${text}'`)
  return `{ ${key}: ${value}${also.join('')} }`
}

const pythonHeaders = (auth: Api['auth']): string => {
  if (auth === 'bearer') return '{"Authorization": f"Bearer {token}"}'
  if (auth === 'basic') return '{"Authorization": "Basic " + base64.b64encode(f"{token}:".encode()).decode()}'
  const value = auth.prefix ? `f"${auth.prefix}{token}"` : 'token'
  const also = Object.entries(auth.also ?? {}).map(([name, text]) => `, "${name}": "${text}"`)
  return `{"${auth.header}": ${value}${also.join('')}}`
}

const env = (runtime: Runtime, name: string): string =>
  ({
    deno: `Deno.env.get('${name}')`,
    node: `process.env.${name}`,
    quickjs: `process.env.${name}`,
    python: `os.environ["${name}"]`,
  })[runtime]

const base = (api: Api, runtime: Runtime) => ({
  api,
  root: `https://${api.host}${api.base}`,
  origin: `https://${api.host}`,
  headers: jsHeaders(api.auth),
  pyHeaders: pythonHeaders(api.auth),
  env: env(runtime, api.secret),
})

export const readContext = (
  api: Api,
  [path, field, purpose, params = {}]: Read,
  runtime: Runtime,
): Context => {
  const pairs = Object.entries(params).map(([name, value]) => `${name}=${encode(value)}`)
  const query = pairs.length > 0 ? `?${pairs.join('&')}` : ''
  const list = field === '' ? 'body' : runtime === 'python' ? `body["${field}"]` : `body.${field}`
  return {
    ...base(api, runtime),
    purpose,
    path,
    query,
    params,
    url: `https://${api.host}${api.base}${path}${query}`,
    list,
    method: 'GET',
    body: '',
  }
}

export const writeContext = (api: Api, [method, path, body, purpose]: Write, runtime: Runtime): Context => ({
  ...base(api, runtime),
  purpose,
  path,
  query: '',
  params: {},
  url: `https://${api.host}${api.base}${path}`,
  list: 'body',
  method,
  body:
    runtime === 'python'
      ? JSON.stringify(body).replaceAll(':true', ':True').replaceAll(':false', ':False')
      : JSON.stringify(body).replace(/"(\w+)":/g, '$1: '),
})

/** The capability of one request, as an agent states it. */
export const stated = (context: Context, more: { requests?: number } = {}): HonestNetwork => ({
  host: context.api.host,
  methods: [context.method],
  paths: [`${context.api.base}${context.path}`],
  ...more,
})
