import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BEFORE_TENANTS, fillOldDatabase } from '../../test/support/old-database.ts'
import { withoutPostgres } from '../../test/support/postgres-binaries.ts'
import { freshDatabase, type TestServer } from '../../test/support/postgres-server.ts'
import { agentSql, executionSql } from '../../test/support/raw-database.ts'
import { type CopyProgress, copyDatabase, type DatabasePlace } from './copy-database.ts'
import { SQLITE_MIGRATIONS } from './migrations/sqlite/index.ts'
import { migrateSqlite } from './sqlite/migrate.ts'
import { openFile } from './sqlite/open-file.ts'

let folder: string
let servers: TestServer[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oauth3-copy-'))
  servers = []
})
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true })
  for (const server of servers) await server.drop()
})

const server = async (): Promise<{ url: string }> => {
  const made = await freshDatabase()
  servers.push(made)
  return { url: made.url }
}
const file = (name: string): { path: string } => ({ path: join(folder, name) })

/** Of an older version, with rows of two tenants after it was brought to the newest, some in many batches. */
function fill({ path }: { path: string }): void {
  const db = openFile(path)
  migrateSqlite(db, SQLITE_MIGRATIONS.slice(0, BEFORE_TENANTS))
  fillOldDatabase(db)
  db.exec(`DELETE FROM outbox WHERE id = 22; DELETE FROM executions WHERE id = 11`)
  migrateSqlite(db, SQLITE_MIGRATIONS)
  db.exec(`INSERT INTO tenants (id, name, created_at, removed_at) VALUES ('a', 'ü', 5, NULL), ('Ä', 'x', 5, 9);
    ${agentSql('a', 'agt_a')} ${executionSql('a', 'agt_a', 'req_a')}
    INSERT INTO code (tenant_id, hash, text, created_at) VALUES ('a', 'c1', 'of another', 1), ('a', '', '${'é'.repeat(100_000)}', 1)`)
  const row =
    db.prepare(`INSERT INTO audit_log (tenant_id, id, at, event, actor, request_id, data, prev_hash, hash)
    VALUES ('a', @id, @id, 'e', 'x', NULL, '{"😀":"\\"}"}', '', 'head ' || @id)`)
  db.transaction(() => {
    for (let id = 1; id <= 1_200; id += 1) row.run({ id: BigInt(id) })
  })()
  db.exec(`UPDATE provider_grants SET micro_usd_per_day = 9223372036854775807`)
  db.close()
}

/** Every row of every table, as text, and the counters; not the note of the copy. */
function dump({ path }: { path: string }): Record<string, unknown> {
  const db = new SqliteDatabase(path, { readonly: true })
  try {
    const tables = db
      .prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
      .pluck()
      .all()
    return Object.fromEntries(
      tables.map((name) => [
        name,
        db
          .prepare<[], unknown[]>(`SELECT * FROM ${name}`)
          .raw()
          .safeIntegers()
          .all()
          .map((cells) =>
            cells
              .map((cell) => (Buffer.isBuffer(cell) ? cell.toString('hex') : `${typeof cell} ${cell}`))
              .join('|'),
          )
          .filter((row) => !row.startsWith('string copied_from'))
          .sort(),
      ]),
    )
  } finally {
    db.close()
  }
}
const objectsOf = (db: Database): unknown[] =>
  db.prepare(`SELECT type, name, sql FROM sqlite_master ORDER BY type, name`).all()

