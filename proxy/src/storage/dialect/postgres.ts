import { type Expression, type SqlBool, sql } from 'kysely'
import { type Dialect, type Operand, pastPrefix } from './dialect.ts'

const operand = (value: Operand): Expression<unknown> => (typeof value === 'string' ? sql.ref(value) : value)
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** PostgreSQL 15 or newer, with the functions of the first migration. Columns of text are `COLLATE "C"`: order is that of bytes. */
export const postgresDialect: Dialect = {
  engine: 'postgres',
  isJson: (text) => sql<SqlBool>`app_json(${operand(text)}) IS NOT NULL`,
  jsonText: (text, ...path) =>
    sql`app_json(${operand(text)}) #>> ${sql.raw(`ARRAY[${path.map(literal).join(', ')}]`)}`,
  byteLength: (value) => sql`octet_length(${operand(value)})`,
  startsWith: (text, prefix) =>
    sql<SqlBool>`(${operand(text)} >= ${prefix} AND ${operand(text)} < ${pastPrefix(prefix)})`,
  greatest: (...values) => sql`greatest(${sql.join(values)})`,
  least: (...values) => sql`least(${sql.join(values)})`,
  async nextId(db, table) {
    const { rows } = await sql<{
      id: number
    }>`SELECT nextval(pg_get_serial_sequence(${table}, 'id')) AS id`.execute(db)
    return rows[0]?.id ?? 1
  },
  async databaseSize(db) {
    const { rows } = await sql<{
      bytes: number
    }>`SELECT pg_database_size(current_database()) AS bytes`.execute(db)
    return { used: rows[0]?.bytes ?? 0, free: 0 }
  },
  // Autovacuum frees space for new rows.
  shrink: async () => false,
  // A hash that two tenants share makes them wait for each other, and no more.
  lockTenant: (tenant) =>
    `SELECT pg_advisory_xact_lock(hashtextextended(${literal(`oauth3 tenant ${tenant}`)}, 0));`,
}
