import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addAgent, createDomainKit, requestOf } from '../../../test/support/domain-kit.ts'
import { SecretValue } from '../../kernel/index.ts'
import { createContentStore } from './content-store.ts'
import { createTransactor, openDatabase } from './database.ts'
import { createExecutionStore } from './execution-store.ts'
import { MIGRATIONS } from './migrations.ts'
import { createProviderAccessStore } from './provider-access-store.ts'
import { createRetentionStore } from './retention-store.ts'
import {
  createCardStore,
  createCodeStore,
  createMetaStore,
  createOutboxStore,
  createWakeStore,
} from './small-stores.ts'
import { createTrustStore } from './trust-store.ts'

const unavailable = expect.objectContaining({ code: 'storage_unavailable' })

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'oauth3-storage-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

const file = (): string => join(dir, 'state', 'proxy.db')

describe('the database file', () => {
  it('is made from nothing at the newest version, for its owner alone', () => {
    using db = closing(openDatabase(file()))
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length)
    expect(statSync(join(dir, 'state')).mode & 0o777).toBe(0o700)
    db.exec("INSERT INTO meta VALUES ('a', 'b')")
    for (const name of [file(), `${file()}-wal`, `${file()}-shm`])
      expect(statSync(name).mode & 0o777).toBe(0o600)
  })

  it('is made private when it was not', () => {
    mkdirSync(join(dir, 'state'))
    writeFileSync(file(), '', { mode: 0o644 })
    using _db = closing(openDatabase(file()))
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('is in WAL and fully synchronous, so that what was answered survives a power cut', () => {
    using db = closing(openDatabase(file()))
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal')
    expect(db.pragma('synchronous', { simple: true })).toBe(2)
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1)
    expect(db.pragma('secure_delete', { simple: true })).toBe(1)
    expect(db.pragma('trusted_schema', { simple: true })).toBe(0)
  })

  it('opens again with what it holds, and is not migrated twice', () => {
    {
      using db = closing(openDatabase(file()))
      createMetaStore(db).set('a', 'b')
    }
    using db = closing(openDatabase(file()))
    expect(createMetaStore(db).get('a')).toBe('b')
  })

  it('of a daemon without retention is counted and held by who uses it', () => {
    const before = MIGRATIONS.findIndex((sql) => sql.includes('CREATE TABLE content_holders'))
    mkdirSync(join(file(), '..'), { recursive: true })
    {
      using db = closing(new SqliteDatabase(file()))
      for (const sql of MIGRATIONS.slice(0, before)) db.exec(sql)
      db.pragma(`user_version = ${before}`)
      db.exec(`INSERT INTO agents VALUES ('agt_1', 'a', 'h', '[]', NULL, 1, NULL, '[]');
        INSERT INTO code VALUES ('c1', 'éé', 1);
        INSERT INTO import_locks VALUES ('l1', '{"files":[{"sha256":"f1"},{"sha256":"f2"}]}', 1), ('l2', 'no json', 1);
        INSERT INTO executions (request_id, skill_id, code_hash, status, executed_at, result, created_at, agent_id, consent,
          consent_hash, changes, expires_at, trusted, finished_at)
        VALUES ('req_1', 's', 'c1', 'success', 5, '{}', 4, 'agt_1', '{"imports":{"lock":"l1","bytes":7}}', 'x', '[]', 9, 0, 6),
          ('req_2', 's', 'c1', 'denied', NULL, NULL, 4, 'agt_1', 'no json', 'x', '[]', 9, 0, 8);`)
    }
    using db = closing(openDatabase(file()))
    const rows = db.prepare('SELECT code_hash, imports_lock, bytes, ran_at FROM content_holders').raw().all()
    expect(rows).toEqual([
      ['c1', '', 4, 6],
      ['c1', 'l1', 7, 0],
    ])
    expect(db.prepare('SELECT lock, sha256 FROM import_lock_files').raw().all()).toEqual([
      ['l1', 'f1'],
      ['l1', 'f2'],
    ])
    const texts = '{"imports":{"lock":"l1","bytes":7}}'.length + 'no json'.length + 2 * '[]'.length
    expect(createContentStore(db).bytesOf('agt_1' as never)).toBe(4 + 7 + texts + '{}'.length + 2 * 1_024)
  })

  it('of a daemon before retention keeps no code, imports or facts that nobody holds', () => {
    const before = MIGRATIONS.findIndex((sql) => sql.includes('CREATE TABLE content_holders'))
    mkdirSync(join(file(), '..'), { recursive: true })
    {
      using db = closing(new SqliteDatabase(file()))
      for (const sql of MIGRATIONS.slice(0, before)) db.exec(sql)
      db.pragma(`user_version = ${before}`)
      db.exec(`INSERT INTO agents VALUES ('agt_1', 'a', 'h', '[]', NULL, 1, NULL, '[]');
        INSERT INTO code VALUES ('orphan', 'text', 1), ('granted', 'text', 1), ('ended', 'text', 1);
        INSERT INTO code_facts VALUES ('orphan', 'js', 1, '{}'), ('gone', 'js', 1, '{}'), ('granted', 'js', 1, '{}');
        INSERT INTO import_locks VALUES ('l1', '{"files":[{"sha256":"f1"}]}', 1), ('l2', '{"files":[{"sha256":"f2"}]}', 1);
        INSERT INTO import_files VALUES ('f1', x'01'), ('f2', x'0203'), ('f3', x'04');
        INSERT INTO approvals (skill_id, code_hash, trust_level, approved_at, any_args, scope_hash, consent, consent_hash,
          request_id, approved_by, ended_at)
        VALUES ('s', 'granted', 'forever', 5, 0, 'x', '{"agent":{"id":"agt_1"},"imports":{"lock":"l2","bytes":2}}', 'x', 'r1', 'cli:0', NULL),
          ('s', 'ended', 'forever', 5, 0, 'x', '{"agent":{"id":"agt_1"}}', 'x', 'r2', 'cli:0', 6);`)
    }
    using db = closing(openDatabase(file()))
    const contents = createContentStore(db)
    for (let left = 10; left > 0 && contents.deleteReleased() !== undefined; ) left -= 1
    const all = (column: string, table: string): unknown[] =>
      db.prepare(`SELECT ${column} FROM ${table}`).pluck().all()
    expect(all('hash', 'code')).toEqual(['granted'])
    expect(all('hash', 'code_facts')).toEqual(['granted'])
    expect(all('hash', 'import_locks')).toEqual(['l2'])
    expect(all('sha256', 'import_files')).toEqual(['f2'])
    expect(contents.bytesOf('agt_1' as never)).toBe(4 + 2)
  })

  it('is refused when a newer daemon made it, and let alone', () => {
    openDatabase(file()).close()
    {
      using db = closing(new SqliteDatabase(file()))
      db.pragma(`user_version = ${MIGRATIONS.length + 1}`)
    }
    expect(() => openDatabase(file())).toThrow(
      expect.objectContaining({
        code: 'storage_unavailable',
        message: expect.stringContaining('newer daemon'),
      }),
    )
    using db = closing(new SqliteDatabase(file()))
    expect(db.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length + 1)
  })

  it.each<[string, string, () => void]>([
    [
      'a file that is no database',
      'x.db',
      () => writeFileSync(join(dir, 'x.db'), 'not a database, '.repeat(100)),
    ],
    ['a folder', 'x.db', () => mkdirSync(join(dir, 'x.db'))],
    ['a path through a file', 'x/proxy.db', () => writeFileSync(join(dir, 'x'), '')],
  ])('is refused when it is %s', (_what, path, make) => {
    make()
    expect(() => openDatabase(join(dir, path))).toThrow(unavailable)
  })

  it('is refused when its first page is torn, and is not written to', () => {
    openDatabase(file()).close()
    const torn = Buffer.alloc(4_096, 0x5a)
    writeFileSync(file(), torn)
    expect(() => openDatabase(file())).toThrow(unavailable)
    expect(statSync(file()).size).toBe(torn.length)
  })
})

