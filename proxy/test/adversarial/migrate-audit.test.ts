/** `oauth3 migrate` of a database that somebody without the master key has written to. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { auditRowHash, createAuditScans } from '../../src/audit/index.ts'
import { STORES } from '../../src/compose/compose-stores.ts'
import { openAudit } from '../../src/compose/daemon-audit.ts'
import { openMasterKeys } from '../../src/compose/daemon-keys.ts'
import { DEFAULT_TENANT, type TenantId } from '../../src/kernel/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { createSodiumCipher, writeKeyFile } from '../../src/vault/crypto/index.ts'
import { withoutPostgres } from '../support/postgres-binaries.ts'
import { freshDatabase, type TestServer } from '../support/postgres-server.ts'
import { type CliRun, runCliProcess } from '../support/run-cli.ts'

const OTHER = 'ten_other' as TenantId
/** More than a page, so that the check goes over its edge. */
const ENTRIES = 300
const clock = { now: () => 1_700_000_000_000 }

let folder: string
let servers: TestServer[]
const file = (name: string): string => join(folder, name)
const change = (sql: string, ...values: unknown[]): void => {
  const db = new SqliteDatabase(file('proxy.db'))
  db.exec('DROP TRIGGER IF EXISTS audit_log_no_update; DROP TRIGGER IF EXISTS audit_log_no_delete')
  db.prepare(sql).run(...values)
  db.close()
}
const cli = (
  args: readonly string[],
  { env = {}, input }: { env?: Record<string, string>; input?: string } = {},
): Promise<CliRun> =>
  runCliProcess(['migrate', ...args], {
    env: { DB_PATH: file('proxy.db'), ...env },
    ...(input === undefined ? {} : { stdin: input }),
  })

/** As a daemon leaves it: keys, and the audits of two tenants. */
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-migrate-audit-'))
  servers = []
  await using database = await openStorage({
    database: { path: file('proxy.db') },
    stores: STORES,
    onDefect: (error) => console.error(error),
  })
  const [own, other] = [DEFAULT_TENANT, OTHER].map((id) => database.forTenant(id)) as [
    ReturnType<typeof database.forTenant>,
    ReturnType<typeof database.forTenant>,
  ]
  await own.transaction((tx) =>
    tx.tenants.insert({ id: OTHER, name: 'other', createdAt: 1, removedAt: null }),
  )
  const keys = await openMasterKeys({
    source: { kind: 'file', path: file('master.key') },
    storage: own,
    cipher: await createSodiumCipher(),
    clock,
  })
  for (const storage of [own, other]) {
    const keyring = storage === own ? keys.keyring : await keys.open(OTHER, storage)
    const { audit } = await openAudit({ storage, keyring, clock, scans: createAuditScans(storage, 1_000) })
    await storage.transaction(async (tx) => {
      for (let at = 1; at <= ENTRIES; at++) await audit.append(tx, 'agent.added', 'cli:0', null, { at })
    })
  }
})
afterEach(async () => {
  for (const server of servers) await server.drop()
  rmSync(folder, { recursive: true, force: true })
})

const dump = (name: string): unknown[] => {
  const db = new SqliteDatabase(file(name), { readonly: true })
  const rows = ['meta', 'data_keys', 'audit_log'].map((table) =>
    db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).raw().all(),
  )
  db.close()
  return rows
}

