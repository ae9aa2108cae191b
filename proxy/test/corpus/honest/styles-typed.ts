import { program } from './case.ts'
import type { Style } from './style.ts'

/** Ways in which TypeScript and larger structures show: types, hierarchies, comments, headers of files. */
export const TYPED_STYLES: Style[] = [
  {
    family: 'typed/enum-and-generics',
    code: (c) => program`
enum Status { Ok = 200, Created = 201, TooMany = 429 }

type Result<T> = { ok: true; value: T } | { ok: false; status: number }

async function getJson<T extends object>(url: string, headers: Record<string, string>): Promise<Result<T>> {
  const res = await fetch(url, { headers })
  if (res.status !== Status.Ok) return { ok: false, status: res.status }
  return { ok: true, value: (await res.json()) as T }
}

const token = ${c.env} as string
const result = await getJson<Record<string, unknown[]>>('${c.url}', ${c.headers})
if (result.ok) {
  const body = result.value
  console.log(JSON.stringify(body))
} else console.error(´HTTP @{result.status}@{result.status === Status.TooMany ? ' (slow down)' : ''}´)
`,
  },
  {
    family: 'typed/satisfies-config',
    code: (c) => program`
interface Config { baseUrl: ´https://@{string}´; secret: string; timeoutMs: number }

const config = {
  baseUrl: '${c.root}',
  secret: '${c.api.secret}',
  timeoutMs: 12_000,
} satisfies Config

const token = Deno.env.get(config.secret)!
const res = await fetch(´@{config.baseUrl}${c.path}${c.query}´, {
  headers: ${c.headers},
  signal: AbortSignal.timeout(config.timeoutMs),
})
const body = await res.json()
console.log((${c.list} as unknown[])?.length ?? 0)
`,
  },
  {
    family: 'typed/class-hierarchy',
    code: (c) => program`
abstract class Job {
  abstract run(): Promise<unknown>
  get label() {
    return this.constructor.name
  }
  async execute() {
    const started = performance.now()
    const result = await this.run()
    console.error(´@{this.label} took @{Math.round(performance.now() - started)} ms´)
    return result
  }
}

class HttpError extends Error {
  constructor(readonly status: number, message: string) {
    super(message)
    this.name = this.constructor.name
  }
}

class ListJob extends Job {
  async run() {
    const token = ${c.env}
    const res = await fetch('${c.url}', { headers: ${c.headers} })
    if (!res.ok) throw new HttpError(res.status, await res.text())
    const body = await res.json()
    return ${c.list}
  }
}

console.log(JSON.stringify(await new ListJob().execute()))
`,
  },
  {
    family: 'typed/license-jsdoc-export',
    code: (c) => program`
/*!
 * Copyright (c) 2026 Acme GmbH. MIT License, https://opensource.org/licenses/MIT
 * Permission is hereby granted, free of charge, to any person obtaining a copy of this software …
 */

/** Base address, see https://example.com/docs/api#base */
export const API = '${c.root}'

/**
 * Reads ${c.purpose}.
 * @param {string} token the key of ${c.api.name}
 * @returns {Promise<object[]>} what the API answers
 * @see {@link https://developer.example.com/reference}
 */
export async function list(token) {
  const res = await fetch(API + '${c.path}${c.query}', { headers: ${c.headers} })
  const body = await res.json()
  return ${c.list}
}

if (import.meta.main) console.log(JSON.stringify(await list(${c.env})))
`,
  },
  {
    family: 'typed/words-in-comments',
    code: (c) => program`
// No eval here, and no dynamic import(): plain fetch is enough. We never delete or POST anything.
// Formerly: fetch("https://old-api.example.com/v0" + path) — replaced when v0 was switched off.
/* TODO: exec the query in batches? new Function is not needed for the template below. */
const token = ${c.env}
const hint = 'use eval(…) or import(…) only if you must'
const res = await fetch('${c.url}', { headers: ${c.headers} })
const body = await res.json()
if (!Array.isArray(${c.list})) console.error('unexpected shape', hint.length)
console.log(JSON.stringify(${c.list}))
`,
  },
  {
    family: 'typed/regex-and-templates',
    code: (c) => program`
const token = ${c.env}
const SLUG = /^\/?([\w-]+)\/([\w.-]+?)(?:\/(?:tree|blob)\/([^/?#]+))?\/?$/
const DATE = /(\d{4})-(\d\d)-(\d\d)T[\d:.]+Z/g
const render = (row) => ´@{row.id}: @{´<@{row.name ?? '{}'}>´} @{JSON.stringify({ nested: { deep: ´}@{row.id}{´ } })}´

const body = await fetch('${c.url}', { headers: ${c.headers} }).then((res) => res.json())
for (const row of ${c.list} ?? []) {
  const text = render(row).replace(DATE, '$3.$2.$1')
  console.log(SLUG.test(row.full_name ?? '') ? '*' : ' ', text)
}
`,
  },
  {
    family: 'typed/optional-chaining-destructuring',
    code: (c) => program`
const { ${c.api.secret}: token = '' } = Deno.env.toObject()
const response = await fetch('${c.url}', { headers: { ...${c.headers}, accept: 'application/json' } })
const body = await response.json().catch(() => null)
const [first, ...rest] = body == null ? [] : Object.values(${c.list} ?? {})
console.log(first?.owner?.login ?? first?.attributes?.name?.trim?.() ?? first?.['display_name'] ?? 'n/a', rest.length)
`,
  },
  {
    family: 'typed/zod-import',
    code: (c) => program`
import { z } from 'npm:zod@4.1.0'

const Row = z.object({ id: z.union([z.string(), z.number()]), name: z.string().optional() }).loose()
const token = ${c.env}
const res = await fetch('${c.url}', { headers: ${c.headers} })
const body = await res.json()
const rows = z.array(Row).parse(${c.list})
console.log(rows.map((row) => row.name ?? row.id).join('\n'))
`,
  },
  {
    family: 'typed/decorator-and-accessor',
    code: (c) => program`
function logged(target: any, context: ClassMethodDecoratorContext) {
  return async function (this: unknown, ...args: unknown[]) {
    console.error(´-> @{String(context.name)}´)
    return await target.call(this, ...args)
  }
}

class Api {
  static readonly base = '${c.root}'
  constructor(private readonly token: string) {}

  get headers(): Record<string, string> {
    const token = this.token
    return ${c.headers}
  }

  @logged
  async fetchAll(): Promise<unknown> {
    const res = await fetch(´@{Api.base}${c.path}${c.query}´, { headers: this.headers })
    const body = await res.json()
    return ${c.list}
  }
}

console.log(JSON.stringify(await new Api(${c.env} ?? '').fetchAll()))
`,
  },
]