describe('a copy from SQLite to SQLite', () => {
  it('is equal row by row, of its owner alone, with the same triggers and counters', async () => {
    fill(file('a.db'))
    const before = dump(file('a.db'))
    const { rows, auditHeads } = await copyDatabase({ from: file('a.db'), to: file('b.db') })
    expect(dump(file('b.db'))).toEqual(before)
    expect(dump(file('a.db'))).toEqual(before)
    expect(rows).toMatchObject({ audit_log: 1_203, tenants: 3, executions: 3 })
    expect(auditHeads).toEqual([
      { tenant: 'a', id: 1_200, hash: 'head 1200' },
      { tenant: 'default', id: 3, hash: 'h3' },
    ])
    const [a, b] = ['a.db', 'b.db'].map((name) => new SqliteDatabase(file(name).path)) as [Database, Database]
    expect(objectsOf(b)).toEqual(objectsOf(a))
    expect(b.pragma('auto_vacuum', { simple: true })).toBe(2)
    expect(b.pragma('integrity_check', { simple: true })).toBe('ok')
    a.close()
    b.close()
    expect(statSync(file('b.db').path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => name.includes('draft'))).toEqual([])
  })

  it('takes the place of nothing, and says since when the copy is whole', async () => {
    fill(file('a.db'))
    await copyDatabase({ from: file('a.db'), to: file('b.db') })
    await expect(copyDatabase({ from: file('a.db'), to: file('b.db') })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/b\.db is there already: a whole copy from sqlite since 20/),
    })
    await expect(copyDatabase({ from: file('a.db'), to: file('a.db') })).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(copyDatabase({ from: file('none.db'), to: file('c.db') })).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(existsSync(file('none.db').path)).toBe(false)
  })

  it('is not used where a row of it is not as its original', async () => {
    fill(file('a.db'))
    const tamper = ({ step }: CopyProgress): void => {
      if (step !== 'compare') return
      const other = new SqliteDatabase(`${file('b.db').path}.copy.draft`)
      other.exec(`UPDATE secrets SET hosts = '[]' WHERE id = 2`)
      other.close()
    }
    await expect(
      copyDatabase({ from: file('a.db'), to: file('b.db'), onProgress: tamper }),
    ).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('copy of secrets') })
    // The file of the lock stays, as it does beside any database.
    expect(readdirSync(folder).filter((name) => name.startsWith('b.db'))).toEqual(['b.db.lock'])
  })
})

const withPostgres = describe.runIf(withoutPostgres() === undefined)

withPostgres('a copy to PostgreSQL and back', () => {
  const asTenant = async <T>(
    { url }: { url: string },
    tenant: string,
    work: (client: pg.Client) => Promise<T>,
  ): Promise<T> => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query("SELECT set_config('app.tenant', $1, false)", [tenant])
      return await work(client)
    } finally {
      await client.end()
    }
  }

  it('is equal row by row both ways, counters included', async () => {
    const between = await server()
    fill(file('a.db'))
    const there = await copyDatabase({ from: file('a.db'), to: between })
    const back = await copyDatabase({ from: between, to: file('b.db') })
    expect(dump(file('b.db'))).toEqual(dump(file('a.db')))
    expect({ ...back, rows: { ...back.rows, installation: 2 } }).toEqual(there)
    const again = await server()
    await copyDatabase({ from: between, to: again })
    await copyDatabase({ from: again, to: file('c.db') })
    expect(dump(file('c.db'))).toEqual(dump(file('a.db')))
  })

  it('keeps tenants apart, counts what comes, and gives no id twice', async () => {
    const target = await server()
    fill(file('a.db'))
    await copyDatabase({ from: file('a.db'), to: target })
    await asTenant(target, 'a', async (client) => {
      expect((await client.query('SELECT count(*)::int AS n FROM audit_log')).rows).toEqual([{ n: 1_200 }])
      const sum = async (): Promise<number> =>
        Number((await client.query('SELECT sum(bytes) AS bytes FROM agent_storage')).rows[0].bytes)
      const before = await sum()
      await client.query(executionSql('a', 'agt_a', 'req_new'))
      expect(await sum()).toBe(before + 2 + 2 + 5 + 1_024)
      await expect(client.query('DELETE FROM audit_log')).rejects.toThrow('append-only')
      const { rows } = await client.query(
        `INSERT INTO outbox (tenant_id, lane, kind, payload, next_at, created_at) VALUES ('a', 'l', 'k', '{}', 1, 1) RETURNING id`,
      )
      // 22 was given, and its row is gone.
      expect(rows).toEqual([{ id: '23' }])
    })
  })

  it('goes into an empty database only, that nobody works with', async () => {
    const target = await server()
    fill(file('a.db'))
    await asTenant(target, 'x', async (client) => {
      await client.query(`SET application_name = 'oauth3'`)
      await expect(copyDatabase({ from: file('a.db'), to: target })).rejects.toMatchObject({
        code: 'conflict',
      })
      await client.query(`SET application_name = 'psql'`)
      await client.query(`INSERT INTO meta VALUES ('x', 'k', 'v')`)
    })
    await expect(copyDatabase({ from: file('a.db'), to: target })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('has rows already'),
    })
    await asTenant(target, 'x', async (client) => {
      expect((await client.query('SELECT * FROM meta')).rows).toEqual([
        { tenant_id: 'x', key: 'k', value: 'v' },
      ])
    })
  })

  it('says which text PostgreSQL cannot keep, and leaves the target empty', async () => {
    const target = await server()
    fill(file('a.db'))
    const db = new SqliteDatabase(file('a.db').path)
    db.prepare(`UPDATE code SET text = ? WHERE hash = 'c2'`).run('a\0b')
    await expect(copyDatabase({ from: file('a.db'), to: target })).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'PostgreSQL keeps no NUL character: code.text of default, c2.',
    })
    db.exec(`UPDATE code SET text = 'ab' WHERE hash = 'c2'`)
    db.close()
    await copyDatabase({ from: file('a.db'), to: target })
  })
})

