import SqliteDatabase from 'better-sqlite3'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { withoutPostgres } from '../../../test/support/postgres-binaries.ts'
import { freshDatabase } from '../../../test/support/postgres-server.ts'
import { migrateSqlite } from '../sqlite/migrate.ts'
import { SQLITE_MIGRATIONS } from './sqlite/index.ts'

interface Column {
  readonly type: string
  readonly nullable: boolean
  readonly default: string | null
  readonly generated: boolean
}
interface Table {
  readonly columns: Record<string, Column>
  readonly primaryKey: readonly string[]
  /** Unique over all rows, without a name of their own. */
  readonly unique: readonly string[]
  /** By name: columns, and whether it is unique or of some rows. An expression counts as `()`. */
  readonly indexes: Record<string, string>
  readonly references: readonly string[]
}
type Schema = Record<string, Table>

const indexOf = (isUnique: boolean, columns: readonly (string | null)[], isPartial: boolean): string =>
  `${isUnique ? 'unique ' : ''}(${columns.map((name) => name ?? '()').join(', ')})${isPartial ? ' partial' : ''}`

function schemaOfSqlite(): Schema {
  const db = new SqliteDatabase(':memory:')
  migrateSqlite(db, SQLITE_MIGRATIONS)
  const ask = <T>(sql: string, ...values: string[]): T[] => db.prepare<string[], T>(sql).all(...values)
  const tables = ask<{ name: string }>(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`,
  )
  const tableOf = (table: string): Table => {
    type Row = {
      name: string
      type: string
      notnull: number
      dflt_value: string | null
      pk: number
      hidden: number
    }
    const columns = ask<Row>('SELECT * FROM pragma_table_xinfo(?)', table)
    const lists = ask<{ name: string; unique: number; origin: string; partial: number }>(
      'SELECT * FROM pragma_index_list(?)',
      table,
    ).map((index) => ({
      ...index,
      columns: ask<{ name: string | null; key: number }>('SELECT * FROM pragma_index_xinfo(?)', index.name)
        .filter(({ key }) => key === 1)
        .map(({ name }) => name),
    }))
    const references = ask<{ id: number; seq: number; table: string; from: string; to: string }>(
      'SELECT * FROM pragma_foreign_key_list(?) ORDER BY id, seq',
      table,
    )
    return {
      columns: Object.fromEntries(
        columns.map(({ name, type, notnull, dflt_value, pk, hidden }) => [
          name,
          {
            type: { INTEGER: 'integer', TEXT: 'text', BLOB: 'bytes' }[type] ?? type,
            nullable: notnull === 0 && pk === 0,
            default: dflt_value,
            generated: hidden > 1,
          },
        ]),
      ),
      primaryKey: columns
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map(({ name }) => name),
      unique: lists
        .filter(({ origin }) => origin === 'u')
        .map((index) => index.columns.join(', '))
        .sort(),
      indexes: Object.fromEntries(
        lists
          .filter(({ origin }) => origin === 'c')
          .map((index) => [index.name, indexOf(index.unique === 1, index.columns, index.partial === 1)])
          .sort(),
      ),
      references: [...new Set(references.map(({ id }) => id))]
        .map((id) => references.filter((one) => one.id === id))
        .map(
          (of) =>
            `(${of.map((one) => one.from).join(', ')}) ${of[0]?.table} (${of.map((one) => one.to).join(', ')})`,
        )
        .sort(),
    }
  }
  return Object.fromEntries(tables.map(({ name }) => [name, tableOf(name)]))
}

async function schemaOfPostgres(url: string): Promise<Schema> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const ask = async <T extends pg.QueryResultRow>(sql: string): Promise<T[]> =>
      (await client.query<T>(sql)).rows
    const columns = await ask<{
      table: string
      name: string
      type: string
      not_null: boolean
      value: string | null
      generated: string
      identity: string
      collation: string | null
    }>(
      `SELECT relname AS "table", attname AS name, format_type(atttypid, NULL) AS type, attnotnull AS not_null,
         pg_get_expr(adbin, adrelid) AS value, attgenerated::text AS generated, attidentity::text AS identity, collname AS collation
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
         LEFT JOIN pg_collation ON pg_collation.oid = attcollation
       WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
         AND relname <> 'schema_version' ORDER BY relname, attnum`,
    )
    const keys = await ask<{
      table: string
      kind: string
      columns: string[]
      of: string | null
      of_columns: string[] | null
    }>(
      `SELECT conrelid::regclass::text AS "table", contype::text AS kind, confrelid::regclass::text AS of,
         (SELECT array_agg(attname::text ORDER BY place) FROM unnest(conkey) WITH ORDINALITY AS k (number, place)
           JOIN pg_attribute ON attrelid = conrelid AND attnum = number) AS columns,
         (SELECT array_agg(attname::text ORDER BY place) FROM unnest(confkey) WITH ORDINALITY AS k (number, place)
           JOIN pg_attribute ON attrelid = confrelid AND attnum = number) AS of_columns
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace`,
    )
    const indexes = await ask<{
      table: string
      name: string
      unique: boolean
      partial: boolean
      columns: (string | null)[]
    }>(
      `SELECT indrelid::regclass::text AS "table", relname AS name, indisunique AS unique, indpred IS NOT NULL AS partial,
         (SELECT array_agg(attname::text ORDER BY place) FROM unnest(indkey) WITH ORDINALITY AS k (number, place)
           LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = number AND number > 0) AS columns
       FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
       WHERE relnamespace = 'public'::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)`,
    )
    expect(columns.filter(({ type, collation }) => type === 'text' && collation !== 'C')).toEqual([])
    const tableOf = (table: string): Table => ({
      columns: Object.fromEntries(
        columns
          .filter((column) => column.table === table)
          .map(({ name, type, not_null, value, generated }) => [
            name,
            {
              type: { bigint: 'integer', text: 'text', bytea: 'bytes' }[type] ?? type,
              nullable: !not_null,
              default:
                generated === ''
                  ? (value?.replace(/^'(.*)'::bigint$/, '$1').replace(/^('.*')::text$/, '$1') ?? null)
                  : null,
              generated: generated !== '',
            },
          ]),
      ),
      primaryKey: keys.find((key) => key.table === table && key.kind === 'p')?.columns ?? [],
      unique: keys
        .filter((key) => key.table === table && key.kind === 'u')
        .map((key) => key.columns.join(', '))
        .sort(),
      indexes: Object.fromEntries(
        indexes
          .filter((index) => index.table === table)
          .map((index) => [index.name, indexOf(index.unique, index.columns, index.partial)])
          .sort(),
      ),
      references: keys
        .filter((key) => key.table === table && key.kind === 'f')
        .map((key) => `(${key.columns.join(', ')}) ${key.of} (${key.of_columns?.join(', ')})`)
        .sort(),
    })
    return Object.fromEntries(
      [...new Set(columns.map(({ table }) => table))].sort().map((name) => [name, tableOf(name)]),
    )
  } finally {
    await client.end()
  }
}

/** `executions` was too large to be made anew: a default and a trigger of SQLite's stand for what PostgreSQL says in its key. */
const withoutWhatDiffers = (schema: Schema): Schema => {
  const { executions } = schema
  if (executions === undefined) return schema
  const { tenant_id, ...columns } = executions.columns
  return { ...schema, executions: { ...executions, columns, references: [] } }
}

describe('the schema', () => {
  it('has a tenant in every table, first in its keys, but for what the installation has', () => {
    for (const [name, { columns, primaryKey, indexes }] of Object.entries(schemaOfSqlite())) {
      if (name === 'installation' || name === 'tenants') continue
      expect.soft(columns.tenant_id, name).toEqual({
        ...{ type: 'text', nullable: false, generated: false },
        default: name === 'executions' ? "'default'" : null,
      })
      // Ids that are counted or long random numbers stand for themselves.
      if (primaryKey.length > 1) expect.soft(primaryKey[0], name).toBe('tenant_id')
      else expect.soft(['id', 'request_id', 'token'], name).toContain(primaryKey[0])
      for (const index of Object.values(indexes)) expect.soft(index, name).toMatch(/^(unique )?\(tenant_id, /)
    }
  })

  it.runIf(withoutPostgres() === undefined)('is the same in both engines', async () => {
    const { url, drop } = await freshDatabase()
    try {
      expect(withoutWhatDiffers(await schemaOfPostgres(url))).toEqual(withoutWhatDiffers(schemaOfSqlite()))
    } finally {
      await drop()
    }
  })
})
