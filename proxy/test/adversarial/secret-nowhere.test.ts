/**
 * The property that placeholder mode is for: while code uses a secret, and after it, no byte of the value is in the
 * container's memory, files, environment or output, nor in any row, log line or message. It is searched for, by the
 * means of root on the host; the same search finds the placeholder and the value of a raw secret.
 */

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ContainerDump, dumpContainer } from '../support/container-dump.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createEgressKit, type EgressKit } from '../support/egress-kit.ts'
import { patience } from '../support/pace.ts'
import { lookAtRunning } from '../support/running-containers.ts'
import { findSecret } from '../support/secret-search.ts'

const available = await dockerOrSkip()
const isRoot = process.getuid?.() === 0
const MIB = 1_048_576
const made = (): string => `demo-value-${randomBytes(16).toString('hex')}`

const CODE = (port: number): string => `
const key = Deno.env.get('KEPT')
const raw = Deno.env.get('RAW')
const base = 'https://api.demo.test:${port}'
const headers = { authorization: 'Bearer ' + key, 'x-api-key': key }
const kept = []
const ask = async (path, init) => {
  try {
    const answer = await fetch(base + path, { redirect: 'manual', headers, ...init })
    kept.push(JSON.stringify([...answer.headers]), await answer.text())
  } catch (error) { kept.push(error.stack) }
}
await ask('/hold?first')
for (const path of ['/echo', '/encoded/gzip', '/encoded/br', '/forms', '/bytewise', '/header', '/reason', '/trailer', '/hints', '/redirect-with-key', '/error']) await ask(path)
await ask('/echo', { headers: { authorization: 'Basic ' + btoa('user:' + key) } })
await ask('/echo?key=' + key)
await ask('/echo', { method: 'POST', body: 'key=' + key })
for (let at = 0; at < 48; at += 6) await ask('/range', { headers: { ...headers, range: 'bytes=' + at + '-' + (at + 5) } })
const events = await fetch(base + '/events', { headers })
const reader = events.body.getReader()
kept.push(new TextDecoder().decode((await reader.read()).value))
await Deno.writeTextFile('/tmp/kept.txt', kept.join('\\n'))
await ask('/hold?last')
await reader.cancel()
console.log(kept.join('\\n'))
console.error(new Error(kept.join(' ')).stack, raw.length)
console.log('placeholder', [...key].join(' '))
`

describe.skipIf(!available.available || !isRoot)(`a secret in placeholder mode ${available.reason}`, () => {
  const KEPT = made()
  const RAW = made()
  let kit: EgressKit
  let requestId: string
  const dumps = new Map<string, ContainerDump>()
  let placeholder: string

  beforeAll(async () => {
    kit = await createEgressKit()
    await kit.store('KEPT', KEPT)
    await kit.store('RAW', RAW)
    requestId = await kit.ask(CODE(kit.upstream.port), {
      network: [kit.at('api.demo.test')],
      secrets: ['KEPT', { name: 'RAW', mode: 'raw' }],
      timeout: 120,
      shown: true,
    })
    for (const when of ['while the upstream has the request', 'after every kind of echo']) {
      const held = kit.upstream.nextHeld()
      if (dumps.size === 0) await kit.approve(requestId)
      const release = await held
      dumps.set(when, await dumpAll())
      release()
    }
    const answer = await kit.finished(requestId)
    if (answer.status !== 'success') throw new Error(JSON.stringify(answer))
    placeholder = /^placeholder (.+)$/m.exec(answer.stdout)?.[1]?.replaceAll(' ', '') ?? ''
    await kit.card(requestId)
  }, patience(240_000))
  afterAll(async () => {
    await kit?.[Symbol.asyncDispose]()
  })

  it('was used: the upstream got the value, in headers and in Basic', () => {
    const got = kit.upstream.seen.map(({ headers }) => headers.authorization)
    expect(got).toContain(`Bearer ${KEPT}`)
    expect(got).toContain(`Basic ${Buffer.from(`user:${KEPT}`).toString('base64')}`)
  })

  it('is found by this search where it is: placeholder and raw value in the memory of the container', () => {
    expect(placeholder).toMatch(/oauth3x[0-9a-f]{40}$/)
    for (const [when, { places, memoryBytes }] of dumps) {
      expect(memoryBytes, when).toBeGreaterThan(20 * MIB)
      const inMemory = (value: string): string[] =>
        findSecret(places, value).filter((where) => where.startsWith('memory of'))
      expect(inMemory(placeholder).length, when).toBeGreaterThan(0)
      expect(inMemory(RAW).length, when).toBeGreaterThan(0)
    }
    const [, last] = [...dumps.values()]
    const files = [...(last?.places ?? [])].filter(([name]) => /^\/proc\/.*\/tmp\/kept\.txt \(/.test(name))
    expect(files.length).toBeGreaterThan(0)
    for (const [, bytes] of files) expect(bytes.toString()).toContain('[secret:KEPT]')
  })

  it.each(['while the upstream has the request', 'after every kind of echo'])(
    'is nowhere in the container, %s: memory, files, environment, arguments',
    (when) => {
      const dump = dumps.get(when)
      expect(findSecret(dump?.places ?? new Map([['no dump', Buffer.from(KEPT)]]), KEPT)).toEqual([])
    },
  )

  it('is in no row, file, log line, answer, message or wake', async () => {
    const evidence = kit.evidence()
    // The search looks where something is: the database, the answers, the messages, the log.
    expect([...evidence.keys()]).toEqual(
      expect.arrayContaining([
        'answers to the agent',
        'calls to the Bot API',
        'log',
        join(kit.daemon.folder, 'data', 'proxy.db'),
      ]),
    )
    expect(evidence.get('answers to the agent')?.includes('[secret:KEPT]')).toBe(true)
    expect(evidence.get('calls to the Bot API')?.includes(requestId)).toBe(true)
    expect(evidence.get('log')?.length).toBeGreaterThan(0)
    expect(findSecret(evidence, made())).toEqual([])
    expect(findSecret(evidence, requestId).length).toBeGreaterThan(0)
    expect(findSecret(evidence, KEPT)).toEqual([])
    expect(findSecret(evidence, RAW)).toEqual([])
    // Rows as SQLite reads them, whatever pages they lie on.
    expect(findSecret(new Map([['rows', rows()]]), KEPT)).toEqual([])
  })

  async function dumpAll(): Promise<ContainerDump> {
    const db = new Database(join(kit.daemon.folder, 'data', 'proxy.db'), { readonly: true })
    const id = db.prepare("SELECT value FROM installation WHERE key = 'instance_id'").pluck().get()
    db.close()
    const places = new Map<string, Buffer>()
    let memoryBytes = 0
    await lookAtRunning(String(id), async (container) => {
      const dump = await dumpContainer(container)
      memoryBytes += dump.memoryBytes
      for (const [name, bytes] of dump.places) places.set(`${name} (${container.id.slice(0, 8)})`, bytes)
    })
    return { places, memoryBytes }
  }

  function rows(): Buffer {
    const db = new Database(join(kit.daemon.folder, 'data', 'proxy.db'), { readonly: true })
    try {
      const tables = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .pluck()
        .all() as string[]
      return Buffer.from(
        tables.map((table) => JSON.stringify(db.prepare(`SELECT * FROM "${table}"`).all())).join('\n'),
      )
    } finally {
      db.close()
    }
  }
})
