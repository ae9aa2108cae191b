import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresAdapter, PostgresQueryCompiler } from 'kysely'
import type pg from 'pg'
import { AppError, type TenantId } from '../../kernel/index.ts'
import { postgresDialect } from '../dialect/postgres.ts'
import type { Engine, ReadEngine, Session } from '../engine.ts'
import { createLane, type Lane } from '../lane.ts'
import { type Fence, SHARE_WRITING, SIGN } from '../lock/fence.ts'
import { UnknownOutcome } from '../storage-errors.ts'
import { createPostgresConnection } from './connection.ts'
import { asConnectError, asPostgresError, isLost } from './errors.ts'
import { createPools, type Pools, prepareServer } from './open-server.ts'
import { outcomeOf, wasCommitted } from './outcome.ts'

const NOT_WRITTEN = 'The database cannot be written; nothing was changed'

/** The server is first to give up on a statement: then it is known what became of it. */
const SLACK_MS = 5_000
/** The daemon is first to give up on a unit: it says why. */
const IDLE_SLACK_MS = 1_000
/** What nobody may have seen yet is taken back; a server that does not answer that has lost the connection. */
const ROLLBACK_MS = 2_000
/** How often a server is asked for an outcome that it did not tell. */
const SETTLE_MS = 1_000

export interface PostgresOptions {
  readonly url: string
  readonly migrations: readonly string[]
  readonly onDefect: (error: unknown) => void
  /** Of units that write, and as many of units that read. */
  readonly connections?: number
  /** After which the server ends what a daemon has left open, should it be stopped or cut off. */
  readonly timeoutMs: number
  /** Of the one daemon; undefined where several processes may write, as in tests of the stores. */
  readonly fence?: Fence | undefined
}

/** Connects to the server. Throws `storage_unavailable`. */
export async function openPostgres(options: PostgresOptions): Promise<Engine> {
  const { url, migrations, onDefect, connections = 10, timeoutMs, fence } = options
  try {
    await prepareServer(url, migrations)
    await fence?.claim()
  } catch (error) {
    throw asConnectError(error, 'The PostgreSQL database cannot be opened')
  }
  return createPostgresEngine(createPools(url, connections, timeoutMs + SLACK_MS, onDefect), timeoutMs, fence)
}

/** For units that read, of a database that another engine has opened: no version is looked at. */
export const openPostgresReader = (
  url: string,
  timeoutMs: number,
  onDefect: (error: unknown) => void,
): ReadEngine =>
  createPostgresEngine(createPools(url, 1, timeoutMs + SLACK_MS, onDefect), timeoutMs, undefined)

/** A commit that nothing was heard of, and what is to be called if it was made. */
interface Unknown {
  readonly xid: string
  readonly made: () => void
}

