import SqliteDatabase, { type Database } from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { migrateSqlite } from '../sqlite/migrate.ts'
import { SQLITE_MIGRATIONS } from './sqlite/index.ts'

/** A database as it was before the migration that has `sql`, filled, and brought to the newest version. */
function migrated(before: string, fill: (db: Database) => void): Database {
  const version = SQLITE_MIGRATIONS.findIndex((sql) => sql.includes(before))
  const db = new SqliteDatabase(':memory:')
  migrateSqlite(db, SQLITE_MIGRATIONS.slice(0, version))
  fill(db)
  migrateSqlite(db, SQLITE_MIGRATIONS)
  return db
}
const all = (db: Database, sql: string): unknown[] => db.prepare(sql).raw().all()

describe('a database', () => {
  it('of a daemon without retention is counted and held by who uses it', () => {
    const db = migrated('CREATE TABLE content_holders', (old) =>
      old.exec(`INSERT INTO agents VALUES ('agt_1', 'a', 'h', '[]', NULL, 1, NULL, '[]');
        INSERT INTO code VALUES ('c1', 'éé', 1);
        INSERT INTO import_locks VALUES ('l1', '{"files":[{"sha256":"f1"},{"sha256":"f2"}]}', 1), ('l2', 'no json', 1);
        INSERT INTO executions (request_id, skill_id, code_hash, status, executed_at, result, created_at, agent_id, consent,
          consent_hash, changes, expires_at, trusted, finished_at)
        VALUES ('req_1', 's', 'c1', 'success', 5, '{}', 4, 'agt_1', '{"imports":{"lock":"l1","bytes":7}}', 'x', '[]', 9, 0, 6),
          ('req_2', 's', 'c1', 'denied', NULL, NULL, 4, 'agt_1', 'no json', 'x', '[]', 9, 0, 8);`),
    )
    expect(all(db, 'SELECT tenant_id, code_hash, imports_lock, bytes, ran_at FROM content_holders')).toEqual([
      ['default', 'c1', '', 4, 6],
      ['default', 'c1', 'l1', 7, 0],
    ])
    expect(all(db, 'SELECT lock, sha256 FROM import_lock_files')).toEqual([
      ['l1', 'f1'],
      ['l1', 'f2'],
    ])
    const texts = '{"imports":{"lock":"l1","bytes":7}}'.length + 'no json'.length + 2 * '[]'.length
    expect(all(db, 'SELECT tenant_id, agent_id, bytes FROM agent_storage')).toEqual([
      ['default', 'agt_1', 4 + 7 + texts + '{}'.length + 2 * 1_024],
    ])
  })

  it('of a daemon before retention queues code and imports that nobody holds, and drops their facts and files', () => {
    const db = migrated('CREATE TABLE content_holders', (old) =>
      old.exec(`INSERT INTO agents VALUES ('agt_1', 'a', 'h', '[]', NULL, 1, NULL, '[]');
        INSERT INTO code VALUES ('orphan', 'text', 1), ('granted', 'text', 1), ('ended', 'text', 1);
        INSERT INTO code_facts VALUES ('orphan', 'js', 1, '{}'), ('gone', 'js', 1, '{}'), ('granted', 'js', 1, '{}');
        INSERT INTO import_locks VALUES ('l1', '{"files":[{"sha256":"f1"}]}', 1), ('l2', '{"files":[{"sha256":"f2"}]}', 1);
        INSERT INTO import_files VALUES ('f1', x'01'), ('f2', x'0203'), ('f3', x'04');
        INSERT INTO approvals (skill_id, code_hash, trust_level, approved_at, any_args, scope_hash, consent, consent_hash,
          request_id, approved_by, ended_at)
        VALUES ('s', 'granted', 'forever', 5, 0, 'x', '{"agent":{"id":"agt_1"},"imports":{"lock":"l2","bytes":2}}', 'x', 'r1', 'cli:0', NULL),
          ('s', 'ended', 'forever', 5, 0, 'x', '{"agent":{"id":"agt_1"}}', 'x', 'r2', 'cli:0', 6);`),
    )
    expect(all(db, 'SELECT tenant_id, code_hash, imports_lock FROM released_content')).toEqual([
      ['default', '', 'l1'],
      ['default', 'ended', ''],
      ['default', 'orphan', ''],
    ])
    expect(all(db, 'SELECT code_hash, imports_lock, bytes FROM content_holders')).toEqual([
      ['granted', '', 4],
      ['granted', 'l2', 2],
    ])
    expect(all(db, 'SELECT hash FROM code_facts')).toEqual([['granted'], ['orphan']])
    expect(all(db, 'SELECT sha256 FROM import_files')).toEqual([['f1'], ['f2']])
    expect(all(db, 'SELECT bytes FROM agent_storage')).toEqual([[4 + 2]])
  })

  it('from before groups of endpoints keeps of its grants what their cards showed, or their paths name', () => {
    const db = migrated('ADD COLUMN groups', (old) => {
      old.exec(
        "INSERT INTO agents (id, name, token_sha256, cidrs, created_at) VALUES ('a', 'one', 'x', '[]', 1)",
      )
      const grant =
        old.prepare(`INSERT INTO provider_grants (agent_id, provider, paths, granted_by, granted_at)
        VALUES ('a', 'openai', ?, 'cli:0', 1)`)
      for (const paths of [null, ['/chat/completions'], ['/files', '/batches']])
        grant.run(paths && JSON.stringify(paths))
      old.exec(`INSERT INTO provider_asks (id, agent_id, provider, path, status, created_at, expires_at)
          VALUES ('ask_1', 'a', 'openai', '/files', 'pending', 1, 9);
        INSERT INTO usage_by_day VALUES ('2026-01-02', 'a', 'openai', 'm', 7, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`)
    })
    expect(all(db, 'SELECT groups FROM provider_grants ORDER BY id')).toEqual([
      ['["inference","models"]'],
      ['["inference","models"]'],
      ['["inference","models","files","batches"]'],
    ])
    expect(all(db, 'SELECT status, endpoint_group FROM provider_asks')).toEqual([['expired', 'inference']])
    expect(all(db, 'SELECT provider, key_id, agent_id, first_used_at FROM provider_key_users')).toEqual([
      ['openai', 7, 'a', Date.UTC(2026, 0, 2)],
    ])
  })
})
