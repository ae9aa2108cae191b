/** The text of a consent stands once: with rows of the version before, over copies to another engine and back, until nothing has it. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { RequestId } from '../../src/kernel/index.ts'
import { copyDatabase } from '../../src/storage/copy-database.ts'
import { SQLITE_MIGRATIONS } from '../../src/storage/migrations/sqlite/index.ts'
import { migrateSqlite } from '../../src/storage/sqlite/migrate.ts'
import {
  addAgent,
  createDomainKit,
  type DomainKit,
  type DomainKitOptions,
  requestOf,
} from '../support/domain-kit.ts'
import { withoutPostgres } from '../support/postgres-binaries.ts'
import { freshDatabase } from '../support/postgres-server.ts'
import { owner } from '../support/principals.ts'

const BEFORE = SQLITE_MIGRATIONS.findIndex((sql) => sql.includes('CREATE TABLE consents'))
const NEVER = new AbortController().signal
const YEAR_MS = 365 * 24 * 3_600_000

let folder: string
let now: number
beforeEach(() => {
  now = 1_700_000_000_000
  folder = mkdtempSync(join(tmpdir(), 'oauth3-consents-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const open = (name: string, options: Partial<DomainKitOptions> = {}): Promise<DomainKit> => {
  mkdirSync(join(folder, name), { recursive: true })
  return createDomainKit({ dir: join(folder, name), clock: { now: () => now }, ...options })
}
const file = (name: string): string => join(folder, name, 'proxy.db')
const agentOf = async (kit: DomainKit) => kit.agents.list()[0] ?? (await addAgent(kit))
const ask = async (kit: DomainKit, code = requestOf().code as string) =>
  kit.executions.submit(await agentOf(kit), requestOf({ code }))
const run = async (kit: DomainKit, code?: string) => {
  const asked = await ask(kit, code)
  await kit.executions.decide(asked.requestId, asked.consentHash, 'once', owner())
  expect(await kit.executions.wait(asked.requestId, 20_000, NEVER)).toMatchObject({ status: 'success' })
  return asked
}
const uses = (kit: DomainKit): unknown[] =>
  kit.db.prepare('SELECT hash, uses FROM consents ORDER BY hash').all()
/** Of all agents, and what it should be by the rows themselves. */
const sums = (kit: DomainKit): unknown =>
  kit.db.prepare('SELECT agent_id, bytes FROM agent_storage ORDER BY agent_id').all()

/** As the version before `consents` left it: its schema, with the rows that it had, each with the text of its consent. */
function asBefore(name: string): void {
  const [path, before] = [file(name), `${file(name)}.before`]
  const db = new SqliteDatabase(before)
  migrateSqlite(db, SQLITE_MIGRATIONS.slice(0, BEFORE))
  const named = (type: string) =>
    db
      .prepare<[string], { name: string; sql: string }>(
        "SELECT name, sql FROM sqlite_master WHERE type = ? AND name NOT LIKE 'sqlite%'",
      )
      .all(type)
  // The rows are as they came to be: nothing follows from them once more.
  const triggers = named('trigger')
  for (const trigger of triggers) db.exec(`DROP TRIGGER ${trigger.name}`)
  db.pragma('foreign_keys = OFF')
  db.exec(`ATTACH '${path}' AS now`)
  for (const { name: table } of named('table')) {
    const columnsIn = (schema: string) => db.pragma(`${schema}.table_info(${table})`) as { name: string }[]
    const later = new Set(columnsIn('now').map((column) => column.name))
    const columns = columnsIn('main').flatMap((column) => (later.has(column.name) ? [column.name] : []))
    db.exec(`DELETE FROM main.${table}`)
    if (columns.length > 0)
      db.exec(`INSERT INTO main.${table} (${columns.join()}) SELECT ${columns.join()} FROM now.${table}`)
  }
  db.exec(`UPDATE main.executions SET consent = (SELECT text FROM now.consents AS kept
    WHERE kept.hash = consent_hash AND kept.tenant_id = main.executions.tenant_id); DETACH now`)
  for (const trigger of triggers) db.exec(trigger.sql)
  db.close()
  for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
  renameSync(before, path)
}

