import { PostgresAdapter, PostgresQueryCompiler } from 'kysely'
import pg from 'pg'
import { AppError } from '../../kernel/index.ts'
import { postgresDialect } from '../dialect/postgres.ts'
import { POSTGRES_MIGRATIONS } from '../migrations/postgres/index.ts'
import { createPostgresConnection } from '../postgres/connection.ts'
import { prepareServer, VALUE_TYPES } from '../postgres/open-server.ts'
import {
  BATCH_BYTES,
  BATCH_ROWS,
  bytesOf,
  type CopySource,
  type CopyTarget,
  describeNote,
  NOTE_KEY,
  type Row,
} from './side.ts'
import type { CopiedTable } from './table-list.ts'

const NAME = 'oauth3 migrate'
const CONNECT_MS = 10_000
/** A lock that is not free within this time is held by somebody who works with the database. */
const LOCK_MS = 5_000
/** Rows of a table may be large. */
const FETCHED = 100

const INT8 = 20
const SQL_TYPES = { text: 'text', integer: 'bigint', bytes: 'bytea' } as const
const listed = ({ columns }: CopiedTable): string => columns.map(({ name }) => name).join(', ')
const sequenceOf = ({ name }: CopiedTable): string => `pg_get_serial_sequence('${name}', 'id')`

interface ServerPlace {
  readonly url: string
  readonly heldBy?: string | undefined
}

/**
 * One transaction, in which the owner of the tables sees the rows of all tenants and nobody else anything: what changes a table
 * locks it. It ends with the connection, however that ends.
 */
async function begin({ url, heldBy = '' }: ServerPlace, tables: readonly CopiedTable[]): Promise<pg.Client> {
  await prepareServer(url, POSTGRES_MIGRATIONS)
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    application_name: NAME,
  })
  client.setTypeParser(INT8, BigInt)
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${LOCK_MS}; SET LOCAL idle_in_transaction_session_timeout = 0;
      SET LOCAL statement_timeout = 0`)
    const { rows } = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND application_name LIKE 'oauth3%' AND application_name <> $1`,
      [heldBy],
    )
    if (rows.length > 0)
      throw new AppError(
        'conflict',
        'A daemon or another migration works with the PostgreSQL database; stop it first.',
      )
    for (const { name, columns } of tables) {
      // The lock alone where there are no policies.
      const isOfTenants = columns.some((column) => column.name === 'tenant_id')
      await client.query(
        isOfTenants ? `ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY` : `LOCK TABLE ${name}`,
      )
    }
    return client
  } catch (error) {
    await client.end()
    throw isLockTimeout(error)
      ? new AppError('conflict', 'Another connection works with the PostgreSQL database; stop it first.', {
          cause: error,
        })
      : error
  }
}

const isLockTimeout = (error: unknown): boolean => (error as { code?: unknown }).code === '55P03'

function reading(client: pg.Client): CopySource {
  return {
    engine: 'postgres',
    async *rows(table) {
      await client.query(
        `DECLARE copied CURSOR FOR SELECT ${listed(table)} FROM ${table.name} ORDER BY ${table.key.join(', ')}`,
      )
      try {
        let batch: Row[] = []
        let bytes = 0
        for (;;) {
          const { rows } = await client.query<Row & unknown[]>({
            text: `FETCH ${FETCHED} FROM copied`,
            rowMode: 'array',
          })
          for (const row of rows) {
            batch.push(row)
            bytes += bytesOf(row)
          }
          const isLast = rows.length < FETCHED
          if (batch.length > 0 && (isLast || batch.length >= BATCH_ROWS || bytes >= BATCH_BYTES)) {
            yield batch
            batch = []
            bytes = 0
          }
          if (isLast) return
        }
      } finally {
        await client.query('CLOSE copied')
      }
    },
    async count({ name }) {
      const { rows } = await client.query<{ n: bigint }>(`SELECT count(*) AS n FROM ${name}`)
      return Number(rows[0]?.n)
    },
    async counter(table) {
      const { rows } = await client.query<{ sequence: string }>(`SELECT ${sequenceOf(table)} AS sequence`)
      const { rows: values } = await client.query<{ given: bigint }>(
        `SELECT greatest(CASE WHEN is_called THEN last_value ELSE 0 END, (SELECT coalesce(max(id), 0) FROM ${table.name})) AS given
         FROM ${rows[0]?.sequence}`,
      )
      return values[0]?.given ?? 0n
    },
    // Without COMMIT nothing of it happened.
    close: () => client.end(),
  }
}

