import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../../test/support/domain-kit.ts'
import { seeded } from '../../test/support/seeded.ts'
import type { ReadTx } from '../kernel/index.ts'
import { BLOCK_ROWS, createBlockIndexer } from './block-index.ts'
import { type AuditPage, searchRows } from './search.ts'
import type { AuditFilter, AuditSubject, SubjectOf } from './search-filter.ts'

let dir: string
let kit: DomainKit
let now = 1_000
beforeEach(async () => {
  now = 1_000
  dir = mkdtempSync(join(tmpdir(), 'oauth3-search-'))
  kit = await createDomainKit({ dir, clock: { now: () => now } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

const ANYTHING: AuditFilter = {
  agentIds: null,
  event: null,
  secret: null,
  host: null,
  requestId: null,
  since: null,
  until: null,
}
const SUBJECTS: Readonly<Record<string, AuditSubject>> = {
  req_one: {
    agentId: 'agt_one',
    secrets: ['KEY_ONE', 'KEY_TWO'],
    hosts: ['api.one.example', '*.wide.example'],
  },
}
type Tail<Of extends unknown[]> = Of extends [unknown, ...infer Rest] ? Rest : never
type Append = Tail<Parameters<DomainKit['audit']['append']>>
const append = (...rows: Append[]): Promise<void> =>
  kit.storage.transaction(async (tx) => {
    for (const row of rows) await kit.audit.append(tx, ...row)
  })
/** `turns`: how often others had theirs meanwhile. */
async function search(
  filter: Partial<AuditFilter>,
  page: { before?: number; limit?: number } = {},
): Promise<AuditPage & { turns: number }> {
  const all = { before: Number.MAX_SAFE_INTEGER, limit: 1_000, ...page }
  let turns = 0
  const count = (): void => {
    turns += 1
    next = setImmediate(count)
  }
  let next = setImmediate(count)
  const subjectOf: SubjectOf = async (_tx, id) => SUBJECTS[id] ?? null
  const found = await kit.audit.search({ ...ANYTHING, ...filter }, all, subjectOf)
  clearImmediate(next)
  return { ...found, turns }
}
const events = async (filter: Partial<AuditFilter>): Promise<string[]> =>
  (await search(filter)).rows.map(({ event, data }) => `${event} ${data}`).toReversed()

const sent = (origin: string, secrets: string[]) => ({ origin, secrets, method: 'GET', path: '/' })

describe('the audit is searched', () => {
  beforeEach(() =>
    append(
      ['secret.stored', 'cli:0', null, { name: 'KEY_ONE', hosts: ['api.one.example'] }],
      ['secret.stored', 'cli:0', null, { name: 'KEY_ONE_MORE', hosts: null }],
      ['request.received', 'agent:agt_one', 'req_one', { code_hash: 'x' }],
      ['execution.started', 'daemon', 'req_one', null],
      ['egress.request', 'run', 'req_one', sent('https://api.one.example', ['KEY_ONE'])],
      ['egress.refused', 'run', 'req_one', sent('https://a.wide.example:8443', [])],
      ['request.received', 'agent:agt_two', 'req_two', { code_hash: 'x' }],
      ['provider.revoked', 'cli:0', null, { grant: 1, agent_id: 'agt_two', provider: 'openai' }],
    ),
  )

  it('by secret: what it went with, the runs that were asked for with it, and the secret itself', async () => {
    expect((await events({ secret: 'KEY_ONE' })).map((row) => row.split(' ')[0])).toEqual([
      'secret.stored',
      'request.received',
      'execution.started',
      'egress.request',
    ])
    // Approved for the run, and sent nowhere.
    expect(await events({ secret: 'KEY_TWO', event: 'egress' })).toEqual([])
  })

  it('by host, with or without scheme and port, and through patterns', async () => {
    expect(await events({ host: 'API.one.example', event: 'egress' })).toHaveLength(1)
    expect(await events({ host: 'a.wide.example', event: 'egress' })).toHaveLength(1)
    expect((await events({ host: 'b.wide.example' })).map((row) => row.split(' ')[0])).toEqual([
      'request.received',
      'execution.started',
    ])
    expect(await events({ host: 'one.example' })).toEqual([])
  })

  it('by agent: what it did, what was done about it, and what its runs did', async () => {
    expect(await events({ agentIds: new Set(['agt_one']) })).toHaveLength(4)
    expect((await events({ agentIds: new Set(['agt_two']) })).map((row) => row.split(' ')[0])).toEqual([
      'request.received',
      'provider.revoked',
    ])
  })

  it('by event, whole or by its first half, and by no other beginning', async () => {
    expect(await events({ event: 'egress' })).toHaveLength(2)
    expect(await events({ event: 'egress.refused' })).toHaveLength(1)
    expect(await events({ event: 'egr' })).toEqual([])
  })

  it('by time: from one moment on, before another', async () => {
    now = 2_000
    await append(['key.rotated', 'cli:0', null, { what: 'data key', secrets: 1 }])
    expect(await events({ since: 2_000 })).toHaveLength(1)
    expect(await events({ until: 2_000 })).toHaveLength(8)
    expect(await events({ since: 1_000, until: 1_001 })).toHaveLength(8)
  })

  it('shows a row whose data was altered into something else, and reads nothing out of it', async () => {
    kit.db.exec('DROP TRIGGER audit_log_no_update')
    kit.db.prepare("UPDATE audit_log SET data = 'KEY_ONE' WHERE id = 1").run()
    expect((await search({})).rows).toHaveLength(8)
    expect(await events({ secret: 'KEY_ONE' })).toHaveLength(3)
  })
})

it('is read in steps and pages, however long it is and however little fits', async () => {
  await append(
    ...Array.from({ length: 1_000 }, (_, n): Append => ['request.refused', 'run', null, { code: 'x', n }]),
  )
  const rare = await search({ event: 'key.rotated' })
  expect([rare.rows.length, rare.next]).toEqual([0, null])
  expect(rare.turns).toBeGreaterThan(5)
  const seen: number[] = []
  let before: number | undefined
  for (;;) {
    const { rows, next } = await search(
      { event: 'request' },
      { limit: 300, ...(before === undefined ? {} : { before }) },
    )
    seen.push(...rows.map(({ id }) => id))
    if (next === null) break
    before = next
  }
  expect(seen).toEqual(Array.from({ length: 1_000 }, (_, n) => 1_000 - n))
})

describe('the index of the audit', () => {
  const subjectOf: SubjectOf = async (_tx, id) => SUBJECTS[id] ?? null
  const index = async (): Promise<void> => {
    const indexer = createBlockIndexer({ storage: kit.storage, subjectOf: () => subjectOf })
    for (let before = -1; ; ) {
      await indexer.tick()
      const covered = await kit.storage.read((tx) => tx.audit.indexedUpTo())
      if (covered === before) return
      before = covered
    }
  }
  const random = seeded(7)
  const anyOf = <T>(...choices: readonly T[]): T => random.pick(choices)
  const anyRow = (): Append =>
    anyOf<() => Append>(
      () => ['execution.started', 'daemon', anyOf('req_one', 'req_two'), null],
      () => [
        'egress.request',
        'run',
        'req_one',
        sent(anyOf('https://api.one.example', 'https://x.wide.example:8443'), ['KEY_ONE']),
      ],
      () => ['secret.renamed', 'cli:0', null, { from: anyOf('KEY_ONE', 'KEY_OLD'), to: 'KEY_TWO' }],
      () => [
        'request.received',
        anyOf('agent:agt_one', 'agent:agt_two'),
        anyOf('req_one', 'req_three'),
        { url: 'https://a.b.c.example/x' },
      ],
      () => ['key.rotated', 'cli:0', null, { what: 'data key' }],
    )()
  const FILTERS: readonly Partial<AuditFilter>[] = [
    {},
    { event: 'egress' },
    { event: 'key.rotated' },
    { secret: 'KEY_ONE' },
    { secret: 'KEY_OLD', event: 'secret' },
    { host: 'x.wide.example' },
    { host: '*.wide.example' },
    { host: 'a.b.c.example' },
    { host: 'nowhere.example' },
    { agentIds: new Set(['agt_two']) },
    { agentIds: new Set(['agt_one', 'agt_two']), event: 'request.received' },
    { requestId: 'req_three' },
    { since: 1_150, until: 1_160 },
    { until: 1_003, event: 'execution' },
    { since: 5_000 },
  ]
  /** Every row is looked at, whatever the index has. */
  const withoutIndex = async (filter: Partial<AuditFilter>): Promise<number[]> => {
    const storage = {
      read: <T>(work: (tx: ReadTx) => Promise<T>) =>
        kit.storage.read((tx) => work({ ...tx, audit: { ...tx.audit, indexedUpTo: async () => 0 } })),
    }
    const page = { before: Number.MAX_SAFE_INTEGER, limit: 10_000 }
    return (await searchRows(storage, { ...ANYTHING, ...filter }, page, subjectOf)).rows.map(({ id }) => id)
  }
  const inPages = async (filter: Partial<AuditFilter>, limit: number): Promise<number[]> => {
    const seen: number[] = []
    for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null; ) {
      const { rows, next }: AuditPage = await search(filter, { before, limit })
      seen.push(...rows.map(({ id }) => id))
      before = next
    }
    return seen
  }

  it('is made of one block in a turn of the event loop, so that a long history holds nobody up', async () => {
    await append(
      ...Array.from({ length: 4 * BLOCK_ROWS }, (): Append => ['execution.started', 'daemon', 'req_one', {}]),
    )
    let turn = 0
    const blocksIn = new Map<number, number>()
    const count = (): void => {
      turn += 1
      counting = setImmediate(count)
    }
    let counting = setImmediate(count)
    let seen = 0
    const each: SubjectOf = async () => {
      if (seen++ % BLOCK_ROWS === 0) blocksIn.set(turn, (blocksIn.get(turn) ?? 0) + 1)
      return null
    }
    await createBlockIndexer({ storage: kit.storage, subjectOf: () => each }).tick()
    clearImmediate(counting)
    expect([...blocksIn.values()]).toEqual([1, 1, 1, 1])
  })

  it('finds what looking at every row finds, in pages of any length, while rows are added', async () => {
    for (let round = 0; round < 4; round += 1) {
      for (let step = 0; step < 100; step += 1) {
        now += 1
        await append(anyRow())
      }
      await index()
      for (const filter of FILTERS) {
        const all = await withoutIndex(filter)
        for (const limit of [1_000, 7]) expect(await inPages(filter, limit)).toEqual(all)
      }
    }
    expect(await kit.storage.read((tx) => tx.audit.indexedUpTo())).toBe(384)
  })

  it('finds a rare row without looking at the others', async () => {
    await append(['key.rotated', 'cli:0', null, { what: 'data key' }])
    for (let part = 0; part < 10; part += 1)
      await append(
        ...Array.from({ length: 64 }, (): Append => ['request.refused', 'run', null, { code: 'x' }]),
      )
    await index()
    let looked = 0
    const storage = {
      read: <T>(work: (tx: ReadTx) => Promise<T>) =>
        kit.storage.read((tx) => {
          const before: ReadTx['audit']['before'] = async (id, limit) => {
            const rows = await tx.audit.before(id, limit)
            looked += rows.length
            return rows
          }
          return work({ ...tx, audit: { ...tx.audit, before } })
        }),
    }
    const page = { before: Number.MAX_SAFE_INTEGER, limit: 10 }
    const { rows, next } = await searchRows(storage, { ...ANYTHING, event: 'key' }, page, subjectOf)
    expect([rows.map(({ id }) => id), next]).toEqual([[1], null])
    // Its own block, and what no block covers yet.
    expect(looked).toBeLessThanOrEqual(64 + 100)
  })
})