describe('a transaction', () => {
  let db: Database
  beforeEach(() => {
    db = openDatabase(file())
  })
  afterEach(() => void db.close())
  const count = (): unknown => db.prepare('SELECT count(*) FROM meta').pluck().get()

  it('joins the one around it, and an error undoes both', () => {
    const { transact } = createTransactor(db)
    const meta = createMetaStore(db)
    expect(() =>
      transact(() => {
        meta.set('outer', '1')
        transact(() => meta.set('inner', '1'))
        throw new Error('undone')
      }),
    ).toThrow('undone')
    expect(count()).toBe(0)
    expect(transact(() => transact(() => 7))).toBe(7)
  })

  it('on a full disk says so and leaves nothing, and works when there is room again', () => {
    const { transact } = createTransactor(db)
    const meta = createMetaStore(db)
    const pages = Number(db.pragma('page_count', { simple: true }))
    db.pragma(`max_page_count = ${pages + 2}`)
    const write = (): void =>
      transact(() => {
        meta.set('small', 'x')
        meta.set('large', 'x'.repeat(100_000))
      })
    expect(write).toThrow(unavailable)
    expect([count(), db.inTransaction]).toEqual([0, false])
    db.pragma(`max_page_count = ${pages + 1_000}`)
    write()
    expect(count()).toBe(2)
  })

  it('on a database that cannot be written says so', () => {
    db.pragma('query_only = ON')
    expect(() => createTransactor(db).transact(() => createMetaStore(db).set('a', 'b'))).toThrow(unavailable)
    expect(count()).toBe(0)
  })

  it('that another process holds up says so', () => {
    using other = closing(new SqliteDatabase(file()))
    other.exec('BEGIN IMMEDIATE')
    db.pragma('busy_timeout = 20')
    expect(() => createTransactor(db).transact(() => 1)).toThrow(unavailable)
  })

  it('does not tell an agent where the database lies', () => {
    db.pragma('query_only = ON')
    expect(() => createTransactor(db).transact(() => createMetaStore(db).set('a', 'b'))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(dir) }),
    )
  })
})

