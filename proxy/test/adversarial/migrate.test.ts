/** `oauth3 migrate`: another database, whole or not at all, while no daemon works on either. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { lockFile } from '../../src/storage/lock/index.ts'
import { SQLITE_MIGRATIONS } from '../../src/storage/migrations/sqlite/index.ts'
import { migrateSqlite } from '../../src/storage/sqlite/migrate.ts'
import { BEFORE_TENANTS, fillOldDatabase } from '../support/old-database.ts'
import { withoutPostgres } from '../support/postgres-binaries.ts'
import { freshDatabase, type TestServer } from '../support/postgres-server.ts'
import { type CliRun, runCliProcess } from '../support/run-cli.ts'

describe('oauth3 migrate', () => {
  let folder: string
  let server: TestServer | undefined
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oauth3-migrate-'))
    mkdirSync(join(folder, 'data'))
    const db = new SqliteDatabase(file('proxy.db'))
    migrateSqlite(db, SQLITE_MIGRATIONS.slice(0, BEFORE_TENANTS))
    fillOldDatabase(db)
    db.close()
  })
  afterEach(async () => {
    await server?.drop()
    server = undefined
    rmSync(folder, { recursive: true, force: true })
  })

  const file = (name: string): string => join(folder, 'data', name)
  const cli = (args: readonly string[], more: Record<string, string> = {}, input?: string): Promise<CliRun> =>
    // The audits of these samples have no chain.
    runCliProcess(['migrate', '--allow-broken-audit', ...args], {
      env: { DB_PATH: file('proxy.db'), ...more },
      ...(input === undefined ? {} : { stdin: input }),
    })

  it('copies to a new file, says how far it is, and takes the place of nothing', async () => {
    const run = await cli(['--to', file('new.db')])
    expect(run).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /rows copied from sqlite to .+new\.db, each equal to its original\naudit of default: entry 3, head h3\n/,
      ),
      stderr: expect.stringMatching(/schema \d+ of \d+: statement 1 of \d+\n[\s\S]*copy executions: 3 of 3/),
    })
    expect(await cli(['--to', file('new.db')])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('a whole copy from sqlite'),
    })
    const bytes = readFileSync(file('proxy.db'))
    expect(await cli(['--to', file('proxy.db')])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('is there already'),
    })
    expect(readFileSync(file('proxy.db')).equals(bytes)).toBe(true)
  })

  it('makes no folder for a target where it is refused', async () => {
    const target = join(folder, 'new', 'folder', 'new.db')
    const refusals: [Record<string, string>, string][] = [
      [{ DB_PATH: join(folder, 'nowhere', 'proxy.db') }, 'There is no database'],
      [{ DATABASE_URL: 'postgres://oauth3@127.0.0.1:1/x' }, 'ECONNREFUSED'],
    ]
    const db = new SqliteDatabase(file('newer.db'))
    db.pragma('user_version = 1000')
    db.close()
    refusals.push([{ DB_PATH: file('newer.db') }, 'newer daemon'])
    for (const [env, said] of refusals) {
      const run = await cli(['--to', target], env)
      expect(run.stderr).toContain(said)
      expect(run.code).not.toBe(0)
      expect(existsSync(join(folder, 'new')), said).toBe(false)
      expect(existsSync(join(folder, 'nowhere')), said).toBe(false)
    }
    using _daemon = lockFile(file('proxy.db'))
    expect((await cli(['--to', target])).code).toBe(5)
    expect(existsSync(join(folder, 'new'))).toBe(false)
  })

  it('is refused while a daemon works on either file', async () => {
    for (const name of ['proxy.db', 'new.db']) {
      using _daemon = lockFile(file(name))
      expect(await cli(['--to', file('new.db')])).toMatchObject({
        code: 5,
        stderr: expect.stringContaining('A daemon already runs'),
      })
      expect(existsSync(file('new.db'))).toBe(false)
    }
  })

  it.each([
    'postgres://oauth3:sample-password@127.0.0.1:1/x',
    'postgresql://127.0.0.1:1/x?user=a&password=sample-password',
    'postgres://app:sample-password@%2Ftmp%2Fnowhere/x',
  ])('takes no password as an argument: %s', async (address) => {
    const run = await cli(['--to', address])
    expect(run).toMatchObject({ code: 2, stderr: expect.stringContaining('--to -') })
    expect(run.stdout + run.stderr).not.toContain('sample-password')
  })

  it('says of a server that is not there that it is not, without its password', async () => {
    const run = await cli(['--to', '-'], {}, 'postgres://oauth3:sample-password@127.0.0.1:1/x\n')
    expect(run.code).not.toBe(0)
    expect(run.stderr).toContain('ECONNREFUSED')
    expect(run.stdout + run.stderr).not.toContain('sample-password')
  })

  it.each(['mysql://a/b', 'sqlite:x.db', ''])('knows no database %j', async (to) => {
    expect((await cli(['--to', to])).code).toBe(2)
  })

  it.runIf(withoutPostgres() === undefined)('goes to PostgreSQL and back', async () => {
    server = await freshDatabase({ isEmpty: true })
    expect(await cli(['--to', '-'], {}, `${server.url}\n`)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Set DATABASE_URL to this address'),
    })
    const back = await cli(['--to', file('back.db'), '--json'], { DATABASE_URL: server.url })
    expect(back).toMatchObject({ code: 0 })
    expect(JSON.parse(back.stdout)).toMatchObject({
      from: 'postgres',
      file: file('back.db'),
      audit_heads: [{ tenant: 'default', id: 3, hash: 'h3' }],
    })
    const rows = (name: string): unknown[] => {
      const db = new SqliteDatabase(file(name), { readonly: true })
      const all = db.prepare('SELECT * FROM executions ORDER BY id').raw().all()
      db.close()
      return all
    }
    expect(rows('back.db')).toEqual(rows('proxy.db'))
  })
})
