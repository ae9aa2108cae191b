import SqliteDatabase from 'better-sqlite3'
import pg from 'pg'
import { SQLITE_MIGRATIONS } from '../../src/storage/migrations/sqlite/index.ts'
import { migrateSqlite } from '../../src/storage/sqlite/migrate.ts'
import { freshDatabase } from './postgres-server.ts'

/** Statements as they are written, past the stores: what the schema itself allows. */
export interface RawDatabase extends AsyncDisposable {
  /** Rows of one statement, or nothing of several, in a transaction of the tenant. */
  ask(tenant: string, sql: string): Promise<Record<string, unknown>[]>
}

export async function rawSqlite(): Promise<RawDatabase> {
  const db = new SqliteDatabase(':memory:')
  migrateSqlite(db, SQLITE_MIGRATIONS)
  return {
    async ask(_tenant, sql) {
      if (/^\s*SELECT/.test(sql)) return db.prepare<[], Record<string, unknown>>(sql).all()
      db.exec(sql)
      return []
    },
    [Symbol.asyncDispose]: async () => void db.close(),
  }
}

export async function rawPostgres(): Promise<RawDatabase & { readonly client: pg.Client }> {
  const { url, drop } = await freshDatabase()
  const client = new pg.Client({ connectionString: url })
  client.setTypeParser(pg.types.builtins.INT8, Number)
  await client.connect()
  return {
    client,
    async ask(tenant, sql) {
      await client.query('BEGIN')
      try {
        await client.query("SELECT set_config('app.tenant', $1, true)", [tenant])
        const { rows } = await client.query(sql)
        await client.query('COMMIT')
        return rows ?? []
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      }
    },
    async [Symbol.asyncDispose]() {
      await client.end()
      await drop()
    },
  }
}

/** An agent of the tenant, and a request of its, in a state that does not wait. */
export const agentSql = (tenant: string, agent: string): string =>
  `INSERT INTO agents (tenant_id, id, name, token_sha256, cidrs, tags, created_at)
   VALUES ('${tenant}', '${agent}', 'name', 'token of ${agent}', '[]', '[]', 1);`

export const executionSql = (tenant: string, agent: string, request: string): string =>
  `INSERT INTO executions (tenant_id, request_id, skill_id, code_hash, status, created_at, agent_id, consent, consent_hash,
     changes, expires_at, trusted, result, output_bytes)
   VALUES ('${tenant}', '${request}', 's', 'c', 'success', 1, '${agent}', 'é', '${request}', '[]', 9, 0, 'xxxxx', 5);`
