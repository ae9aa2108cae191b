import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createAuditStore,
  createMetaStore,
  createTransactor,
  openDatabase,
} from '../../src/adapters/storage/index.ts'
import {
  type AuditLog,
  auditRowHash,
  createAuditLog,
  type StoredAuditRow,
} from '../../src/domain/audit/index.ts'

const ROWS = 10
const KEY = new Uint8Array(32).fill(9)

let dir: string
let db: Database
let audit: AuditLog

const open = (mayBegin?: boolean): AuditLog =>
  createAuditLog({
    repository: createAuditStore(db, createMetaStore(db)),
    clock: { now: () => 1_700_000_000_000 },
    auditKey: KEY,
    ...(mayBegin === undefined ? {} : { mayBegin }),
  })
const append = (log = audit): void =>
  createTransactor(db).transact(() =>
    log.append('request.refused', 'agent:agt_demo', 'req_demo', { code: 'invalid_request' }),
  )

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-audit-'))
  db = openDatabase(join(dir, 'proxy.db'))
  audit = open()
  for (let count = 0; count < ROWS; count++) append()
})
afterEach(() => {
  db.close()
  rmSync(dir, { recursive: true })
})

/** What somebody can do who may write the file but does not have the master key. */
const attack = (sql: string, ...values: unknown[]): void => {
  db.exec('DROP TRIGGER IF EXISTS audit_log_no_update; DROP TRIGGER IF EXISTS audit_log_no_delete')
  db.prepare(sql).run(...values)
}
const rows = (): StoredAuditRow[] => [...audit.export()]

/** Chains every row anew, as anybody can. */
function rechain(): void {
  let prevHash = '0'.repeat(64)
  for (const row of rows()) {
    const hash = auditRowHash({ ...row, prevHash })
    attack('UPDATE audit_log SET prev_hash = ?, hash = ? WHERE id = ?', prevHash, hash, row.id)
    prevHash = hash
  }
}

/** Before and after further events, and after a restart: a break stays a break. */
function expectBroken(brokenId: number): void {
  expect(audit.verify()).toMatchObject({ ok: false, brokenId })
  append()
  append()
  expect(audit.verify().ok).toBe(false)
  audit = open(false)
  append()
  expect(audit.verify().ok).toBe(false)
}

