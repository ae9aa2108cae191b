import type { Client } from 'pg'
import { AppError } from '../../kernel/index.ts'

/** Any number that nothing else of the database locks. */
const MIGRATING = 0x6f617574

/**
 * Applies what the database has not seen yet, each in one transaction; `schema_version` has the number of the newest one applied.
 * Daemons that start at the same time wait for each other at each of them.
 */
export async function migratePostgres(client: Client, migrations: readonly string[]): Promise<void> {
  const locked = async <T>(work: () => Promise<T>): Promise<T> => {
    await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${MIGRATING})`)
    try {
      const result = await work()
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK').catch(() => {})
      throw error
    }
  }
  const version = async (): Promise<number> => {
    const { rows } = await client.query<{ version: number }>('SELECT version FROM schema_version')
    return rows[0]?.version ?? 0
  }
  await locked(() =>
    client.query(`CREATE TABLE IF NOT EXISTS schema_version (one integer PRIMARY KEY CHECK (one = 1), version integer NOT NULL);
      INSERT INTO schema_version VALUES (1, 0) ON CONFLICT DO NOTHING`),
  )
  const found = await version()
  if (found > migrations.length) {
    throw new AppError(
      'storage_unavailable',
      `The database has schema version ${found}; this daemon knows ${migrations.length}. Run a newer daemon.`,
    )
  }
  for (const [index, sql] of migrations.entries()) {
    await locked(async () => {
      if ((await version()) > index) return
      await client.query(sql)
      await client.query(`UPDATE schema_version SET version = ${index + 1}`)
    })
  }
}