/** What somebody can do who may write the database, and has no key. */
const TAMPERED: readonly (readonly [string, () => unknown, RegExp])[] = [
  [
    'an entry that was edited',
    () => change(`UPDATE audit_log SET actor = 'cli:1' WHERE tenant_id = 'default' AND id = 260`),
    /audit of default is broken at entry 260/,
  ],
  [
    'an entry of another tenant that was edited',
    () => change(`UPDATE audit_log SET data = '{}' WHERE tenant_id = ? AND id = 2`, OTHER),
    /audit of other is broken at entry 2:/,
  ],
  [
    'an entry that is gone',
    () => change(`DELETE FROM audit_log WHERE tenant_id = 'default' AND id = 7`),
    /audit of default is broken at entry 7:/,
  ],
  [
    'a tail that was cut off, with the seal of the entry that is the last now',
    () => {
      change(`DELETE FROM audit_log WHERE tenant_id = 'default' AND id > 290`)
      change(
        `UPDATE meta SET value = json_object('id', 290, 'hash', (SELECT hash FROM audit_log WHERE tenant_id = 'default' AND id = 290), 'mac', '${'0'.repeat(64)}')
         WHERE tenant_id = 'default' AND key = 'audit_seal'`,
      )
    },
    /audit of default is broken at entry 290: the seal was not made with this master key/,
  ],
  [
    'a last entry that was edited, with a hash made anew',
    async () => {
      await using database = await openStorage({
        database: { path: file('proxy.db') },
        stores: STORES,
        onDefect: () => {},
      })
      const rows = await database.forTenant(DEFAULT_TENANT).read((tx) => tx.audit.rows(ENTRIES - 1, 1))
      const [row] = rows.map((row) => ({ ...row, actor: 'cli:1' }))
      const hash = row && auditRowHash(row)
      change(
        `UPDATE audit_log SET actor = 'cli:1', hash = ? WHERE tenant_id = 'default' AND id = ${ENTRIES}`,
        hash,
      )
    },
    /audit of default is broken at entry 300: the newest row is not the sealed one/,
  ],
  [
    'an audit without its seal',
    () => change(`DELETE FROM meta WHERE key = 'audit_seal' AND tenant_id = ?`, OTHER),
    /audit of other is broken at entry 300: the seal/,
  ],
  [
    'an audit without its key',
    () => change(`DELETE FROM meta WHERE key = 'audit_key' AND tenant_id = 'default'`),
    /audit of default cannot be verified: The audit key is gone/,
  ],
  [
    'an audit with the key of another tenant',
    () =>
      change(
        `UPDATE meta SET value = (SELECT value FROM meta WHERE tenant_id = ? AND key = 'audit_key') WHERE tenant_id = 'default' AND key = 'audit_key'`,
        OTHER,
      ),
    /audit of default cannot be verified: A stored value cannot be opened/,
  ],
  [
    'entries without any key',
    () => {
      change('DELETE FROM data_keys')
      change(`DELETE FROM meta WHERE key = 'audit_key'`)
    },
    /audit of default cannot be verified: The database has no key/,
  ],
  [
    'a master key that is not its own',
    () => {
      rmSync(file('master.key'))
      writeKeyFile(file('master.key'), new Uint8Array(32).fill(7))
    },
    /audit of default cannot be verified: The master key does not open/,
  ],
]

describe('a copy of a database with', () => {
  it.each(TAMPERED)('%s is refused, says where, and leaves no target', async (_, tamper, said) => {
    await tamper()
    const before = dump('proxy.db')
    const run = await cli(['--to', file('new.db')])
    expect(run).toMatchObject({ code: 5, stderr: expect.stringMatching(said) })
    expect(run.stderr).toContain('Nothing was copied')
    expect(existsSync(file('new.db'))).toBe(false)
    expect(dump('proxy.db')).toEqual(before)
  })

  it('audits that verify is made, says how far it is, and was left alone by the check', async () => {
    const run = await cli(['--to', file('new.db')])
    expect(run).toMatchObject({ code: 0 })
    for (const name of ['default', 'other']) expect(run.stderr).toContain(`audit ${name}: 300 of 300\n`)
    expect(run.stdout).not.toContain('DOES NOT VERIFY')
    expect(dump('new.db')).toEqual(dump('proxy.db'))
  })

  it('a broken audit is made where the owner says so, and says that it is broken', async () => {
    change(`UPDATE audit_log SET actor = 'cli:1' WHERE tenant_id = 'default' AND id = 260`)
    const run = await cli(['--to', file('new.db'), '--allow-broken-audit'])
    expect(run).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('THE AUDIT OF default DOES NOT VERIFY, from entry 260'),
    })
    expect(dump('new.db')).toEqual(dump('proxy.db'))
  })

  it.runIf(withoutPostgres() === undefined)('an edited entry is refused on PostgreSQL too', async () => {
    const server = await freshDatabase({ isEmpty: true })
    servers.push(server)
    const asTarget = { input: `${server.url}\n` }
    change(`UPDATE audit_log SET actor = 'cli:1' WHERE tenant_id = 'default' AND id = 260`)
    expect(await cli(['--to', '-'], asTarget)).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('audit of default is broken at entry 260'),
    })
    change(`UPDATE audit_log SET actor = 'cli:0' WHERE tenant_id = 'default' AND id = 260`)
    expect(await cli(['--to', '-'], asTarget)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('audit other: 300 of 300'),
    })
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query(`SELECT set_config('app.tenant', '${OTHER}', false)`)
    await client.query('ALTER TABLE audit_log DISABLE TRIGGER USER')
    await client.query(`UPDATE audit_log SET actor = 'cli:1' WHERE id = 3`)
    await client.query('ALTER TABLE audit_log ENABLE TRIGGER USER')
    await client.end()
    const back = ['--to', file('back.db')]
    expect(await cli(back, { env: { DATABASE_URL: server.url } })).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('audit of other is broken at entry 3:'),
    })
    expect(existsSync(file('back.db'))).toBe(false)
  })
})