/** Brings the database to the newest version, as the next start of the daemon would, and reads it. */
export async function openPostgresSource(
  place: ServerPlace,
  tables: readonly CopiedTable[],
): Promise<CopySource> {
  return reading(await begin(place, tables))
}

export async function openPostgresTarget(
  place: ServerPlace,
  tables: readonly CopiedTable[],
): Promise<CopyTarget> {
  const client = await begin(place, tables)
  try {
    await assertEmpty(client, tables)
    await client.query('DELETE FROM tenants')
    // What they would count is copied as it is. Those of foreign keys are not of the user.
    for (const { name } of tables) await client.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`)
    return writing(client, tables)
  } catch (error) {
    await client.end()
    throw error
  }
}

function writing(client: pg.Client, tables: readonly CopiedTable[]): CopyTarget {
  return {
    ...reading(client),
    statements: {
      dialect: postgresDialect,
      compiler: new PostgresQueryCompiler(),
      adapter: new PostgresAdapter(),
      run: createPostgresConnection({
        query: (text, values) => client.query({ text, values: [...values], types: VALUE_TYPES }),
      }).run,
    },
    async insert(table, rows) {
      const arrays = table.columns.map((_, column) => rows.map((row) => row[column] ?? null))
      const parameters = table.columns.map(({ type }, column) => `$${column + 1}::${SQL_TYPES[type]}[]`)
      try {
        await client.query({
          name: `copy ${table.name}`,
          text: `INSERT INTO ${table.name} (${listed(table)}) SELECT * FROM unnest(${parameters.join(', ')})`,
          values: arrays,
        })
      } catch (error) {
        throw refusal(error, table, rows)
      }
    },
    async setCounter(table, highest) {
      // Not undone with the transaction; ids that are skipped do no harm.
      await client.query(`SELECT setval(${sequenceOf(table)}, greatest($1::bigint, 1), $1::bigint > 0)`, [
        highest,
      ])
    },
    async publish(note) {
      await client.query(
        'INSERT INTO installation (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
        [NOTE_KEY, note],
      )
      for (const { name, columns } of tables) {
        await client.query(`ALTER TABLE ${name} ENABLE TRIGGER USER`)
        if (columns.some((column) => column.name === 'tenant_id'))
          await client.query(`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`)
      }
      await client.query('COMMIT')
      for (const { name } of tables) await client.query(`ANALYZE ${name}`).catch(() => {})
    },
  }
}

async function assertEmpty(client: pg.Client, tables: readonly CopiedTable[]): Promise<void> {
  for (const { name } of tables) {
    const { rows } = await client.query(
      `SELECT 1 FROM ${name} ${name === 'tenants' ? "WHERE id <> 'default'" : ''} LIMIT 1`,
    )
    if (rows.length === 0) continue
    const { rows: notes } = await client.query<{ value: string }>(
      'SELECT value FROM installation WHERE key = $1',
      [NOTE_KEY],
    )
    throw new AppError(
      'conflict',
      `The PostgreSQL database has rows already${describeNote(notes[0]?.value)}; name an empty database.`,
    )
  }
}

/** SQLite keeps a NUL character in a text, PostgreSQL does not. */
function refusal(error: unknown, table: CopiedTable, rows: readonly Row[]): unknown {
  for (const row of rows) {
    const column = row.findIndex((cell) => typeof cell === 'string' && cell.includes('\0'))
    if (column < 0) continue
    const key = table.key.map((name) => String(row[table.columns.findIndex((one) => one.name === name)]))
    return new AppError(
      'invalid_request',
      `PostgreSQL keeps no NUL character: ${table.name}.${table.columns[column]?.name} of ${key.join(', ')}.`,
      { cause: error },
    )
  }
  return error
}
