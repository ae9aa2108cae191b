import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { createMetaStore } from '../storage/index.ts'
import { createAuditStore } from './audit-store.ts'
import type { AuditArchive, StoredAuditRow } from './ports.ts'

storeContract('the store of the audit', { audit: createAuditStore, meta: createMetaStore }, (kit) => {
  const row = (id: number, change: Partial<StoredAuditRow> = {}): StoredAuditRow => ({
    id,
    at: 1_000 + id,
    event: 'agent.added',
    actor: 'cli:0',
    requestId: null,
    data: `{"n":${id}}`,
    prevHash: `hash${id - 1}`,
    hash: `hash${id}`,
    ...change,
  })
  const append = (...rows: StoredAuditRow[]): Promise<void> =>
    kit.mine.transaction(async ({ audit }) => {
      for (const each of rows) await audit.insert(each)
    })
  const archive = (first: number, last: number): AuditArchive => ({
    name: `audit-${first}.jsonl`,
    first,
    last,
    previous: 'p',
    head: 'h',
    digest: 'd',
    bytes: 3_000_000_000,
    archivedAt: 5,
  })
  const ids = (rows: readonly StoredAuditRow[]): number[] => rows.map(({ id }) => id)

  it('gives back rows word for word, from either end', async () => {
    const odd = row(2, { requestId: 'req_1', data: '{"b":1,"a":"é\\u0000","n":1.0,"a":2}' })
    await append(row(1), odd, row(3), row(4))
    await kit.mine.read(async ({ audit }) => {
      expect(await audit.rows(1, 2)).toEqual([odd, row(3)])
      expect(ids(await audit.rows(0, 9))).toEqual([1, 2, 3, 4])
      expect(ids(await audit.newest(3))).toEqual([4, 3, 2])
      expect(await audit.before(3, 1)).toEqual([odd])
      expect(ids(await audit.before(3, 9))).toEqual([2, 1])
      expect(await audit.rows(4, 9)).toEqual([])
    })
  })

  it('keeps the hash of the row before once, also when that row is in an archive', async () => {
    const chain = Array.from({ length: 9 }, (_, at) => row(at + 1))
    await append(...chain)
    const kept = await kit.sql(`SELECT prev_hash FROM audit_log WHERE tenant_id = '${kit.me}' ORDER BY id`)
    expect(kept.map((each) => each.prev_hash)).toEqual(['hash0', ...Array.from({ length: 8 }, () => '')])
    await kit.mine.transaction(async ({ audit }) => {
      await audit.addArchive(archive(1, 6))
      expect(await audit.deleteUpTo(6, 4)).toBe(4)
      expect(await audit.rows(0, 3)).toEqual(chain.slice(4, 7))
      expect(await audit.deleteUpTo(6, 4)).toBe(2)
      expect(await audit.deleteUpTo(6, 4)).toBe(0)
      expect(await audit.rows(0, 9)).toEqual(chain.slice(6))
      expect(await audit.newest(1)).toEqual(chain.slice(8))
      expect(await audit.before(9, 1)).toEqual(chain.slice(7, 8))
    })
    await append(row(10, { prevHash: 'another' }))
    await kit.mine.read(async ({ audit }) =>
      expect(await audit.newest(1)).toEqual([row(10, { prevHash: 'another' })]),
    )
  })

  it('keeps seal and anchor, and takes a text that is none as one that nobody made', async () => {
    const seal = { id: 3, hash: 'hash3', mac: 'm' }
    const anchor = { ...seal, digest: 'd' }
    await kit.mine.transaction(async ({ audit }) => {
      expect([await audit.seal(), await audit.anchor()]).toEqual([undefined, undefined])
      await audit.writeSeal({ ...seal, id: 1 })
      await audit.writeSeal(seal)
      await audit.writeAnchor(anchor)
      expect([await audit.seal(), await audit.anchor()]).toEqual([seal, anchor])
    })
    for (const text of ['', 'no json', 'null', '[]', '{"id":"3","hash":"h","mac":"m"}', '{"id":1e300}']) {
      await kit.mine.transaction(async ({ audit, meta }) => {
        await meta.set('audit_seal', text)
        await meta.set('audit_anchor', text)
        expect(await audit.seal()).toEqual({ id: 0, hash: '', mac: '' })
        expect(await audit.anchor()).toEqual({ id: 0, hash: '', mac: '', digest: '' })
      })
    }
  })

  it('lets no row be changed, and none be deleted beyond what is archived', async () => {
    await append(row(1), row(2), row(3), row(4))
    const where = `WHERE tenant_id = '${kit.me}'`
    await expect(kit.sql(`UPDATE audit_log SET actor = 'nobody' ${where}`)).rejects.toThrow(/append-only/)
    await expect(kit.sql(`DELETE FROM audit_log ${where}`)).rejects.toThrow(/append-only/)
    await expect(kit.mine.transaction(({ audit }) => audit.deleteUpTo(1, 5))).rejects.toThrow(/append-only/)
    await kit.mine.transaction(({ audit }) => audit.addArchive(archive(1, 3)))
    await expect(kit.mine.transaction(({ audit }) => audit.deleteUpTo(4, 9))).rejects.toThrow(/append-only/)
    const remove = (limit: number) => kit.mine.transaction(({ audit }) => audit.deleteUpTo(3, limit))
    expect([await remove(2), await remove(2), await remove(2)]).toEqual([2, 1, 0])
    expect(ids(await kit.mine.read(({ audit }) => audit.rows(0, 9)))).toEqual([4])
  })

  it('lists archives by range', async () => {
    await kit.mine.transaction(async ({ audit }) => {
      await audit.addArchive(archive(100, 120))
      await audit.addArchive(archive(9, 99))
    })
    expect(await kit.mine.read(({ audit }) => audit.archives())).toEqual([archive(9, 99), archive(100, 120)])
  })

  it('takes one of two rows of the same id, so that units which read the tail make one chain', async () => {
    await append(row(1))
    const clash = await Promise.allSettled([append(row(2)), append(row(2, { actor: 'another' }))])
    expect(clash.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const other = kit.engine === 'postgres' ? await kit.onAnotherNode() : kit.mine
    const appendNext = (at: number): Promise<void> =>
      (at % 2 === 0 ? kit.mine : other).transaction(async ({ audit }) => {
        const [tail] = await audit.newest(1)
        await audit.insert(row((tail?.id ?? 0) + 1, { prevHash: tail?.hash ?? '' }))
      })
    await Promise.all(Array.from({ length: 20 }, (_, at) => appendNext(at)))
    const rows = await kit.mine.read(({ audit }) => audit.rows(0, 99))
    expect(ids(rows)).toEqual(Array.from({ length: 22 }, (_, at) => at + 1))
    expect(rows.slice(1).every((each, at) => each.prevHash === rows[at]?.hash)).toBe(true)
  })

  it('has a chain, a seal and archives for each tenant, which know nothing of one another', async () => {
    const seal = { id: 2, hash: 'theirs', mac: 'm' }
    await kit.theirs.transaction(async ({ audit }) => {
      await audit.insert(row(1, { actor: 'theirs' }))
      await audit.insert(row(2))
      await audit.writeSeal(seal)
      await audit.writeAnchor({ ...seal, digest: '' })
      await audit.addArchive(archive(1, 1))
    })
    await kit.mine.transaction(async ({ audit }) => {
      expect(await audit.newest(9)).toEqual([])
      expect(await audit.rows(0, 9)).toEqual([])
      expect(await audit.before(9, 9)).toEqual([])
      expect([await audit.seal(), await audit.anchor(), await audit.archives()]).toEqual([
        undefined,
        undefined,
        [],
      ])
      expect(await audit.deleteUpTo(9, 9)).toBe(0)
      await audit.insert(row(1))
    })
    // What another tenant has archived lets nobody delete here.
    await expect(kit.mine.transaction(({ audit }) => audit.deleteUpTo(1, 1))).rejects.toThrow(/append-only/)
    await kit.theirs.read(async ({ audit }) => {
      expect(ids(await audit.rows(0, 9))).toEqual([1, 2])
      expect(await audit.seal()).toEqual(seal)
    })
  })

  it('finds rows through an index', async () => {
    for (const tenant of [kit.me, kit.them]) {
      await kit.sql(`INSERT INTO audit_log (tenant_id, id, at, event, actor, data, prev_hash, hash)
        SELECT '${tenant}', n, n, 'agent.added', 'cli:0', '{}', 'p', 'h' FROM (${kit.numbers(4_000)}) AS numbers`)
    }
    await kit.sql('ANALYZE')
    await kit.expectIndexed('rows in order', ({ audit }) => audit.rows(500, 100))
    await kit.expectIndexed('the newest', ({ audit }) => audit.newest(1))
    await kit.expectIndexed('those before', ({ audit }) => audit.before(500, 100))
  })

  it('tells in which blocks a term stands, and forgets those whose rows are gone', async () => {
    const block = (number: number, ...terms: string[]) => ({
      block: number,
      firstAt: number * 100,
      lastAt: number * 100 + 99,
      terms: new Set(terms),
    })
    const many = Array.from({ length: 500 }, (_, n) => `h:${n}.example`)
    await kit.mine.transaction(async ({ audit }) => {
      expect(await audit.indexedUpTo()).toBe(0)
      for (const each of [block(0, 'a', 'b'), block(1, 'b'), block(2, ...many)]) await audit.addBlock(each)
      expect(await audit.indexedUpTo()).toBe(192)
    })
    await kit.theirs.read(async ({ audit }) => {
      expect([await audit.indexedUpTo(), await audit.lastBlockNaming(['a'], 9)]).toEqual([0, null])
    })
    await kit.mine.read(async ({ audit }) => {
      expect(await audit.lastBlockNaming(['a', 'b'], 9)).toBe(1)
      expect(await audit.lastBlockNaming(['a', 'b'], 0)).toBe(0)
      expect(await audit.lastBlockNaming(['h:499.example'], 9)).toBe(2)
      expect(await audit.lastBlockNaming(['c'], 9)).toBe(null)
      expect(await audit.lastBlockWithin(null, null, 9)).toBe(2)
      expect(await audit.lastBlockWithin(100, 200, 9)).toBe(1)
      expect(await audit.lastBlockWithin(null, 0, 9)).toBe(null)
      expect(await audit.lastBlockWithin(300, null, 9)).toBe(null)
    })
    await append(...Array.from({ length: 130 }, (_, at) => row(at + 1)))
    await kit.mine.transaction(async ({ audit }) => {
      await audit.addArchive(archive(1, 130))
      await audit.deleteUpTo(130, 100)
      expect(await audit.lastBlockNaming(['a', 'b'], 9)).toBe(1)
      await audit.deleteUpTo(130, 100)
      expect(await audit.lastBlockNaming(['a', 'b'], 9)).toBe(null)
      expect(await audit.indexedUpTo()).toBe(192)
    })
  })

  it('finds the rows of one request, the newest first', async () => {
    await append(
      ...Array.from({ length: 9 }, (_, at) => row(at + 1, { requestId: at % 2 ? 'req_1' : 'req_2' })),
    )
    await kit.mine.read(async ({ audit }) => {
      expect(ids(await audit.ofRequest('req_1', 100, 3))).toEqual([8, 6, 4])
      expect(ids(await audit.ofRequest('req_1', 4, 3))).toEqual([2])
      expect(await audit.firstOf('req_2')).toMatchObject({ id: 1, requestId: 'req_2' })
      expect(await audit.firstOf('req_3')).toBeUndefined()
    })
  })
})