describe('the inspection of the database', () => {
  it.runIf(existsSync('/usr/bin/sqlite3'))(
    'works with the sqlite3 command while the daemon runs',
    async () => {
      await using kit = await createDomainKit({ dir })
      const agent = addAgent(kit)
      kit.vault.put('DEMO_KEY', new SecretValue('demo-value-0123456789'), { actor: 'cli:0' })
      const execution = await kit.executions.submit(agent, requestOf())
      kit.executions.decide(execution.requestId, execution.consentHash, 'forever', {
        via: 'cli',
        userId: '0',
        name: 'root',
      })
      const ask = (sql: string): Record<string, unknown>[] =>
        JSON.parse(
          execFileSync('/usr/bin/sqlite3', ['-readonly', '-json', join(dir, 'proxy.db'), sql], {
            encoding: 'utf8',
          }),
        )
      expect(ask('SELECT * FROM executions ORDER BY created_at DESC LIMIT 10;')).toMatchObject([
        {
          request_id: execution.requestId,
          skill_id: 'demo-skill',
          approved: 1,
          code_hash: execution.codeHash,
        },
      ])
      expect(ask("SELECT * FROM approvals WHERE trust_level = 'forever';")).toMatchObject([
        { skill_id: 'demo-skill', code_hash: execution.codeHash, expires_at: null },
      ])
      expect(ask('SELECT name, encrypted_value, created_at, updated_at FROM secrets;')).toMatchObject([
        { name: 'DEMO_KEY' },
      ])
      expect(ask("SELECT * FROM audit_log WHERE event = 'approval.decided'")).toHaveLength(1)
    },
  )
})

