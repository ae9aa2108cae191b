import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createStoredContent } from '../../domain/retention/index.ts'
import { createContentStore } from './content-store.ts'
import { openDatabase } from './database.ts'
import { createRetentionStore } from './retention-store.ts'

const AGENT = 'agt_1' as never
const NOW = 1_700_000_000_000
const DAY_MS = 24 * 3_600_000

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-retention-store-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

/** A file with ended rows of one agent, none of which can go: a wake of each is on its way. */
function fileWith(rows: number): string {
  const path = join(dir, `${rows}.db`)
  const db = openDatabase(path)
  db.exec(`INSERT INTO agents (id, name, token_sha256, cidrs, wake, created_at, revoked_at, tags) VALUES ('${AGENT}', 'a', 'h', '[]', NULL, 1, NULL, '[]');
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO executions (request_id, skill_id, code_hash, status, created_at, agent_id, consent, consent_hash, changes,
      expires_at, trusted, finished_at)
    SELECT 'req_' || i, 's', 'c', 'success', ${NOW - 9 * DAY_MS}, '${AGENT}', '{}', 'x' || i, '[]', 9, 1, ${NOW - 8 * DAY_MS}
    FROM n;
    INSERT INTO wakes (request_id, agent_id, next_at, created_at) SELECT request_id, agent_id, 9, 9 FROM executions;`)
  db.close()
  return path
}

const contentOf = (db: Database) =>
  createStoredContent({
    contents: createContentStore(db),
    retention: createRetentionStore(db),
    clock: { now: () => NOW },
    maxBytesPerAgent: 10_000,
    retainCodeMs: 0,
    events: { publish() {} },
  })

describe('a full agent, of whose rows none can go', () => {
  it('costs the same for each refused request, however many rows it has', () => {
    const costOf = (rows: number): number => {
      const asked: unknown[] = []
      const db = new SqliteDatabase(fileWith(rows), { verbose: (sql) => void asked.push(sql) })
      const content = contentOf(db)
      asked.length = 0
      expect(() => content.reserve(AGENT, [], 9)).toThrow(expect.objectContaining({ code: 'rate_limited' }))
      const cost = asked.length
      db.close()
      return cost
    }
    expect(costOf(20_000)).toBe(costOf(2_000))
  })

  it('finds the row that can go, in as many requests as it takes', () => {
    const db = new SqliteDatabase(fileWith(3_000))
    db.exec("DELETE FROM wakes WHERE request_id = 'req_2500'")
    const content = contentOf(db)
    const isThere = db.prepare("SELECT count(*) FROM executions WHERE request_id = 'req_2500'").pluck()
    for (let requests = 0; requests < 20; requests += 1) expect(() => content.reserve(AGENT, [], 9)).toThrow()
    expect(isThere.get()).toBe(0)
    db.close()
  })
})
