import pg from 'pg'
import { AppError } from '../../kernel/index.ts'
import { exactInteger } from '../values.ts'
import { asPostgresError } from './errors.ts'
import { migratePostgres } from './migrate.ts'

const number = (text: string): number => {
  const value = Number(text)
  return Number.isInteger(value) ? exactInteger(value) : value
}
/** By the OID of the type: numbers as numbers, truth as 1 and 0, JSON as its text, as SQLite has them. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => (text === 't' ? 1 : 0)],
  [20, number],
  [1700, number],
  [114, (text) => text],
  [3802, (text) => text],
])

export const VALUE_TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    PARSERS.get(oid) ??
    pg.types.getTypeParser(oid, format as never)) as pg.CustomTypesConfig['getTypeParser'],
}

/** How long a server may take to answer a connection. */
const CONNECT_MS = 10_000

export interface Pools {
  /** Apart, against exhaustion of the pool: however many units read and however long, one that writes has a connection. */
  readonly writers: pg.Pool
  readonly readers: pg.Pool
  close(): Promise<void>
}

/** AppError `storage_unavailable` for what is no address; what is thrown of such a one repeats it, with its password. */
export function clientConfigOf(url: string): pg.ClientConfig {
  const config = configOf(url)
  try {
    new pg.Client(config)
  } catch {
    throw new AppError(
      'storage_unavailable',
      'The address of the PostgreSQL database cannot be read: postgres://user:password@host/database, with %XX for what is special in a part.',
    )
  }
  return config
}

const configOf = (url: string): pg.ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_MS,
  keepAlive: true,
  application_name: 'oauth3',
  types: VALUE_TYPES,
})

/** `answerMs`: a statement without an answer for so long ends its connection, which may have no other end any more. */
export function createPools(
  url: string,
  connections: number,
  answerMs: number,
  onDefect: (error: unknown) => void,
): Pools {
  let isClosed = false
  const poolOf = (max: number): pg.Pool => {
    const pool = new pg.Pool({ ...clientConfigOf(url), max, query_timeout: answerMs })
    pool.on('error', (error) => {
      // pg hangs the whole client on it, with all that it knows of the server.
      delete (error as { client?: unknown }).client
      if (!isClosed) onDefect(asPostgresError(error, 'A connection to the database broke'))
    })
    // A backend that is ended while its client is at work is an event of that client, and of no other listener.
    pool.on('connect', (client) => void client.on('error', () => {}))
    return pool
  }
  const writers = poolOf(connections)
  const readers = poolOf(connections)
  return {
    writers,
    readers,
    async close() {
      isClosed = true
      await Promise.all([writers.end(), readers.end()])
    },
  }
}

/** Brings the database to the newest version, and refuses one that would not keep tenants apart. */
export async function prepareServer(url: string, migrations: readonly string[]): Promise<void> {
  const client = new pg.Client(clientConfigOf(url))
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ role: string; sees_all: number; encoding: string }>(
      `SELECT current_user AS role, rolsuper OR rolbypassrls AS sees_all, current_setting('server_encoding') AS encoding
       FROM pg_roles WHERE rolname = current_user`,
    )
    const { role, sees_all, encoding } = rows[0] ?? { role: '', sees_all: 1, encoding: '' }
    if (sees_all === 1) {
      throw new AppError(
        'storage_unavailable',
        `The PostgreSQL role ${role} passes row-level security (SUPERUSER or BYPASSRLS), so nothing would keep tenants apart. Make a role without either, the owner of the database, for DATABASE_URL.`,
      )
    }
    if (encoding !== 'UTF8')
      throw new AppError('storage_unavailable', `The database is in ${encoding}; it has to be in UTF8.`)
    await migratePostgres(client, migrations)
  } finally {
    await client.end()
  }
}