describe('a copy that is killed', () => {
  const child = fileURLToPath(new URL('../../test/support/copy-child.ts', import.meta.url))
  const kill = (from: DatabasePlace, to: DatabasePlace, step: string, at: number): void => {
    const { signal, stderr } = spawnSync(
      process.execPath,
      [child, JSON.stringify(from), JSON.stringify(to), step, String(at)],
      { encoding: 'utf8' },
    )
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
  }
  const POINTS: [string, number][] = [
    ['copy', 1],
    ['copy', 9],
    ['copy', 20],
    ['compare', 1],
    ['compare', 25],
    ['publish', 1],
  ]

  it('on its way to SQLite has not happened, and is whole when it is repeated', async () => {
    fill(file('a.db'))
    for (const [step, at] of POINTS) {
      kill(file('a.db'), file('b.db'), step, at)
      expect(existsSync(file('b.db').path), `${step} ${at}`).toBe(false)
    }
    await copyDatabase({ from: file('a.db'), to: file('b.db') })
    expect(dump(file('b.db'))).toEqual(dump(file('a.db')))
  })

  it.runIf(withoutPostgres() === undefined)(
    'on its way to PostgreSQL or from it has not happened, and is whole when it is repeated',
    async () => {
      const between = await server()
      fill(file('a.db'))
      const client = new pg.Client({ connectionString: between.url })
      await client.connect()
      for (const [step, at] of POINTS) {
        kill(file('a.db'), between, step, at)
        await expect
          .poll(async () => (await client.query('SELECT count(*)::int AS n FROM installation')).rows[0].n)
          .toBe(0)
        expect((await client.query('SELECT id FROM tenants')).rows).toEqual([{ id: 'default' }])
        await expect(client.query('SELECT * FROM agents')).rejects.toThrow('no tenant is set')
        // The server notices the end of the connection by itself.
        await expect
          .poll(
            async () =>
              (
                await client.query(
                  `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'oauth3%' AND datname = current_database()`,
                )
              ).rowCount,
          )
          .toBe(0)
      }
      await copyDatabase({ from: file('a.db'), to: between })
      for (const [step, at] of POINTS) {
        kill(between, file('b.db'), step, at)
        expect(existsSync(file('b.db').path), `${step} ${at}`).toBe(false)
        await expect
          .poll(
            async () =>
              (
                await client.query(
                  `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'oauth3%' AND datname = current_database()`,
                )
              ).rowCount,
          )
          .toBe(0)
      }
      await client.end()
      await copyDatabase({ from: between, to: file('b.db') })
      expect(dump(file('b.db'))).toEqual(dump(file('a.db')))
    },
  )
})
