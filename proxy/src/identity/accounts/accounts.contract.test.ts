import { beforeEach, expect, it } from 'vitest'
import { createRecordingLog } from '../../../test/support/recording-log.ts'
import { storeContract } from '../../../test/support/store-contract.ts'
import { createAuditLog, createAuditStore } from '../../audit/index.ts'
import { newAccountId, type Storage } from '../../kernel/index.ts'
import { createMetaStore } from '../../storage/index.ts'
import { accountActor, isMember } from '../index.ts'
import { createSessionStore, createSessions } from '../sessions/index.ts'
import { createMemberStore, createMembers, createQuotaStore, quotaOf, readQuotas } from '../tenants/index.ts'
import { createAccountStore } from './account-store.ts'
import { createAccounts, personOfAccount } from './accounts.ts'
import type { Account } from './ports.ts'

const stores = {
  ...{ accounts: createAccountStore, audit: createAuditStore, members: createMemberStore },
  ...{ meta: createMetaStore, quotas: createQuotaStore, sessions: createSessionStore },
}

storeContract('accounts of a tenant', stores, (kit) => {
  let now = 1_000
  beforeEach(() => {
    now = 1_000
  })
  const open = async (storage: Storage = kit.mine) => {
    const clock = { now: () => now }
    const audit = createAuditLog({ storage, clock, auditKey: new Uint8Array(32).fill(9) })
    const { log } = createRecordingLog()
    const deps = { storage, audit, clock, log }
    const [memberships, sessions] = [createMembers(deps), createSessions(deps)]
    const accounts = createAccounts({ ...deps, memberships, sessions })
    await storage.read(async (tx) => {
      await sessions.load(tx)
      await accounts.load(tx)
    })
    await memberships.settle([], 'daemon')
    return { accounts, memberships, sessions }
  }
  const ann = (): Account => ({
    ...{ id: newAccountId(), email: 'ann@example.com', name: 'Ann', password: null, createdAt: now },
  })
  const signedUp = async (storage: Storage = kit.mine) => {
    const parts = await open(storage)
    const account = ann()
    await storage.transaction((tx) =>
      parts.accounts.insert(tx, account, 'password', accountActor(account.id)),
    )
    return { ...parts, account }
  }

  it('belong to it, also after a restart, and to no other', async () => {
    const { account, memberships } = await signedUp()
    expect(isMember(memberships, kit.mine.tenant, accountActor(account.id))).toBe(true)
    const again = await open()
    expect(again.accounts.byEmail('ann@example.com')).toEqual(account)
    expect(isMember(again.memberships, kit.mine.tenant, accountActor(account.id))).toBe(true)
    const there = await open(kit.theirs)
    expect(there.accounts.list()).toEqual([])
    expect(isMember(there.memberships, kit.theirs.tenant, accountActor(account.id))).toBe(false)
  })

  it('refresh once; a second use ends the session, and a token of another tenant is none', async () => {
    const { accounts, sessions, account } = await signedUp()
    const { session, refresh } = await kit.mine.transaction(async (tx) => {
      const signIn = {
        person: personOfAccount(account),
        method: 'password',
        address: 'a',
        replaces: null,
      } as const
      const made = await sessions.open(tx, signIn)
      return { ...made, refresh: await accounts.issueRefresh(tx, made.session.id) }
    })
    expect((await open(kit.theirs)).accounts.hasFamily(refresh)).toBe(false)
    const next = await accounts.refresh(refresh)
    expect(next?.session).toBe(session.id)
    expect(await accounts.refresh(refresh)).toBeUndefined()
    expect(sessions.byId(session.id)).toBeUndefined()
    expect(await accounts.refresh(next?.refresh ?? '')).toBeUndefined()
    const [row] = await kit.sql(`SELECT count(*) AS n FROM refresh_tokens WHERE tenant_id = '${kit.me}'`)
    expect(row).toEqual({ n: 0 })
    expect((await open()).sessions.list()).toEqual([])
  })

  it('keep so many used refresh tokens of a session, and the newest of them end it when they come back', async () => {
    const { accounts, sessions, account } = await signedUp()
    const { session, tokens } = await kit.mine.transaction(async (tx) => {
      const made = await sessions.open(tx, {
        ...{ person: personOfAccount(account), method: 'password', address: 'a', replaces: null },
      })
      return { ...made, tokens: [await accounts.issueRefresh(tx, made.session.id)] }
    })
    for (let at = 0; at < 260; at += 1) {
      now += 1
      tokens.push((await accounts.refresh(tokens[at] ?? ''))?.refresh ?? '')
    }
    const [row] = await kit.sql(`SELECT count(*) AS n FROM refresh_tokens WHERE tenant_id = '${kit.me}'`)
    expect(row).toEqual({ n: 257 })
    // As of nobody: it signs nobody in, and ends nothing.
    expect(await accounts.refresh(tokens[0] ?? '')).toBeUndefined()
    expect(sessions.byId(session.id)).toBeDefined()
    expect(await accounts.refresh(tokens[250] ?? '')).toBeUndefined()
    expect(sessions.byId(session.id)).toBeUndefined()
  })

  it('have keys of programs that are kept as their hash, told of their use, and gone when revoked', async () => {
    const { accounts, account } = await signedUp()
    const actor = accountActor(account.id)
    const { key, row } = await accounts.makeAccessKey(
      { account: account.id, name: 'p', scopes: ['keys'] },
      actor,
    )
    accounts.accessKeyUsed(row)
    // Units go one after the other.
    await kit.mine.transaction(async () => undefined)
    const again = await open()
    const found = again.accounts.findAccessKey(row.hash)
    expect(found).toMatchObject({ name: 'p', scopes: ['keys'], lastUsedAt: 1_000, last4: key.slice(-4) })
    expect(await again.accounts.removeAccessKey(row.id, actor)).toBe(true)
    expect(again.accounts.findAccessKey(row.hash)).toBeUndefined()
    expect(await again.accounts.removeAccessKey(row.id, actor)).toBe(false)
    const told = JSON.stringify(
      await kit.sql(`SELECT * FROM access_keys UNION ALL SELECT * FROM access_keys`),
    )
    expect(told).not.toContain(key)
  })

  it('may have what is said for their tenant, else what is said for all', async () => {
    const defaults = { maxAgents: 2, agentMemoryBytes: 1_024 * 1_048_576 }
    const read = async () =>
      quotaOf(await kit.mine.read(readQuotas), await kit.theirs.read(readQuotas), defaults)
    expect(await read()).toEqual({ machines: 2, memoryMib: 2_048 })
    await kit.theirs.transaction((tx) => tx.quotas.set('machines', 3))
    await kit.mine.transaction((tx) => tx.quotas.set('memory_mib', 512))
    expect(await read()).toEqual({ machines: 3, memoryMib: 512 })
    await kit.mine.transaction((tx) => tx.quotas.set('machines', 0))
    expect((await read()).machines).toBe(0)
    await kit.mine.transaction((tx) => tx.quotas.set('machines', null))
    expect((await read()).machines).toBe(3)
  })
})
