import { expect, it } from 'vitest'
import { countedBytes, insertApproval, insertRequest, names } from '../../test/support/content-rows.ts'
import { storeContract } from '../../test/support/store-contract.ts'
import { idOf, type Tenant, tenantsOf } from '../../test/support/tenants.ts'
import { createContentStore } from './content-store.ts'
import type { ContentStore, Held } from './ports.ts'

const DAY_MS = 24 * 3_600_000

const held = (own: Tenant, codeHash: string, importsLock: string | null = null, agent = 'agt_1'): Held => ({
  agentId: idOf(own, agent),
  codeHash: codeHash as never,
  importsLock,
})
const inStore = <T>(own: Tenant, work: (contents: ContentStore) => Promise<T>): Promise<T> =>
  own.write((tx) => work(tx.contents))
const hold = (own: Tenant, bytes: number, code: string, lock: string | null = null, agent = 'agt_1') =>
  inStore(own, (contents) => contents.hold(held(own, code, lock, agent), bytes))
const ALL = { ran: 0, expired: 0 }
const release = (own: Tenant, code: string, ranSince = 0, agent = 'agt_1') =>
  inStore(own, (contents) =>
    contents.release(idOf(own, agent), code as never, { ran: ranSince, expired: ranSince }),
  )
const bytesOf = (own: Tenant, agent = 'agt_1') => own.read((tx) => tx.contents.bytesOf(idOf(own, agent)))
const holdings = (own: Tenant) => names(own, "code_hash || '/' || imports_lock", 'content_holders')
const insertCode = (own: Tenant, hash: string) =>
  own.rows(`INSERT INTO code (tenant_id, hash, text, created_at) VALUES (?, '${hash}', 'text', 1)`)

