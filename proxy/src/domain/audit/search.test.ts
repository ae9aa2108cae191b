import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../../../test/support/domain-kit.ts'
import type { AuditFilter, AuditPage, AuditSubject } from './search.ts'

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
type Append = Parameters<DomainKit['audit']['append']>
const append = (...rows: Append[]): void =>
  kit.transactor.transact(() => {
    for (const row of rows) kit.audit.append(...row)
  })
function search(
  filter: Partial<AuditFilter>,
  page: { before?: number; limit?: number } = {},
): AuditPage & { steps: number } {
  const all = { before: Number.MAX_SAFE_INTEGER, limit: 1_000, ...page }
  const running = kit.audit.searchSteps({ ...ANYTHING, ...filter }, all, (id) => SUBJECTS[id] ?? null)
  for (let steps = 1; ; steps++) {
    const step = running.next()
    if (step.done) return { ...step.value, steps }
  }
}
const events = (filter: Partial<AuditFilter>): string[] =>
  search(filter)
    .rows.map(({ event, data }) => `${event} ${data}`)
    .toReversed()

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

  it('by secret: what it went with, the runs that were asked for with it, and the secret itself', () => {
    expect(events({ secret: 'KEY_ONE' }).map((row) => row.split(' ')[0])).toEqual([
      'secret.stored',
      'request.received',
      'execution.started',
      'egress.request',
    ])
    // Approved for the run, and sent nowhere.
    expect(events({ secret: 'KEY_TWO', event: 'egress' })).toEqual([])
  })

  it('by host, with or without scheme and port, and through patterns', () => {
    expect(events({ host: 'API.one.example', event: 'egress' })).toHaveLength(1)
    expect(events({ host: 'a.wide.example', event: 'egress' })).toHaveLength(1)
    expect(events({ host: 'b.wide.example' }).map((row) => row.split(' ')[0])).toEqual([
      'request.received',
      'execution.started',
    ])
    expect(events({ host: 'one.example' })).toEqual([])
  })

  it('by agent: what it did, what was done about it, and what its runs did', () => {
    expect(events({ agentIds: new Set(['agt_one']) })).toHaveLength(4)
    expect(events({ agentIds: new Set(['agt_two']) }).map((row) => row.split(' ')[0])).toEqual([
      'request.received',
      'provider.revoked',
    ])
  })

  it('by event, whole or by its first half, and by no other beginning', () => {
    expect(events({ event: 'egress' })).toHaveLength(2)
    expect(events({ event: 'egress.refused' })).toHaveLength(1)
    expect(events({ event: 'egr' })).toEqual([])
  })

  it('by time: from one moment on, before another', () => {
    now = 2_000
    append(['key.rotated', 'cli:0', null, { what: 'data key', secrets: 1 }])
    expect(events({ since: 2_000 })).toHaveLength(1)
    expect(events({ until: 2_000 })).toHaveLength(8)
    expect(events({ since: 1_000, until: 1_001 })).toHaveLength(8)
  })

  it('shows a row whose data was altered into something else, and reads nothing out of it', () => {
    kit.db.exec('DROP TRIGGER audit_log_no_update')
    kit.db.prepare("UPDATE audit_log SET data = 'KEY_ONE' WHERE id = 1").run()
    expect(search({}).rows).toHaveLength(8)
    expect(events({ secret: 'KEY_ONE' })).toHaveLength(3)
  })
})

it('is read in steps and pages, however long it is and however little fits', () => {
  append(
    ...Array.from({ length: 1_000 }, (_, n): Append => ['request.refused', 'run', null, { code: 'x', n }]),
  )
  const rare = search({ event: 'key.rotated' })
  expect([rare.rows.length, rare.next]).toEqual([0, null])
  expect(rare.steps).toBeGreaterThan(5)
  const seen: number[] = []
  let before: number | undefined
  for (;;) {
    const { rows, next } = search(
      { event: 'request' },
      { limit: 300, ...(before === undefined ? {} : { before }) },
    )
    seen.push(...rows.map(({ id }) => id))
    if (next === null) break
    before = next
  }
  expect(seen).toEqual(Array.from({ length: 1_000 }, (_, n) => 1_000 - n))
})
