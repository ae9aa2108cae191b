import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../support/domain-kit.ts'

let dir: string
const dbPath = (): string => join(dir, 'proxy.db')
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-audit-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** The daemon's parts, opened and closed again as a start and a stop do. */
async function started<T>(work: (core: DomainKit) => T | Promise<T>): Promise<T> {
  await using core = await createDomainKit({ dir, clock: { now: () => 1_700_000_000_000 } })
  await core.storage.transaction((tx) => core.audit.append(tx, 'daemon.started', 'daemon', null, null))
  return await work(core)
}

/** What somebody who may write the file does while the daemon is down. */
function attack(sql: string): void {
  const db = new SqliteDatabase(dbPath())
  db.exec(`DROP TRIGGER audit_log_no_update; DROP TRIGGER audit_log_no_delete; ${sql}`)
  db.close()
}

const WIPE = "DELETE FROM audit_log; DELETE FROM meta WHERE key = 'audit_seal';"

describe('an audit that was wiped while the daemon was down', () => {
  beforeEach(async () => void (await started((core) => core.agents.add({ name: 'demo' }, 'cli:0'))))

  it('holds over restarts when nobody touched it', async () => {
    expect(await started((core) => core.audit.verify())).toMatchObject({ ok: true, rows: 3 })
  })

  it('does not begin anew as if nothing had been there', async () => {
    attack(WIPE)
    expect(await started((core) => core.audit.verify())).toMatchObject({ ok: false, brokenId: 1 })
    expect(await started((core) => core.audit.verify())).toMatchObject({ ok: false })
  })

  it('gets no new key to vouch for it', async () => {
    attack(`${WIPE} DELETE FROM meta WHERE key = 'audit_key';`)
    await expect(started(() => undefined)).rejects.toMatchObject({ code: 'locked' })
  })

  it('does not survive a tail that was cut off and sealed by hand', async () => {
    attack(`DELETE FROM audit_log WHERE id = 2;
      UPDATE meta SET value = json_object('id', 1, 'hash', (SELECT hash FROM audit_log WHERE id = 1), 'mac', '00')
      WHERE key = 'audit_seal';`)
    expect(await started((core) => core.audit.verify())).toMatchObject({ ok: false })
  })
})