describe('the audit under the hands of somebody without the master key', () => {
  it('holds when nobody touched it, also after a restart', () => {
    expect(audit.verify()).toMatchObject({ ok: true, rows: ROWS })
    audit = open(false)
    append()
    expect(audit.verify()).toMatchObject({ ok: true, rows: ROWS + 1 })
  })

  it('takes no change and no deletion while its triggers stand', () => {
    expect(() => db.exec('UPDATE audit_log SET actor = 1')).toThrow('append-only')
    expect(() => db.exec('DELETE FROM audit_log')).toThrow('append-only')
  })

  it.each(['at', 'event', 'actor', 'request_id', 'data', 'prev_hash', 'hash'])(
    'names the row whose %s was edited',
    (column) => {
      attack(`UPDATE audit_log SET ${column} = ${column === 'at' ? '1' : "'other'"} WHERE id = 4`)
      expectBroken(4)
    },
  )

  it('names the row of which one blank was added', () => {
    attack("UPDATE audit_log SET data = data || ' ' WHERE id = 7")
    expectBroken(7)
  })

  it('names the edited row when its hash was made anew', () => {
    attack("UPDATE audit_log SET actor = 'agent:other' WHERE id = 4")
    const row = rows().find(({ id }) => id === 4)
    attack('UPDATE audit_log SET hash = ? WHERE id = 4', row && auditRowHash(row))
    expectBroken(5)
  })

  it('shows an edit with every hash made anew', () => {
    attack("UPDATE audit_log SET actor = 'agent:other' WHERE id = 4")
    rechain()
    expectBroken(ROWS)
  })

  it('shows an edit with every hash and the seal made anew', () => {
    attack("UPDATE audit_log SET actor = 'agent:other' WHERE id = 4")
    rechain()
    const seal = { id: ROWS, hash: rows().at(-1)?.hash, mac: 'f'.repeat(64) }
    attack("UPDATE meta SET value = ? WHERE key = 'audit_seal'", JSON.stringify(seal))
    expectBroken(ROWS)
  })

  it.each([1, 4, 9])('names row %i when it is gone from the middle', (id) => {
    attack('DELETE FROM audit_log WHERE id = ?', id)
    expectBroken(id)
  })

  it('names the first row that was cut off at the end', () => {
    attack('DELETE FROM audit_log WHERE id > 6')
    expect(audit.verify()).toMatchObject({ ok: false, brokenId: 7 })
  })

  it('is not fooled by a cut end whose seal was put back by hand', () => {
    attack('DELETE FROM audit_log WHERE id > 6')
    const seal = { id: 6, hash: rows().at(-1)?.hash, mac: '0'.repeat(64) }
    attack("UPDATE meta SET value = ? WHERE key = 'audit_seal'", JSON.stringify(seal))
    expectBroken(6)
  })

  it('is not fooled when rows are deleted from the start and the rest is renumbered', () => {
    attack('DELETE FROM audit_log WHERE id <= 3')
    attack('UPDATE audit_log SET id = id - 3')
    rechain()
    expectBroken(ROWS - 3 + 1)
  })

  it('shows that all rows are gone', () => {
    attack('DELETE FROM audit_log')
    expectBroken(1)
  })

  it('shows that all rows and the seal are gone', () => {
    attack('DELETE FROM audit_log')
    attack("DELETE FROM meta WHERE key = 'audit_seal'")
    expectBroken(1)
  })

  it('shows that all rows and the seal went while the daemon was down', () => {
    attack('DELETE FROM audit_log')
    attack("DELETE FROM meta WHERE key = 'audit_seal'")
    audit = open(false)
    expectBroken(1)
  })

  it.each(['', '{}', 'not json', 'null', '{"id":"x","hash":1,"mac":[]}', '{"id":1e99,"hash":"","mac":""}'])(
    'goes on, and says so, when the seal is %j',
    (seal) => {
      attack("UPDATE meta SET value = ? WHERE key = 'audit_seal'", seal)
      expectBroken(ROWS)
    },
  )

  it('names a swapped row', () => {
    attack('UPDATE audit_log SET id = -1 WHERE id = 4')
    attack('UPDATE audit_log SET id = 4 WHERE id = 5')
    attack('UPDATE audit_log SET id = 5 WHERE id = -1')
    expectBroken(4)
  })

  it.each([0, -1, -9_000_000_000])('names a row that was inserted under the first one, as %i', (id) => {
    attack(
      'INSERT INTO audit_log SELECT ?, at, event, actor, request_id, data, prev_hash, hash FROM audit_log WHERE id = 1',
      id,
    )
    expectBroken(id)
  })

  it('names a row that was appended in the right form', () => {
    const last = rows().at(-1)
    if (!last) throw new Error('no row')
    const forged = { ...last, id: ROWS + 1, actor: 'cli:0', event: 'approval.decided', prevHash: last.hash }
    attack(
      'INSERT INTO audit_log (id, at, event, actor, request_id, data, prev_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
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
    expect(audit.verify()).toMatchObject({ ok: false, brokenId: ROWS + 1 })
  })

  it('does not open under another master key', () => {
    const other = createAuditLog({
      repository: createAuditStore(db, createMetaStore(db)),
      clock: { now: () => 1 },
      auditKey: new Uint8Array(32).fill(8),
    })
    expect(other.verify()).toMatchObject({ ok: false, reason: expect.stringContaining('master key') })
  })

  it('exports every row in order, over page after page', () => {
    createTransactor(db).transact(() => {
      for (let count = 0; count < 2_500; count++) audit.append('daemon.started', 'daemon', null, { count })
    })
    expect(rows().map(({ id }) => id)).toEqual(Array.from({ length: ROWS + 2_500 }, (_, index) => index + 1))
    expect(audit.newest(2).map(({ id }) => id)).toEqual([ROWS + 2_500, ROWS + 2_499])
    expect(audit.verify()).toMatchObject({ ok: true, rows: ROWS + 2_500 })
  })

  it('leaves no row of an effect that was rolled back, and no gap', () => {
    expect(() =>
      createTransactor(db).transact(() => {
        append()
        throw new Error('undone')
      }),
    ).toThrow('undone')
    append()
    expect(audit.verify()).toMatchObject({ ok: true, rows: ROWS + 1 })
  })
})