describe('hot queries', () => {
  /** Runs the stores on a database that writes down every statement, and asks SQLite how it finds the rows. */
  const plansOf = (work: (db: Database) => void): string[] => {
    const statements: string[] = []
    const db = new SqliteDatabase(':memory:', { verbose: (sql) => void statements.push(String(sql)) })
    using _closing = closing(db)
    for (const migration of MIGRATIONS) db.exec(migration)
    statements.length = 0
    work(db)
    const asked = statements.slice()
    expect(asked.length).toBeGreaterThan(0)
    return asked.flatMap((sql) =>
      db
        .prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map(({ detail }) => detail),
    )
  }
  const agentId = 'agt_1' as never
  const hash = 'a'.repeat(64) as never

  it.each<[string, (db: Database) => unknown]>([
    ['an execution by its id', (db) => createExecutionStore(db).byRequestId('req_1' as never)],
    ['the waiting duplicate', (db) => createExecutionStore(db).waitingDuplicate(agentId, hash)],
    ['how many wait', (db) => createExecutionStore(db).countWaiting(agentId, 0)],
    ['what has run out', (db) => createExecutionStore(db).expiredBy(5)],
    ['what runs', (db) => createExecutionStore(db).inStatus('running')],
    ['what waits for secrets', (db) => createExecutionStore(db).inStatus('awaiting_secrets')],
    ["an agent's page", (db) => createExecutionStore(db).list({ agentId, limit: 20 })],
    ["an agent's next page", (db) => createExecutionStore(db).list({ agentId, before: 100, limit: 20 })],
    [
      "an agent's page of states",
      (db) =>
        createExecutionStore(db).list({ agentId, statuses: ['success', 'denied'], before: 9, limit: 20 }),
    ],
    [
      'what is open, for a person',
      (db) => createExecutionStore(db).list({ statuses: ['pending', 'awaiting_secrets'], limit: 20 }),
    ],
    ['a short id', (db) => createExecutionStore(db).byPrefix('req_ab')],
    ["a provider ask's short id", (db) => createProviderAccessStore(db).asksByPrefix('ask_ab')],
    ['an idempotency key', (db) => createExecutionStore(db).idempotencyEntry(agentId, 'k')],
    ['old idempotency keys', (db) => createExecutionStore(db).forgetIdempotencyBefore(5)],
    ['standing grants', (db) => createTrustStore(db).activeGrants('skill', hash)],
    ['the newest grant of a skill', (db) => createTrustStore(db).newestOfSkill('skill')],
    ['grants that ran out', (db) => createTrustStore(db).expiredBy(5)],
    ['the grant of a scope', (db) => createTrustStore(db).activeByScope(hash)],
    ['code', (db) => createCodeStore(db).get(hash)],
    ['a card', (db) => createCardStore(db).byToken('t')],
    ['the heads of the outbox', (db) => createOutboxStore(db).due('telegram:', 5)],
    ['what an agent keeps', (db) => createContentStore(db).bytesOf(agentId)],
    ['who holds code', (db) => createContentStore(db).isHeld({ agentId, codeHash: hash, importsLock: null })],
    [
      'whether code is needed',
      (db) => {
        createContentStore(db).hold({ agentId, codeHash: hash, importsLock: null }, 1)
        createContentStore(db).release(agentId, hash, 5)
      },
    ],
    ["an agent's oldest output", (db) => createRetentionStore(db).dropOutputs({ agentId }, 5, 100)],
    [
      "an agent's oldest requests",
      (db) => createRetentionStore(db).dropExecutions({ agentId, endedBefore: 5 }, undefined, 5),
    ],
    ['due wakes of an agent', (db) => createWakeStore(db).due(agentId, 5, 10)],
  ])('find %s through an index', (_what, ask) => {
    for (const step of plansOf((db) => void ask(db))) expect(step).not.toMatch(/^SCAN (?!CONSTANT ROW)/)
  })
})

const closing = <T extends Database>(db: T): T & Disposable =>
  Object.assign(db, { [Symbol.dispose]: () => void db.close() })