storeContract('the store of who keeps what', { contents: createContentStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it('sums what each agent holds, and takes a holding once', async () => {
    const own = await tenant()
    expect(await bytesOf(own)).toBe(0)
    await hold(own, 5, 'c1')
    await hold(own, 7, 'c1', 'l1')
    await hold(own, 11, 'c1', null, 'agt_2')
    await expect(hold(own, 5, 'c1')).rejects.toThrow()
    expect([await bytesOf(own), await bytesOf(own, 'agt_2')]).toEqual([12, 11])
    const isHeld = (what: Held) => own.read((tx) => tx.contents.isHeld(what))
    expect(await isHeld(held(own, 'c1'))).toBe(true)
    expect(await isHeld(held(own, 'c1', 'l1'))).toBe(true)
    expect(await isHeld(held(own, 'c1', 'l1', 'agt_2'))).toBe(false)
    expect(await isHeld(held(own, 'c2'))).toBe(false)
  })

  it('sums rows, output and keys of requests, whatever characters they are of', async () => {
    const own = await tenant()
    await insertRequest(own, { request: 'req_1', consent: '{"é":"日本𝄞"}', outputBytes: 100 })
    await insertRequest(own, { request: 'req_2', outputBytes: 0 })
    await own.rows(`INSERT INTO idempotency (tenant_id, agent_id, key, request_id, body_hash, created_at)
      VALUES (?, '${idOf(own, 'agt_1')}', 'kéy', 'r', 'b', 1)`)
    const counted = () => countedBytes(own)
    const first = await bytesOf(own)
    expect(first).toBe('{"é":"日本𝄞"}'.length + 1 + 4 + 2 + '{}'.length + 4 + 100 + 2 * 1_024 + 4 + 256)
    expect(first).toBe(await counted())
    await own.rows('UPDATE executions SET output_bytes = output_bytes / 2 WHERE tenant_id = ?')
    expect(await bytesOf(own)).toBe(first - 50)
    await own.rows('DELETE FROM idempotency WHERE tenant_id = ?')
    await own.rows('DELETE FROM executions WHERE tenant_id = ? AND output_bytes > 0')
    expect(await bytesOf(own)).toBe(await counted())
    await own.rows('DELETE FROM executions WHERE tenant_id = ?')
    expect(await bytesOf(own)).toBe(0)
  })

  it('undoes the sum with the unit', async () => {
    const own = await tenant()
    await expect(
      own.write(async (tx) => {
        await tx.contents.hold(held(own, 'c1'), 5)
        expect(await tx.contents.bytesOf(idOf(own, 'agt_1'))).toBe(5)
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    expect(await bytesOf(own)).toBe(0)
  })

  it('loses no part of a sum of units at once', async () => {
    const own = await tenant()
    await Promise.all(Array.from({ length: 20 }, (_, index) => hold(own, index, `c${index}`)))
    expect(await bytesOf(own)).toBe(190)
  })

  it('finds the next agent that keeps more, also than a part of a byte', async () => {
    const own = await tenant()
    await hold(own, 10, 'c1')
    await hold(own, 5, 'c1', null, 'agt_2')
    await hold(own, 11, 'c1', null, 'agt_3')
    const next = (bytes: number, after?: string) =>
      own.read((tx) => tx.contents.nextBeyond(bytes, after === undefined ? undefined : idOf(own, after)))
    expect(await next(5)).toBe(idOf(own, 'agt_1'))
    expect(await next(5, 'agt_1')).toBe(idOf(own, 'agt_3'))
    expect(await next(5, 'agt_3')).toBeUndefined()
    expect(await next(9.9)).toBe(idOf(own, 'agt_1'))
    expect(await next(10)).toBe(idOf(own, 'agt_3'))
    expect(await next(10.5)).toBe(idOf(own, 'agt_3'))
  })

  it.each(['pending', 'awaiting_secrets', 'approved', 'running'])(
    'lets nothing go that a request in state %s needs',
    async (status) => {
      const own = await tenant()
      await hold(own, 1, 'c1')
      await hold(own, 1, 'c1', 'l1')
      await hold(own, 1, 'c1', 'l2')
      await insertRequest(own, { request: 'req_1', code: 'c1', lock: 'l1', status, finishedAt: null })
      await release(own, 'c1')
      expect(await holdings(own)).toEqual(['c1/', 'c1/l1'])
      await own.rows("UPDATE executions SET status = 'success' WHERE tenant_id = ?")
      await release(own, 'c1')
      expect(await holdings(own)).toEqual([])
    },
  )

  it('lets nothing go that an active grant needs, whoever asked for it', async () => {
    const own = await tenant()
    await hold(own, 1, 'c1', null, 'agt_2')
    await hold(own, 1, 'c1', 'l1', 'agt_2')
    await hold(own, 1, 'c1', 'l2', 'agt_2')
    await insertApproval(own, { code: 'c1', lock: 'l1' })
    await insertApproval(own, { code: 'c1', lock: 'l2', endedAt: 5 })
    await release(own, 'c1', 0, 'agt_2')
    expect(await holdings(own)).toEqual(['c1/', 'c1/l1'])
    await own.rows('UPDATE approvals SET ended_at = 5 WHERE tenant_id = ?')
    await release(own, 'c1', 0, 'agt_2')
    expect(await holdings(own)).toEqual([])
  })

  it("is not stopped by a consent that is no JSON, nor held by another agent's request", async () => {
    const own = await tenant()
    // Of a request an empty one would be one that stands with others'.
    await insertApproval(own, { code: 'c1', consent: '' })
    for (const consent of [
      'no json',
      '[]',
      '7',
      '{"imports":7}',
      '{"imports":null}',
      '{"imports":{"lock":null}}',
    ]) {
      await insertApproval(own, { code: 'c1', consent })
      await insertRequest(own, {
        request: `req_${consent}`,
        code: 'c1',
        agent: 'agt_2',
        status: 'pending',
        consent,
      })
    }
    await hold(own, 1, 'c2')
    await hold(own, 1, 'c1', 'l1')
    await insertRequest(own, { request: 'req_of_2', code: 'c2', agent: 'agt_2', status: 'pending' })
    await release(own, 'c1')
    await release(own, 'c2')
    expect(await holdings(own)).toEqual([])
  })

  it('keeps code that ran after a time, and writes that it ran once a day', async () => {
    const own = await tenant()
    const now = 1_900_000_000_000
    const ran = (at: number) =>
      inStore(own, (contents) => contents.ran(idOf(own, 'agt_1'), 'c1' as never, at))
    await hold(own, 1, 'c1')
    await hold(own, 1, 'c1', 'l1')
    await ran(now)
    await ran(now + DAY_MS)
    expect(
      await own.rows('SELECT ran_at FROM content_holders WHERE tenant_id = ? ORDER BY imports_lock'),
    ).toEqual([{ ran_at: now }, { ran_at: 0 }])
    await ran(now + DAY_MS + 1)
    await release(own, 'c1', now + DAY_MS)
    expect(await holdings(own)).toEqual(['c1/'])
    await release(own, 'c1', now + DAY_MS + 1)
    expect(await holdings(own)).toEqual([])
  })

  it('goes through all holdings in pages, counting and letting go alike', async () => {
    const own = await tenant()
    const all = ['a', 'B', 'é', '𝄞'].flatMap((code) => [null, 'l1'].map((lock) => [code, lock] as const))
    for (const [code, lock] of all) await hold(own, lock === null ? 3 : 10, code, lock)
    await insertApproval(own, { code: 'a' })
    const page = (after: Held | undefined) => own.read((tx) => tx.contents.countNext(after, 3, ALL))
    const pages = [await page(undefined)]
    for (let last = pages.at(-1); last?.next !== undefined; last = pages.at(-1))
      pages.push(await page(last.next))
    expect(pages.map(({ code, bytes }) => [code, bytes])).toEqual([
      [1, 13],
      [1, 23],
      [1, 13],
    ])
    expect(pages[0]?.next).toEqual(held(own, 'a'))
    expect(pages.at(-1)?.next).toBeUndefined()
    let after: Held | undefined
    for (let turns = 0; turns < 9; turns += 1) {
      after = await inStore(own, (contents) => contents.releaseNext(after, 3, ALL))
      if (after === undefined) break
    }
    expect(await holdings(own)).toEqual(['a/'])
    expect(await bytesOf(own)).toBe(3)
  })

  it('shows a tenant nothing of another, nor holds for it or lets go of its', async () => {
    const [one, other] = [await tenant(), await tenant()]
    for (const own of [one, other]) {
      await insertCode(own, 'c1')
      await hold(own, 5, 'c1')
    }
    await inStore(other, (contents) => contents.hold(held(one, 'c1'), 5))
    await insertApproval(other, { code: 'c1' })
    await insertRequest(other, { request: 'req_1', code: 'c1', status: 'pending', agent: 'agt_1' })
    expect(await one.read((tx) => tx.contents.isHeld(held(other, 'c1')))).toBe(false)
    expect(await one.read((tx) => tx.contents.bytesOf(idOf(other, 'agt_1')))).toBe(0)
    expect(await one.read((tx) => tx.contents.nextBeyond(0, idOf(one, 'agt_1')))).toBeUndefined()
    expect(await one.read((tx) => tx.contents.countNext(undefined, 9, ALL))).toMatchObject({
      code: 1,
      bytes: 5,
    })
    await inStore(one, (contents) => contents.release(idOf(other, 'agt_1'), 'c1' as never, ALL))
    await inStore(one, (contents) => contents.ran(idOf(other, 'agt_1'), 'c1' as never, DAY_MS * 2))
    await release(one, 'c1')
    expect([await holdings(one), await holdings(other)]).toEqual([[], ['c1/', 'c1/']])
    expect(await inStore(one, (contents) => contents.deleteReleased())).toEqual({ codeHash: 'c1' })
    expect(await inStore(one, (contents) => contents.deleteReleased())).toBeUndefined()
    expect([await names(one, 'hash', 'code'), await names(other, 'hash', 'code')]).toEqual([[], ['c1']])
    expect(await names(other, 'code_hash', 'content_holders', 'AND ran_at > 0')).toEqual([])
  })
})

storeContract('what nobody holds any more', { contents: createContentStore }, (kit) => {
  const tenant = tenantsOf(kit)
  const deleteNext = (own: Tenant) => inStore(own, (contents) => contents.deleteReleased())
  const insertLock = async (
    own: Tenant,
    lock: string,
    files: readonly string[],
    bytes = 1,
  ): Promise<void> => {
    await own.rows(
      `INSERT INTO import_locks (tenant_id, hash, manifest, created_at) VALUES (?, '${lock}', '{}', 1)`,
    )
    for (const file of files) {
      await own.rows(`INSERT INTO import_files (tenant_id, sha256, bytes) VALUES (?, '${file}', ${kit.bytes('07'.repeat(bytes))})
        ON CONFLICT DO NOTHING`)
      await own.rows(
        `INSERT INTO import_lock_files (tenant_id, lock, sha256) VALUES (?, '${lock}', '${file}')`,
      )
    }
  }

  it('goes when the last agent lets go: code with its facts', async () => {
    const own = await tenant()
    for (const hash of ['c1', 'c2']) {
      await insertCode(own, hash)
      await own.rows(
        `INSERT INTO code_facts (tenant_id, hash, language, version, facts) VALUES (?, '${hash}', 'js', 1, '{}')`,
      )
    }
    await hold(own, 1, 'c1')
    await hold(own, 1, 'c2')
    await hold(own, 1, 'c1', null, 'agt_2')
    await release(own, 'c1')
    expect(await deleteNext(own)).toBeUndefined()
    await release(own, 'c1', 0, 'agt_2')
    expect(await deleteNext(own)).toEqual({ codeHash: 'c1' })
    expect(await deleteNext(own)).toBeUndefined()
    expect([await names(own, 'hash', 'code'), await names(own, 'hash', 'code_facts')]).toEqual([
      ['c2'],
      ['c2'],
    ])
  })

  it('stays when it is held again before its turn', async () => {
    const own = await tenant()
    await insertCode(own, 'c1')
    await insertLock(own, 'l1', ['f1'])
    await hold(own, 1, 'c1')
    await hold(own, 1, 'c1', 'l1')
    await release(own, 'c1')
    await hold(own, 1, 'c1', null, 'agt_2')
    await hold(own, 1, 'c2', 'l1', 'agt_2')
    expect(await deleteNext(own)).toEqual({ codeHash: null })
    expect(await deleteNext(own)).toEqual({ codeHash: null })
    expect(await deleteNext(own)).toBeUndefined()
    expect([await names(own, 'hash', 'code'), await names(own, 'sha256', 'import_files')]).toEqual([
      ['c1'],
      ['f1'],
    ])
  })

  it('goes once, although it was let go of twice', async () => {
    const own = await tenant()
    for (let times = 0; times < 2; times += 1) {
      await hold(own, 1, 'c1')
      await release(own, 'c1')
    }
    expect(await deleteNext(own)).toEqual({ codeHash: 'c1' })
    expect(await deleteNext(own)).toBeUndefined()
  })

  it('goes with the imports that no other lock names, the lock first, in pieces of some rows', async () => {
    const own = await tenant()
    const files = Array.from({ length: 60 }, (_, index) => `f${index}`)
    await insertLock(own, 'l1', files)
    await insertLock(own, 'l2', ['f7', 'other'])
    await hold(own, 1, 'c1', 'l1')
    await hold(own, 1, 'c1', 'l2', 'agt_2')
    await release(own, 'c1')
    expect(await deleteNext(own)).toEqual({ codeHash: null })
    expect(await names(own, 'hash', 'import_locks')).toEqual(['l2'])
    expect(await names(own, 'sha256', 'import_lock_files', "AND lock = 'l1'")).toHaveLength(10)
    expect(await deleteNext(own)).toEqual({ codeHash: null })
    expect(await deleteNext(own)).toBeUndefined()
    expect(await names(own, 'sha256', 'import_files')).toEqual(['f7', 'other'])
  })

  it('is nothing of another tenant, although it has the same', async () => {
    const [one, other] = [await tenant(), await tenant()]
    for (const own of [one, other]) {
      await insertCode(own, 'c1')
      await own.rows(
        "INSERT INTO code_facts (tenant_id, hash, language, version, facts) VALUES (?, 'c1', 'js', 1, '{}')",
      )
      await insertLock(own, 'l1', ['f1', 'f2'])
      await hold(own, 1, 'c1')
      await hold(own, 1, 'c1', 'l1')
    }
    await release(one, 'c1')
    for (let pieces = 0; pieces < 2; pieces += 1) expect(await deleteNext(one)).toBeDefined()
    expect(await deleteNext(one)).toBeUndefined()
    expect(await deleteNext(other)).toBeUndefined()
    const left = (own: Tenant) =>
      Promise.all([
        names(own, 'hash', 'code'),
        names(own, 'hash', 'code_facts'),
        names(own, 'hash', 'import_locks'),
        names(own, 'sha256', 'import_lock_files'),
        names(own, 'sha256', 'import_files'),
      ])
    expect(await left(one)).toEqual([[], [], [], [], []])
    expect(await left(other)).toEqual([['c1'], ['c1'], ['l1'], ['f1', 'f2'], ['f1', 'f2']])
  })

  it('goes in pieces of some bytes', async () => {
    const own = await tenant()
    await insertLock(own, 'l1', ['f1', 'f2', 'f3', 'f4'], 600_000)
    await hold(own, 1, 'c1', 'l1')
    await release(own, 'c1')
    await deleteNext(own)
    expect(await names(own, 'sha256', 'import_files')).toEqual(['f3', 'f4'])
    await deleteNext(own)
    await deleteNext(own)
    expect(await names(own, 'sha256', 'import_files')).toEqual([])
    expect(await deleteNext(own)).toBeUndefined()
  })
})
