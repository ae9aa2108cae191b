import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type AuditLog,
  auditRowHash,
  createAuditLog,
  createAuditStore,
  type StoredAuditRow,
} from '../../src/audit/index.ts'
import { DEFAULT_TENANT, type Storage } from '../../src/kernel/index.ts'
import {
  createMetaStore,
  type OpenStorage,
  openStorage,
  type StoreFactories,
} from '../../src/storage/index.ts'
import { collect } from '../support/collect.ts'

const ROWS = 10
const KEY = new Uint8Array(32).fill(9)

let dir: string
let opened: OpenStorage
let storage: Storage
/** Beside the daemon's own connection. */
let db: Database
let audit: AuditLog

const open = (mayBegin?: boolean, auditKey = KEY): AuditLog =>
  createAuditLog({
    storage,
    clock: { now: () => 1_700_000_000_000 },
    auditKey,
    ...(mayBegin === undefined ? {} : { mayBegin }),
  })
const append = (log = audit): Promise<void> =>
  storage.transaction((tx) =>
    log.append(tx, 'request.refused', 'agent:agt_demo', 'req_demo', { code: 'invalid_request' }),
  )

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-audit-'))
  const path = join(dir, 'proxy.db')
  opened = await openStorage({
    database: { path },
    stores: { audit: createAuditStore, meta: createMetaStore } as Partial<StoreFactories> as StoreFactories,
    onDefect: (error) => console.error(error),
  })
  storage = opened.forTenant(DEFAULT_TENANT)
  db = new SqliteDatabase(path)
  audit = open()
  for (let count = 0; count < ROWS; count++) await append()
})
afterEach(async () => {
  db.close()
  await opened[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

/** What somebody can do who may write the file but does not have the master key. */
const attack = (sql: string, ...values: unknown[]): void => {
  db.exec('DROP TRIGGER IF EXISTS audit_log_no_update; DROP TRIGGER IF EXISTS audit_log_no_delete')
  db.prepare(sql).run(...values)
}
const rows = (): Promise<StoredAuditRow[]> => collect(audit.export())

/** Chains every row anew, as anybody can. */
async function rechain(): Promise<void> {
  let prevHash = '0'.repeat(64)
  for (const row of await rows()) {
    const hash = auditRowHash({ ...row, prevHash })
    attack('UPDATE audit_log SET prev_hash = ?, hash = ? WHERE id = ?', prevHash, hash, row.id)
    prevHash = hash
  }
}

/** Before and after further events, and after a restart: a break stays a break. */
async function expectBroken(brokenId: number): Promise<void> {
  expect(await audit.verify()).toMatchObject({ ok: false, brokenId })
  await append()
  await append()
  expect((await audit.verify()).ok).toBe(false)
  audit = open(false)
  await append()
  expect((await audit.verify()).ok).toBe(false)
}

describe('the audit under the hands of somebody without the master key', () => {
  it('holds when nobody touched it, also after a restart', async () => {
    expect(await audit.verify()).toMatchObject({ ok: true, rows: ROWS })
    audit = open(false)
    await append()
    expect(await audit.verify()).toMatchObject({ ok: true, rows: ROWS + 1 })
  })

  it('takes no change and no deletion while its triggers stand', () => {
    expect(() => db.exec('UPDATE audit_log SET actor = 1')).toThrow('append-only')
    expect(() => db.exec('DELETE FROM audit_log')).toThrow('append-only')
  })

  it.each(['at', 'event', 'actor', 'request_id', 'data', 'prev_hash', 'hash'])(
    'names the row whose %s was edited',
    async (column) => {
      attack(`UPDATE audit_log SET ${column} = ${column === 'at' ? '1' : "'other'"} WHERE id = 4`)
      await expectBroken(4)
    },
  )

  it('names the row of which one blank was added', async () => {
    attack("UPDATE audit_log SET data = data || ' ' WHERE id = 7")
    await expectBroken(7)
  })

  it('names the edited row when its hash was made anew', async () => {
    attack("UPDATE audit_log SET actor = 'agent:other' WHERE id = 4")
    const row = (await rows()).find(({ id }) => id === 4)
    attack('UPDATE audit_log SET hash = ? WHERE id = 4', row && auditRowHash(row))
    await expectBroken(5)
  })

  it('shows an edit with every hash made anew', async () => {
    attack("UPDATE audit_log SET actor = 'agent:other' WHERE id = 4")
    await rechain()
    await expectBroken(ROWS)
  })

  it('shows an edit with every hash and the seal made anew', async () => {
    attack("UPDATE audit_log SET actor = 'agent:other' WHERE id = 4")
    await rechain()
    const seal = { id: ROWS, hash: (await rows()).at(-1)?.hash, mac: 'f'.repeat(64) }
    attack("UPDATE meta SET value = ? WHERE key = 'audit_seal'", JSON.stringify(seal))
    await expectBroken(ROWS)
  })

  it.each([1, 4, 9])('names row %i when it is gone from the middle', async (id) => {
    attack('DELETE FROM audit_log WHERE id = ?', id)
    await expectBroken(id)
  })

  it('names the first row that was cut off at the end', async () => {
    attack('DELETE FROM audit_log WHERE id > 6')
    expect(await audit.verify()).toMatchObject({ ok: false, brokenId: 7 })
  })

  it('is not fooled by a cut end whose seal was put back by hand', async () => {
    attack('DELETE FROM audit_log WHERE id > 6')
    const seal = { id: 6, hash: (await rows()).at(-1)?.hash, mac: '0'.repeat(64) }
    attack("UPDATE meta SET value = ? WHERE key = 'audit_seal'", JSON.stringify(seal))
    await expectBroken(6)
  })

  it('is not fooled when rows are deleted from the start and the rest is renumbered', async () => {
    attack('DELETE FROM audit_log WHERE id <= 3')
    attack('UPDATE audit_log SET id = id - 3')
    await rechain()
    await expectBroken(ROWS - 3 + 1)
  })

  it('shows that all rows are gone', async () => {
    attack('DELETE FROM audit_log')
    await expectBroken(1)
  })

  it('shows that all rows and the seal are gone', async () => {
    attack('DELETE FROM audit_log')
    attack("DELETE FROM meta WHERE key = 'audit_seal'")
    await expectBroken(1)
  })

  it('shows that all rows and the seal went while the daemon was down', async () => {
    attack('DELETE FROM audit_log')
    attack("DELETE FROM meta WHERE key = 'audit_seal'")
    audit = open(false)
    await expectBroken(1)
  })

  it.each(['', '{}', 'not json', 'null', '{"id":"x","hash":1,"mac":[]}', '{"id":1e99,"hash":"","mac":""}'])(
    'goes on, and says so, when the seal is %j',
    async (seal) => {
      attack("UPDATE meta SET value = ? WHERE key = 'audit_seal'", seal)
      await expectBroken(ROWS)
    },
  )

  it('names a swapped row', async () => {
    attack('UPDATE audit_log SET id = -1 WHERE id = 4')
    attack('UPDATE audit_log SET id = 4 WHERE id = 5')
    attack('UPDATE audit_log SET id = 5 WHERE id = -1')
    await expectBroken(4)
  })

  it.each([0, -1, -9_000_000_000])('names a row that was inserted under the first one, as %i', async (id) => {
    attack(
      'INSERT INTO audit_log SELECT tenant_id, ?, at, event, actor, request_id, data, prev_hash, hash FROM audit_log WHERE id = 1',
      id,
    )
    await expectBroken(id)
  })

  it('names a row that was appended in the right form', async () => {
    const last = (await rows()).at(-1)
    if (!last) throw new Error('no row')
    const forged = { ...last, id: ROWS + 1, actor: 'cli:0', event: 'approval.decided', prevHash: last.hash }
    attack(
      "INSERT INTO audit_log (tenant_id, id, at, event, actor, request_id, data, prev_hash, hash) VALUES ('default', ?, ?, ?, ?, ?, ?, ?, ?)",
      ...[
        forged.id,
        forged.at,
        forged.event,
        forged.actor,
        forged.requestId,
        forged.data,
        forged.prevHash,
        auditRowHash(forged),
      ],
    )
    expect(await audit.verify()).toMatchObject({ ok: false, brokenId: ROWS + 1 })
  })

  it('does not open under another master key', async () => {
    const other = open(undefined, new Uint8Array(32).fill(8))
    expect(await other.verify()).toMatchObject({ ok: false, reason: expect.stringContaining('master key') })
  })

  it('exports every row in order, over page after page', async () => {
    await storage.transaction(async (tx) => {
      for (let count = 0; count < 2_500; count++)
        await audit.append(tx, 'daemon.started', 'daemon', null, { count })
    })
    expect((await rows()).map(({ id }) => id)).toEqual(
      Array.from({ length: ROWS + 2_500 }, (_, index) => index + 1),
    )
    expect((await audit.newest(2)).map(({ id }) => id)).toEqual([ROWS + 2_500, ROWS + 2_499])
    expect(await audit.verify()).toMatchObject({ ok: true, rows: ROWS + 2_500 })
  })

  it('leaves no row of an effect that was rolled back, and no gap', async () => {
    await expect(
      storage.transaction(async (tx) => {
        await audit.append(tx, 'daemon.started', 'daemon', null, null)
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    await append()
    expect(await audit.verify()).toMatchObject({ ok: true, rows: ROWS + 1 })
  })
})
