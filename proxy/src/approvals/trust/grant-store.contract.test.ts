import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { type CodeHash, type ConsentHash, newRequestId } from '../../kernel/index.ts'
import { createGrantStore } from './grant-store.ts'
import type { Grant } from './trust.ts'

storeContract('the store of grants', { grants: createGrantStore }, (kit) => {
  const code = 'c'.repeat(64) as CodeHash
  const grant = async (
    change: Partial<Grant> = {},
    scope = `scope-${newRequestId()}`,
    storage = kit.mine,
  ): Promise<Grant> =>
    storage.transaction(({ grants }) =>
      grants.insert(
        {
          skillId: 's',
          codeHash: code,
          level: 'forever',
          anyArgs: false,
          consentJson: '{"v":3,"description":"ünïcödé"}',
          consentHash: 'h'.repeat(64) as ConsentHash,
          requestId: newRequestId(),
          approvedBy: 'telegram:1',
          approvedAt: 1_793_000_000_123,
          expiresAt: null,
          maxUses: null,
          uses: 1,
          lastUsedAt: null,
          endedAt: null,
          endedWhy: null,
          ...change,
        },
        scope,
      ),
    )
  const ids = (grants: readonly Grant[]): number[] => grants.map(({ id }) => id)

  it('gives a grant its id and gives every field back', async () => {
    const plain = await grant()
    const full = await grant({
      level: 'once',
      anyArgs: true,
      expiresAt: Number.MAX_SAFE_INTEGER,
      endedAt: 9,
      endedWhy: 'used',
    })
    expect(full.id).toBeGreaterThan(plain.id)
    await kit.mine.read(async ({ grants }) => {
      expect(await grants.byId(plain.id)).toEqual(plain)
      expect(await grants.byId(full.id)).toEqual(full)
      expect(await grants.byId(full.id + 1_000)).toBeUndefined()
    })
  })

  it('lists what is active, the newest first: of code, of all, the newest of a skill, of a scope', async () => {
    const first = await grant()
    const second = await grant({ codeHash: 'd'.repeat(64) as CodeHash }, 'the scope')
    const third = await grant({ skillId: 'other' })
    const fourth = await grant()
    const ended = await grant({ endedAt: 5, endedWhy: 'revoked' }, 'ended scope')
    await kit.mine.read(async ({ grants }) => {
      expect(ids(await grants.activeGrants('s', code))).toEqual(ids([fourth, first]))
      expect(await grants.activeGrants('S', code)).toEqual([])
      expect(ids(await grants.listActiveGrants())).toEqual(ids([fourth, third, second, first]))
      expect(await grants.newestOfSkill('s')).toEqual(fourth)
      expect(await grants.newestOfSkill('none')).toBeUndefined()
      expect(await grants.activeByScope('the scope')).toEqual(second)
      expect(await grants.activeByScope('ended scope')).toBeUndefined()
      expect(await grants.byId(ended.id)).toEqual(ended)
    })
  })

  it('ends once: whoever comes later changes nothing of it', async () => {
    const { id } = await grant()
    const untouched = await grant()
    const end = (at: number, why: NonNullable<Grant['endedWhy']>) =>
      kit.mine.transaction(({ grants }) => grants.end(id, at, why))
    await end(5, 'revoked')
    await end(6, 'expired')
    expect(await kit.mine.read(({ grants }) => grants.byId(id))).toMatchObject({
      endedAt: 5,
      endedWhy: 'revoked',
    })
    const other = await grant()
    await Promise.all(
      ([7, 8, 9] as const).map((at) =>
        kit.mine
          .transaction(async ({ grants }) => {
            if ((await grants.byId(other.id))?.endedAt === null) await grants.end(other.id, at, 'used')
            else throw new Error('too late')
          })
          .catch(() => {}),
      ),
    )
    expect(await kit.mine.read(({ grants }) => grants.listActiveGrants())).toEqual([untouched])
  })

  it('is used once, whichever of two nodes looks at it first', async () => {
    const once = await grant({ level: 'once' })
    const nodes = kit.engine === 'postgres' ? [kit.mine, await kit.onAnotherNode()] : [kit.mine]
    const use = (at: number): Promise<boolean> =>
      (nodes[at % nodes.length] ?? kit.mine).transaction(async ({ grants }) => {
        if ((await grants.byId(once.id))?.endedAt !== null) return false
        await grants.end(once.id, at + 1, 'used')
        return true
      })
    const used = await Promise.all(Array.from({ length: 8 }, (_, at) => use(at)))
    expect(used.filter(Boolean)).toHaveLength(1)
    expect(await kit.mine.read(({ grants }) => grants.byId(once.id))).toMatchObject({
      endedAt: used.indexOf(true) + 1,
      endedWhy: 'used',
    })
  })

  it('gives no use beyond its number, whichever of two nodes takes it first', async () => {
    const limited = await grant({ level: 'limited', maxUses: 4 })
    const nodes = kit.engine === 'postgres' ? [kit.mine, await kit.onAnotherNode()] : [kit.mine]
    const use = (at: number): Promise<Grant | undefined> =>
      (nodes[at % nodes.length] ?? kit.mine).transaction(({ grants }) => grants.use(limited.id, at + 1))
    const used = await Promise.all(Array.from({ length: 8 }, (_, at) => use(at)))
    expect(
      used
        .filter((found) => found !== undefined)
        .map(({ uses }) => uses)
        .sort(),
    ).toEqual([2, 3, 4])
    const without = await grant({ level: 'forever' })
    const last = await kit.mine.transaction(({ grants }) => grants.use(without.id, 77))
    expect(last).toEqual({ ...without, uses: 2, lastUsedAt: 77 })
    await kit.mine.transaction(({ grants }) => grants.end(limited.id, 9, 'used'))
    expect(await kit.mine.transaction(({ grants }) => grants.use(limited.id, 10))).toBeUndefined()
    await kit.mine.transaction(({ grants }) => grants.revokeUsedUp(limited.id, 11))
    expect(await kit.mine.read(({ grants }) => grants.byId(limited.id))).toMatchObject({
      ...{ level: 'limited', uses: 4, endedAt: 11, endedWhy: 'revoked' },
    })
    const [newest] = await kit.mine.read(({ grants }) => grants.listNewest(1))
    expect(newest?.id).toBe(without.id)
    expect((await kit.mine.read(({ grants }) => grants.byRequest(limited.requestId)))?.id).toBe(limited.id)
    expect(await kit.theirs.read(({ grants }) => grants.byRequest(limited.requestId))).toBeUndefined()
    expect(await kit.theirs.transaction(({ grants }) => grants.use(without.id, 1))).toBeUndefined()
  })

  it('lists what has run out, the earliest first, and nothing without an end', async () => {
    const late = await grant({ expiresAt: 30 })
    const [a, b] = [await grant({ expiresAt: 20 }), await grant({ expiresAt: 20 })]
    const early = await grant({ expiresAt: 10 })
    await grant({ expiresAt: 5, endedAt: 5, endedWhy: 'expired' })
    await grant()
    const expired = async (now: number) => ids(await kit.mine.read(({ grants }) => grants.expiredBy(now)))
    expect(await expired(9)).toEqual([])
    expect(await expired(29)).toEqual(ids([early, a, b]))
    expect(await expired(30)).toEqual(ids([early, a, b, late]))
  })

  it('is one of each scope that stands, and one of each request, whoever of two comes first', async () => {
    const requestId = newRequestId()
    for (const two of [
      [grant({}, 'same'), grant({}, 'same')],
      [grant({ requestId }), grant({ requestId })],
    ]) {
      const outcomes = await Promise.allSettled(two)
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    }
    const active = await kit.mine.read(({ grants }) => grants.activeByScope('same'))
    await kit.mine.transaction(({ grants }) => grants.end(active?.id ?? -1, 5, 'replaced'))
    await grant({}, 'same')
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const theirs = await grant({ level: '24h', expiresAt: 5 }, 'same', kit.theirs)
    await kit.mine.transaction(async ({ grants }) => {
      expect(await grants.byId(theirs.id)).toBeUndefined()
      expect(await grants.activeGrants('s', code)).toEqual([])
      expect(await grants.listActiveGrants()).toEqual([])
      expect(await grants.newestOfSkill('s')).toBeUndefined()
      expect(await grants.activeByScope('same')).toBeUndefined()
      expect(await grants.expiredBy(99)).toEqual([])
      await grants.end(theirs.id, 9, 'revoked')
    })
    expect(await kit.theirs.read(({ grants }) => grants.byId(theirs.id))).toEqual(theirs)
    await grant({ requestId: theirs.requestId }, 'same')
  })

  it('is found through an index', async () => {
    for (const tenant of [kit.me, kit.them]) {
      await kit.sql(`INSERT INTO approvals (tenant_id, skill_id, code_hash, trust_level, approved_at, expires_at, any_args,
          scope_hash, consent, consent_hash, request_id, approved_by, ended_at)
        SELECT '${tenant}', 's' || n % 100, 'c' || n, 'forever', n, CASE WHEN n % 10 = 0 THEN n END, 0, 'h' || n, '{}', 'h',
          'r' || n, 'cli:0', CASE WHEN n % 3 > 0 THEN n END
        FROM (${kit.numbers(6_000)}) AS numbers`)
    }
    await kit.sql('ANALYZE')
    await kit.expectIndexed('active grants', ({ grants }) => grants.activeGrants('s5', 'c5' as CodeHash))
    await kit.expectIndexed('the newest of a skill', ({ grants }) => grants.newestOfSkill('s5'))
    await kit.expectIndexed('what ran out', ({ grants }) => grants.expiredBy(20))
    await kit.expectIndexed('of a scope', ({ grants }) => grants.activeByScope('h5'))
    await kit.expectIndexed('by id', ({ grants }) => grants.byId(5))
  })
})
