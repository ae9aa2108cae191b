/** Checks of the audit that go on from a checkpoint, with archives made between them, on both engines. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  auditRowHash,
  createAuditArchiver,
  createAuditLog,
  createAuditStore,
  type StoredAuditRow,
} from '../../src/audit/index.ts'
import { createAuditArchiveFiles } from '../../src/storage/files/index.ts'
import { createMetaStore } from '../../src/storage/index.ts'
import { storeContract } from '../support/store-contract.ts'

storeContract('an audit with archives', { audit: createAuditStore, meta: createMetaStore }, (kit) => {
  const now = 1_700_000_000_000
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oauth3-checkpoint-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  /** As a daemon has it after a start. */
  const start = () => {
    const parts = { storage: kit.mine, clock: { now: () => now }, auditKey: new Uint8Array(32).fill(9) }
    const audit = createAuditLog(parts)
    const files = createAuditArchiveFiles(join(folder, 'audit-archive'))
    const archiver = createAuditArchiver({ ...parts, audit, files, rowsAFile: 7 })
    return {
      audit,
      append: (count: number) =>
        kit.mine.transaction(async (tx) => {
          for (let at = 0; at < count; at += 1) await audit.append(tx, 'agent.added', 'cli:0', null, { at })
        }),
      archive: (last: number) => archiver.archive(last, 'cli:0', 60_000),
      verify: (full = false) => archiver.verify({ archives: true, full }),
    }
  }
  const attack = async (sql: string): Promise<void> => {
    const on = kit.engine === 'sqlite' ? '' : 'ON audit_log'
    for (const trigger of ['audit_log_no_update', 'audit_log_no_delete'])
      await kit.sql(`DROP TRIGGER IF EXISTS ${trigger} ${on}`)
    await kit.sql(sql)
  }
  const mine = (rest: string): string => `tenant_id = '${kit.me}' AND ${rest}`

  it('goes on behind its checkpoint where rows before it were archived, and from the archive where that passed it', async () => {
    const first = start()
    await first.append(30)
    expect(await first.verify()).toMatchObject({ ok: true, rows: 30, earlier: 0 })
    await first.archive(10)
    // Two files of at most seven rows each, and a row for each of them.
    expect(await first.verify()).toMatchObject({ ok: true, rows: 32, archived: 10, earlier: 30 })
    const second = start()
    expect(await second.verify()).toMatchObject({ ok: true, rows: 32, archived: 10, earlier: 32 })
    await second.append(5)
    await second.archive(36)
    const verdict = await second.verify()
    expect(verdict).toMatchObject({ ok: true, archived: 36 })
    const third = start()
    await third.append(1)
    for (const full of [false, true])
      expect(await third.verify(full)).toMatchObject({ ok: true, archived: 36, finished: true })
  })

  it('does not archive what was changed behind a checkpoint that says that it is good', async () => {
    const one = start()
    await one.append(30)
    expect(await one.verify()).toMatchObject({ ok: true })
    await attack(`UPDATE audit_log SET actor = 'cli:1' WHERE ${mine('id = 5')}`)
    const outcome = await one.archive(10).then(
      () => 'archived',
      (error: { code?: string }) => error.code,
    )
    expect(outcome).toBe('conflict')
    expect(await one.verify(true)).toMatchObject({ ok: false, brokenId: 5 })
  })

  it.each([7, 10])(
    'seals no row %i, the last of a file, that was changed with its hash behind a checkpoint',
    async (id) => {
      const one = start()
      await one.append(30)
      expect(await one.verify()).toMatchObject({ ok: true })
      const row = (await kit.mine.read((tx) => tx.audit.rows(id - 1, 1)))[0] as StoredAuditRow
      const hash = auditRowHash({ ...row, actor: 'cli:1' })
      await attack(`UPDATE audit_log SET actor = 'cli:1', hash = '${hash}' WHERE ${mine(`id = ${id}`)}`)
      await expect(one.archive(10)).rejects.toMatchObject({ code: 'conflict' })
      const archives = await kit.mine.read((tx) => tx.audit.archives())
      expect(archives.filter(({ last }) => last >= id)).toEqual([])
    },
  )

  it('shows what was changed among archived rows that are still there, and an anchor set back', async () => {
    const one = start()
    await one.append(30)
    await one.verify()
    const [anchorBefore] = await kit.sql(`SELECT value FROM meta WHERE ${mine("key = 'audit_anchor'")}`)
    await one.archive(10)
    expect(anchorBefore).toBeUndefined()
    await attack(`DELETE FROM meta WHERE ${mine("key = 'audit_anchor'")}`)
    for (const audit of [one, start()]) expect(await audit.verify(true)).toMatchObject({ ok: false })
  })
})