interface Begun {
  readonly xid: string
  readonly sign?: string
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/**
 * What each transaction begins with, in one message: its tenant, and its timeouts of a lock, a statement and being idle. The server holds to the same bounds as the daemon: a unit whose daemon is
 * stopped or cut off does not keep the tenant's lock.
 */
const beginOf = (mode: string, tenant: TenantId, timeoutMs: number): string =>
  `BEGIN ${mode}; SELECT set_config('app.tenant', ${literal(tenant)}, true), set_config('lock_timeout', '${timeoutMs}', true),
  set_config('statement_timeout', '${timeoutMs}', true), set_config('idle_in_transaction_session_timeout', '${timeoutMs + IDLE_SLACK_MS}', true);`

/** The transaction's id, to ask of later; and no commit is answered before it is on disk, whatever the server's default. */
const FIT_TO_COMMIT = `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off';
  SELECT pg_current_xact_id()::text AS xid`
/** As that, and which daemon came last. */
const FIT_TO_COMMIT_ALONE = `${SHARE_WRITING}${FIT_TO_COMMIT}, ${SIGN} AS sign`

const isRolledBack = (client: pg.PoolClient): Promise<boolean> =>
  client.query({ text: 'ROLLBACK', query_timeout: ROLLBACK_MS } as pg.QueryConfig).then(
    () => true,
    () => false,
  )

function createPostgresEngine(pools: Pools, timeoutMs: number, fence: Fence | undefined): Engine {
  /** By tenant: waiting here takes no connection, and what is committed here is told in the order of the commits. */
  const lanes = new Map<TenantId, Lane>()
  const laneOf = (tenant: TenantId): Lane => {
    const lane = lanes.get(tenant) ?? createLane()
    lanes.set(tenant, lane)
    return lane
  }

  /** `last`: the row of the last statement. */
  async function begin(
    pool: pg.Pool,
    sql: string,
  ): Promise<{ client: pg.PoolClient; last: Begun | undefined }> {
    const client = await pool.connect()
    try {
      const results = (await client.query(sql)) as unknown as pg.QueryResult<Begun>[]
      return { client, last: results.at(-1)?.rows[0] }
    } catch (error) {
      // Whatever state it is in, nobody shall have it next.
      client.release(true)
      throw error
    }
  }

  /** What mirrors rows would be behind them until the next start: it is told as soon as the server can be asked, before anything else. */
  const unknown = new Map<TenantId, Unknown>()
  async function settleUnknown(client: pg.PoolClient, tenant: TenantId): Promise<void> {
    const left = unknown.get(tenant)
    if (left === undefined) return
    const isMade = await wasCommitted(client, left.xid)
    unknown.delete(tenant)
    if (isMade) left.made()
  }
  let isClosed = false
  /** Where nobody writes any more it is asked for by itself, as a unit that does nothing. */
  async function settleSoon(tenant: TenantId): Promise<void> {
    while (unknown.has(tenant)) {
      await sleep(SETTLE_MS, undefined, { ref: false })
      if (isClosed) return
      await beginWrite(tenant).then(
        (session) => session.undo(),
        () => {},
      )
    }
  }

  function sessionOf(client: pg.PoolClient, tenant: TenantId, xid: string, release: () => void): Session {
    const connection = createPostgresConnection(client)
    const end = (isBroken: boolean): void => {
      client.release(isBroken)
      release()
    }
    /** Whether the connection is of use afterwards. */
    const commit = async (): Promise<boolean> => {
      try {
        const { command } = await client.query('COMMIT')
        if (command === 'COMMIT') return true
      } catch (error) {
        if (!isLost(error)) throw error
        // The answer is lost, not necessarily the commit.
        await outcomeOf(pools.readers, xid, timeoutMs + SLACK_MS, error)
        return false
      }
      throw new AppError('internal', 'The transaction was ended by a statement.')
    }
    return {
      run: connection.run,
      async commit(committed, effects) {
        const made = (): void => {
          committed()
          for (const effect of effects) queueMicrotask(effect)
        }
        let isWhole: boolean
        try {
          isWhole = await commit()
        } catch (error) {
          if (error instanceof UnknownOutcome) {
            unknown.set(tenant, { xid, made })
            void settleSoon(tenant)
          }
          end(true)
          throw asPostgresError(error, NOT_WRITTEN)
        }
        made()
        end(!isWhole)
      },
      async undo() {
        // A statement that has no answer yet is not waited for: the server gives up with the connection.
        end(connection.isAtWork || !(await isRolledBack(client)))
      },
    }
  }

  async function beginWrite(tenant: TenantId): Promise<Session> {
    const lane = laneOf(tenant)
    await lane.enter()
    const release = (): void => {
      lane.release()
      if (lane.isFree) lanes.delete(tenant)
    }
    try {
      fence?.assertHeld()
      const fit = fence === undefined ? FIT_TO_COMMIT : FIT_TO_COMMIT_ALONE
      const sql = `${beginOf('ISOLATION LEVEL READ COMMITTED', tenant, timeoutMs)}${postgresDialect.lockTenant(tenant)}${fit}`
      const { client, last } = await begin(pools.writers, sql)
      if (fence !== undefined && last?.sign !== fence.sign) {
        client.release(true)
        fence.taken()
        fence.assertHeld()
      }
      await settleUnknown(client, tenant).catch((error: unknown) => {
        client.release(true)
        throw error
      })
      return sessionOf(client, tenant, last?.xid ?? '', release)
    } catch (error) {
      release()
      throw asPostgresError(error, NOT_WRITTEN)
    }
  }

  return {
    dialect: postgresDialect,
    compiler: new PostgresQueryCompiler(),
    adapter: new PostgresAdapter(),
    beginWrite,
    async beginRead(tenant) {
      try {
        const sql = beginOf('ISOLATION LEVEL REPEATABLE READ READ ONLY', tenant, timeoutMs)
        const { client } = await begin(pools.readers, sql)
        return sessionOf(client, tenant, '', () => {})
      } catch (error) {
        throw asPostgresError(error, 'The database cannot be read')
      }
    },
    // A commit is answered when the server has it on its disk.
    pagesInLog: () => 0,
    flushed: () => Promise.resolve(),
    asError: asPostgresError,
    close() {
      isClosed = true
      return pools.close()
    },
  }
}
