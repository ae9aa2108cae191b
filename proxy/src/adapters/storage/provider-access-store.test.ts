import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProviderAsk, ProviderGrant } from '../../domain/provider-access/index.ts'
import type { AgentId } from '../../kernel/index.ts'
import { openDatabase } from './database.ts'
import { MIGRATIONS } from './migrations.ts'
import { createProviderAccessStore } from './provider-access-store.ts'

const AGENT = 'agt_0123456789abcdef' as AgentId

const grant: Omit<ProviderGrant, 'id'> = {
  agentId: AGENT,
  provider: 'openai',
  groups: ['inference', 'models'],
  models: ['gpt-5*', 'o3'],
  paths: ['/chat'],
  limits: { requestsPerMinute: 60, tokensPerDay: null, microUsdPerDay: 2_500_000 },
  grantedBy: 'cli:0',
  grantedAt: 5,
  expiresAt: 9,
  endedAt: null,
  endedWhy: null,
}
const ask: ProviderAsk = {
  id: 'ask_1',
  agentId: AGENT,
  provider: 'openai',
  model: null,
  group: 'inference',
  path: '/chat',
  status: 'pending',
  createdAt: 5,
  expiresAt: 9,
  decidedAt: null,
  decidedBy: null,
  decidedByName: null,
}
const denied = { status: 'denied', decidedAt: 7, decidedBy: 'telegram:1', decidedByName: 'Ann' } as const

describe('the store of grants and asks for providers', () => {
  let dir: string
  let db: Database
  let store: ReturnType<typeof createProviderAccessStore>
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-access-store-'))
    db = openDatabase(join(dir, 'proxy.db'))
    db.prepare(
      "INSERT INTO agents (id, name, token_sha256, cidrs, created_at) VALUES (?, 'one', 'x', '[]', 1)",
    ).run(AGENT)
    store = createProviderAccessStore(db)
  })
  afterEach(() => {
    db.close()
    rmSync(dir, { recursive: true })
  })

  it('gives back a grant as it was put and changed, until it is ended', () => {
    const stored = store.insertGrant(grant)
    expect(store.activeGrants()).toEqual([{ ...grant, id: stored.id }])
    const change: Parameters<typeof store.setGrant>[1] = {
      groups: ['files'],
      models: null,
      paths: null,
      limits: { requestsPerMinute: null, tokensPerDay: 1, microUsdPerDay: null },
    }
    store.setGrant(stored.id, change)
    expect(store.activeGrants()).toEqual([{ ...grant, id: stored.id, ...change }])
    store.endGrant(stored.id, 8, 'expired')
    store.endGrant(stored.id, 9, 'revoked')
    expect(store.activeGrants()).toEqual([])
    expect(db.prepare('SELECT ended_at, ended_why FROM provider_grants').get()).toEqual({
      ended_at: 8,
      ended_why: 'expired',
    })
    expect(store.insertGrant(grant).id).toBeGreaterThan(stored.id)
  })

  it('settles an ask once, and knows the newest denial', () => {
    store.insertAsk(ask)
    expect(store.pendingDuplicate(ask)).toEqual(ask)
    expect(store.pendingDuplicate({ ...ask, model: 'gpt-5' })).toBeUndefined()
    expect(store.pendingDuplicate({ ...ask, group: 'files' })).toBeUndefined()
    expect(store.deniedAt(AGENT, 'openai')).toBeUndefined()
    store.settleAsk({ ...ask, ...denied })
    store.settleAsk({ ...ask, ...denied, status: 'granted' })
    expect(store.askById(ask.id)).toEqual({ ...ask, ...denied })
    expect(store.pendingDuplicate(ask)).toBeUndefined()
    expect(store.asks('pending', 10)).toEqual([])
    expect(store.asks('denied', 10)).toHaveLength(1)
    expect(store.deniedAt(AGENT, 'openai')).toBe(7)
    expect(store.deniedAt(AGENT, 'other')).toBeUndefined()
  })

  it('takes no second ask for what is asked already', () => {
    store.insertAsk(ask)
    expect(() => store.insertAsk({ ...ask, id: 'ask_2' })).toThrow(/UNIQUE/)
    store.insertAsk({ ...ask, id: 'ask_3', model: 'gpt-5', createdAt: 4 })
    store.insertAsk({ ...ask, id: 'ask_4', group: 'files', createdAt: 3 })
    expect(store.asks('pending', 10).map(({ id }) => id)).toEqual(['ask_4', 'ask_3', 'ask_1'])
    expect(store.asks('pending', 1)).toHaveLength(1)
  })

  it('knows who has used a key, each once', () => {
    const user = { provider: 'openai', keyId: 1, agentId: AGENT, firstUsedAt: 5 }
    store.addKeyUser(user)
    store.addKeyUser({ ...user, firstUsedAt: 6 })
    expect(store.keyUsers()).toEqual([user])
  })
})

describe('a database from before groups of endpoints', () => {
  it('keeps of its grants what their cards showed, or their paths name', () => {
    const db = new Sqlite(':memory:')
    const at = MIGRATIONS.findIndex((sql) => sql.includes('ADD COLUMN groups'))
    for (const sql of MIGRATIONS.slice(0, at)) db.exec(sql)
    db.exec(
      "INSERT INTO agents (id, name, token_sha256, cidrs, created_at) VALUES ('a', 'one', 'x', '[]', 1)",
    )
    const old = db.prepare(`INSERT INTO provider_grants (agent_id, provider, paths, granted_by, granted_at)
      VALUES ('a', 'openai', ?, 'cli:0', 1)`)
    for (const paths of [null, ['/chat/completions'], ['/files', '/batches']])
      old.run(paths && JSON.stringify(paths))
    db.exec(`INSERT INTO provider_asks (id, agent_id, provider, path, status, created_at, expires_at)
      VALUES ('ask_1', 'a', 'openai', '/files', 'pending', 1, 9)`)
    db.exec(
      "INSERT INTO usage_by_day VALUES ('2026-01-02', 'a', 'openai', 'm', 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
    )
    for (const sql of MIGRATIONS.slice(at)) db.exec(sql)
    const store = createProviderAccessStore(db)
    expect(store.activeGrants().map(({ groups }) => groups)).toEqual([
      ['inference', 'models'],
      ['inference', 'models'],
      ['inference', 'models', 'files', 'batches'],
    ])
    expect(store.askById('ask_1')?.status).toBe('expired')
    expect(store.keyUsers()).toEqual([
      { provider: 'openai', keyId: 7, agentId: 'a', firstUsedAt: Date.UTC(2026, 0, 2) },
    ])
  })
})