async function filledBefore(name: string) {
  let ids: { done: RequestId; waiting: RequestId; hash: string }
  {
    await using kit = await open(name)
    const done = await run(kit)
    const waiting = await ask(kit, 'console.log("waits")\n')
    ids = { done: done.requestId, waiting: waiting.requestId, hash: done.consentHash }
  }
  asBefore(name)
  return ids
}

describe('a consent', () => {
  it('of a row of the version before is shown, decided and run, and goes with its row', async () => {
    const { done, waiting, hash } = await filledBefore('old')
    {
      await using kit = await open('old')
      expect(uses(kit)).toEqual([])
      const row = await kit.executions.resolve(waiting)
      expect(kit.executions.consentOf(row).skill_id).toBe('demo-skill')
      // The same again while the old one waits is the old one.
      expect((await ask(kit, 'console.log("waits")\n')).requestId).toBe(waiting)
      await kit.executions.decide(waiting, row.consentHash, 'once', owner())
      expect(await kit.executions.wait(waiting, 20_000, NEVER)).toMatchObject({ status: 'success' })
      // What was asked before is asked again: its text is here from now on, and in the old row still.
      const again = await run(kit)
      expect(again.consentHash).toBe(hash)
      expect(uses(kit)).toEqual([{ hash, uses: 1 }])
      expect(await kit.executions.resolve(done)).toMatchObject({ consentHash: hash })
    }
    // Nobody answers these two; what a person decided is kept.
    {
      await using kit = await open('old')
      await ask(kit, 'console.log("nobody")\n')
      await ask(kit, 'console.log("answers")\n')
      now += YEAR_MS
      await kit.approvals.tick()
      expect(uses(kit)).toHaveLength(3)
    }
    now += YEAR_MS
    await using kit = await open('old')
    // The newest row stays, since no id is given twice.
    await run(kit, 'console.log("newest")\n')
    await kit.retention.prune({ olderThanMs: 0, maxBytes: null }, 'cli:0', 60_000)
    expect(uses(kit)).toEqual(
      kit.db
        .prepare(`SELECT consent_hash AS hash, count(*) AS uses FROM executions WHERE consent = ''
          GROUP BY consent_hash ORDER BY consent_hash`)
        .all(),
    )
    expect(uses(kit)).toHaveLength(1)
    const texts = kit.db.prepare('SELECT text FROM consents').pluck().all().join()
    expect(texts).not.toContain('nobody')
    expect(kit.defects).toEqual([])
  })

  it.runIf(withoutPostgres() === undefined)(
    'is once in PostgreSQL and back, with rows of the version before among them',
    async () => {
      const { done, waiting, hash } = await filledBefore('old')
      let before: unknown[]
      let sum: unknown
      {
        await using kit = await open('old')
        for (let at = 0; at < 3; at += 1) {
          const again = await run(kit)
          expect(again.consentHash).toBe(hash)
        }
        before = uses(kit)
        sum = sums(kit)
        expect(before).toEqual([{ hash, uses: 3 }])
      }
      const server = await freshDatabase({ isEmpty: true })
      try {
        await copyDatabase({ from: { path: file('old') }, to: { url: server.url } })
        mkdirSync(dirname(file('back')))
        cpSync(join(folder, 'old', 'master.key'), join(folder, 'back', 'master.key'))
        await copyDatabase({ from: { url: server.url }, to: { path: file('back') } })
      } finally {
        await server.drop()
      }
      await using kit = await open('back')
      expect([uses(kit), sums(kit)]).toEqual([before, sum])
      const row = await kit.executions.resolve(waiting)
      await kit.executions.decide(waiting, row.consentHash, 'once', owner())
      expect(await kit.executions.wait(waiting, 20_000, NEVER)).toMatchObject({ status: 'success' })
      for (const id of [done, (await run(kit)).requestId])
        expect(kit.executions.consentOf(await kit.executions.resolve(id)).skill_id).toBe('demo-skill')
      expect(uses(kit)).toEqual([{ hash, uses: 4 }])
      expect(await kit.audit.verify({ full: true })).toMatchObject({ ok: true })
    },
  )
})
