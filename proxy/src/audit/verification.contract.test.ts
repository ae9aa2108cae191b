import { describe, expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import type { Storage } from '../kernel/index.ts'
import { createMetaStore } from '../storage/index.ts'
import { type AuditLog, createAuditLog } from './audit-log.ts'
import { createAuditStore } from './audit-store.ts'
import { type AuditScans, createAuditScans, LOWEST_ID } from './chain-check.ts'

const DAY_MS = 24 * 60 * 60_000
const KEY = new Uint8Array(32).fill(9)

storeContract('a check of the audit', { audit: createAuditStore, meta: createMetaStore }, (kit) => {
  let now = 1_700_000_000_000
  /** Where each slice began to read. */
  const begun: number[] = []
  const open = (storage: Storage = kit.mine, sliceMs = Number.POSITIVE_INFINITY): AuditLog => {
    const scans = createAuditScans(storage, sliceMs)
    const noting: AuditScans = {
      ...scans,
      check(from) {
        begun.push(from.after)
        return scans.check(from)
      },
    }
    return createAuditLog({ storage, clock: { now: () => now }, auditKey: KEY, scans: noting })
  }
  const append = async (log: AuditLog, count: number, storage: Storage = kit.mine): Promise<void> => {
    await storage.transaction(async (tx) => {
      for (let at = 0; at < count; at++) await log.append(tx, 'agent.added', 'cli:0', null, { at })
    })
  }
  const verify = async (log: AuditLog, options?: Parameters<AuditLog['verify']>[0]) => {
    begun.length = 0
    return await log.verify(options)
  }
  /** What somebody can do who may write the database but does not have the master key. */
  const change = async (id: number): Promise<void> => {
    const on = kit.engine === 'sqlite' ? '' : 'ON audit_log'
    await kit.sql(`DROP TRIGGER IF EXISTS audit_log_no_update ${on}`)
    await kit.sql(`UPDATE audit_log SET actor = 'cli:1' WHERE tenant_id = '${kit.me}' AND id = ${id}`)
  }
  const checkpointOf = async (tenant: string): Promise<string> => {
    const [row] = await kit.sql(
      `SELECT value FROM meta WHERE tenant_id = '${tenant}' AND key = 'audit_checkpoint'`,
    )
    return String(row?.value)
  }
  const putCheckpoint = (text: string): Promise<unknown> =>
    kit.sql(`UPDATE meta SET value = '${text}' WHERE tenant_id = '${kit.me}' AND key = 'audit_checkpoint'`)

  it('goes on where the one before it ended, also in another process', async () => {
    const log = open()
    await append(log, 300)
    expect(await verify(log)).toMatchObject({ ok: true, finished: true, rows: 300, earlier: 0 })
    expect(begun).toEqual([LOWEST_ID])
    await append(log, 5)
    for (const one of [log, open()]) {
      const verdict = await verify(one)
      expect(begun[0]).toBeGreaterThanOrEqual(300)
      expect(verdict).toMatchObject({ ok: true, finished: true, rows: 305 })
    }
    expect(await verify(log, { full: true })).toMatchObject({ ok: true, rows: 305, earlier: 0 })
    expect(begun).toEqual([LOWEST_ID])
  })

  it('ends when its time is over, and is gone on with until all is checked', async () => {
    const log = open(kit.mine, 0)
    await append(log, 700)
    let verdict = await verify(log, { full: true, ms: 0 })
    expect(verdict).toMatchObject({ ok: true, finished: false, rows: 250, earlier: 0 })
    const rows: number[] = []
    while (verdict.ok && !verdict.finished) {
      verdict = await verify(log, { ms: 0 })
      rows.push(verdict.rows)
    }
    expect(rows).toEqual([500, 700, 700])
    await change(600)
    expect(await verify(log, { full: true, ms: 0 })).toMatchObject({ finished: false, rows: 250 })
    expect(await verify(log)).toMatchObject({ ok: false, brokenId: 600 })
  })

  describe('whose earlier rows were changed', () => {
    const tampered = async (): Promise<AuditLog> => {
      const log = open()
      await append(log, 10)
      expect((await verify(log)).ok).toBe(true)
      await change(4)
      return log
    }

    it('shows it when all are read again, and from then on to whoever asks', async () => {
      const log = await tampered()
      // What is given up for not reading all again.
      expect(await verify(log)).toMatchObject({ ok: true, earlier: 10 })
      expect(await verify(log, { full: true })).toMatchObject({ ok: false, brokenId: 4 })
      for (const one of [log, open()]) {
        expect(await verify(one)).toMatchObject({ ok: false, brokenId: 4 })
        await append(one, 1)
      }
      await putCheckpoint('{}')
      expect((await verify(open())).ok).toBe(false)
    })

    it('shows it a week after the last check that read all, whatever was checked since', async () => {
      const log = await tampered()
      for (let day = 0; day < 7; day++) {
        now += DAY_MS
        await append(log, 1)
        expect((await verify(log)).ok).toBe(true)
      }
      now += 1
      expect(await verify(log)).toMatchObject({ ok: false, brokenId: 4 })
    })

    it('shows it when the clock is before the check', async () => {
      const log = await tampered()
      now -= 1
      expect(await verify(log)).toMatchObject({ ok: false, brokenId: 4 })
    })

    it('takes no checkpoint that was not made with the key, for this tenant, of this row and hash', async () => {
      const forgeries: readonly (readonly [string, (genuine: string) => string | Promise<string>])[] = [
        ['of a later time', (text) => text.replace(/"since":\d+/, `"since":${now - 5}`)],
        ['of another row', (text) => text.replace('"id":10', '"id":9')],
        ['of a string', (text) => text.replace('"id":10', '"id":"10"')],
        ['without a time', (text) => text.replace(/,"since":\d+/, '')],
        ['without a code', (text) => text.replace(/"mac":"[0-9a-f]+"/, '"mac":""')],
        ['no JSON', () => 'good to row 10'],
        ['of another tenant', async () => await checkpointOf(kit.them)],
      ]
      now += 10
      const other = open(kit.theirs)
      await append(other, 10, kit.theirs)
      expect((await other.verify()).ok).toBe(true)
      await tampered()
      const genuine = await checkpointOf(kit.me)
      expect(JSON.parse(genuine)).toMatchObject({ id: 10 })
      expect((await verify(open())).ok).toBe(true)
      for (const [what, forge] of forgeries) {
        const text = await forge(genuine)
        expect(text, what).not.toBe(genuine)
        await putCheckpoint(text)
        // Another process, which does not know what the last one left there.
        expect(await verify(open()), what).toMatchObject({ ok: false, brokenId: 4 })
      }
    })

    it('takes no checkpoint that was put back in the place of a newer one', async () => {
      const log = open()
      await append(log, 10)
      expect((await verify(log)).ok).toBe(true)
      const older = await checkpointOf(kit.me)
      now += 1
      expect((await verify(log, { full: true })).ok).toBe(true)
      await change(4)
      expect(await checkpointOf(kit.me)).not.toBe(older)
      await putCheckpoint(older)
      expect(await verify(log)).toMatchObject({ ok: false, brokenId: 4 })
    })

    it('shows rows that are gone with what was checked, and one that is not the checked one any more', async () => {
      const log = open()
      await append(log, 10)
      expect((await verify(log)).ok).toBe(true)
      await change(10)
      await kit.sql(`UPDATE audit_log SET hash = 'x' WHERE tenant_id = '${kit.me}' AND id = 10`)
      expect(await verify(log)).toMatchObject({ ok: false, brokenId: 10 })
    })
  })

  it('of no row is good, and so is the first one, also beside a tenant that has many', async () => {
    const other = open(kit.theirs)
    await append(other, 20, kit.theirs)
    expect((await other.verify()).ok).toBe(true)
    const log = createAuditLog({
      storage: kit.mine,
      clock: { now: () => now },
      auditKey: KEY,
      mayBegin: true,
    })
    expect(await log.verify()).toMatchObject({ ok: true, rows: 0, earlier: 0 })
    expect(await log.verify({ full: true })).toMatchObject({ ok: true, rows: 0 })
    await append(log, 1)
    expect(await log.verify()).toMatchObject({ ok: true, rows: 1 })
    expect(await open().verify()).toMatchObject({ ok: true, rows: 1, earlier: 1 })
  })

  it('holds while rows come, whatever was written between its pages, and exports them in order', async () => {
    const log = open(kit.mine, 0)
    await append(log, 300)
    let isOver = false
    const writing = (async () => {
      for (let at = 0; !isOver && at < 200; at += 1) await append(log, 3)
    })()
    const [first, second, other] = await Promise.all([
      log.verify(),
      log.verify({ full: true }),
      open().verify({ full: true }),
    ])
    for (const verdict of [first, second, other]) expect(verdict).toMatchObject({ ok: true, finished: true })
    let last = 0
    for await (const { id } of log.export()) {
      expect(id).toBe(last + 1)
      last = id
    }
    isOver = true
    await writing
    expect(last).toBeGreaterThanOrEqual(300)
    expect(await log.verify()).toMatchObject({ ok: true, finished: true })
    expect(await open().verify({ full: true })).toMatchObject({ ok: true })
  })

  it('shows a row that was changed behind its checkpoint at once, and rows that were cut off with it', async () => {
    for (const attack of [
      `UPDATE audit_log SET actor = 'cli:1' WHERE tenant_id = '${kit.me}' AND id = 13`,
      `DELETE FROM audit_log WHERE tenant_id = '${kit.me}' AND id >= 12`,
      `DELETE FROM audit_log WHERE tenant_id = '${kit.me}' AND id >= 8`,
    ]) {
      const log = open()
      if ((await kit.mine.read((tx) => tx.audit.newest(1))).length === 0) {
        await append(log, 10)
        expect((await log.verify()).ok).toBe(true)
        await append(log, 5)
      }
      const on = kit.engine === 'sqlite' ? '' : 'ON audit_log'
      for (const trigger of ['audit_log_no_update', 'audit_log_no_delete'])
        await kit.sql(`DROP TRIGGER IF EXISTS ${trigger} ${on}`)
      await kit.sql(attack)
      for (const one of [log, open()]) expect(await one.verify(), attack).toMatchObject({ ok: false })
    }
  })
})
