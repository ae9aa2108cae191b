import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { AppError, randomToken } from '../../kernel/index.ts'
import { asConnectError } from '../postgres/errors.ts'
import { clientConfigOf } from '../postgres/open-server.ts'
import type { DaemonLock } from './daemon-lock.ts'
import { claimSql, DAEMON_LOCK, type Fence, SIGN } from './fence.ts'

const AGAIN_MS = 200

interface LockTimes {
  /** The server lets go of a daemon that was killed when it hears of it: a restart waits for that. */
  readonly patienceMs: number
  /** Whether the connection still has another end. */
  readonly heartbeatMs: number
  readonly answerMs: number
}
const TIMES: LockTimes = { patienceMs: 3_000, heartbeatMs: 5_000, answerMs: 5_000 }
/** The last unit of an earlier daemon has ended by then, or the server has ended it. */
const CLAIM_MS = 40_000

/**
 * How this session stays, and how the server finds within half a minute that its other end is gone without a word, as of a machine
 * that lost its power: by default that takes two hours.
 */
const SESSION = `SET idle_session_timeout = 0; SET statement_timeout = 0; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;
  SET tcp_keepalives_count = 3`

const HOLDER = `SELECT a.pid, a.application_name AS name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2 AND (l.classid::bigint, l.objid::bigint) = (${DAEMON_LOCK})
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

/**
 * Makes this process the one daemon of a PostgreSQL database: a session-level advisory lock on a connection of its own. When that
 * connection is lost nothing is written until the lock is held again; where another daemon has it by then, `taken` is aborted.
 */
export async function lockServer(
  url: string,
  times: LockTimes = TIMES,
): Promise<DaemonLock & { readonly fence: Fence }> {
  const taken = new AbortController()
  const sign = `oauth3-${randomToken(96)}`
  let held: pg.Client | undefined
  let isClaimed = false
  let isClosed = false

  const beTaken = (): void => {
    if (isClosed || taken.signal.aborted) return
    const message = 'Another daemon works on this PostgreSQL database now; this one ends.'
    taken.abort(new AppError('conflict', message))
  }

  async function connect(): Promise<pg.Client> {
    const config = { ...clientConfigOf(url), application_name: sign, query_timeout: times.answerMs }
    const client = new pg.Client(config)
    client.on('error', () => {})
    await client.connect()
    try {
      await client.query(SESSION)
    } catch (error) {
      await drop(client)
      throw error
    }
    return client
  }

  const isFree = async (client: pg.Client): Promise<boolean> => {
    const { rows } = await client.query(`SELECT pg_try_advisory_lock(${DAEMON_LOCK}) AS got`)
    return rows[0]?.got === 1 || rows[0]?.got === true
  }

  function keep(client: pg.Client): void {
    held = client
    client.once('end', () => lose(client))
  }

  function lose(client: pg.Client): void {
    if (held !== client || isClosed) return
    held = undefined
    void drop(client)
    void regain()
  }

  async function regain(): Promise<void> {
    while (!isClosed && !taken.signal.aborted && held === undefined) {
      await tryAgain().catch(() => {})
      if (held === undefined) await sleep(AGAIN_MS, undefined, { ref: false })
    }
  }

  async function tryAgain(): Promise<void> {
    const client = await connect()
    try {
      const isOurs = await isFree(client)
      if (isClaimed && (await signIn(client)) !== sign) return beTaken()
      if (isOurs && !isClosed) return keep(client)
      const holder = (await client.query<{ pid: number; name: string }>(HOLDER)).rows[0]
      if (holder === undefined) return
      // What the server still has of the connection that was lost.
      if (holder.name === sign) await client.query('SELECT pg_terminate_backend($1)', [holder.pid])
      else beTaken()
    } finally {
      if (held !== client) await drop(client)
    }
  }

  async function take(): Promise<void> {
    const until = Date.now() + times.patienceMs
    const client = await connect()
    while (!(await isFree(client))) {
      if (Date.now() > until) {
        await drop(client)
        throw new AppError('conflict', 'A daemon already runs on this PostgreSQL database.')
      }
      await sleep(AGAIN_MS)
    }
    keep(client)
  }

  try {
    await take()
  } catch (error) {
    throw asConnectError(error, 'The PostgreSQL database cannot be opened')
  }
  const heartbeat = setInterval(() => {
    const client = held
    if (client === undefined) return
    signIn(client).then(
      (found) => {
        if (isClaimed && found !== sign && held === client) beTaken()
      },
      () => lose(client),
    )
  }, times.heartbeatMs).unref()

  return {
    taken: taken.signal,
    fence: {
      sign,
      assertHeld() {
        if (taken.signal.aborted) throw taken.signal.reason
        if (held !== undefined) return
        throw new AppError(
          'storage_unavailable',
          'The connection is lost that makes this the one daemon of the database; nothing was changed.',
        )
      },
      async claim() {
        this.assertHeld()
        const claiming = { text: claimSql(sign), query_timeout: CLAIM_MS }
        await held?.query(claiming as pg.QueryConfig)
        isClaimed = true
      },
      taken: beTaken,
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      clearInterval(heartbeat)
      if (held !== undefined) await drop(held)
    },
  }
}

/** The sign of the daemon that came last; undefined in a database that no daemon has had. */
async function signIn(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query(`SELECT to_regclass('installation') IS NULL AS is_new`)
  if (rows[0]?.is_new) return undefined
  const found = await client.query<{ sign: string | null }>(`SELECT ${SIGN} AS sign`)
  return found.rows[0]?.sign ?? undefined
}

/** Without a word where the other end does not answer. */
const drop = (client: pg.Client): Promise<void> =>
  Promise.race([client.end().catch(() => {}), sleep(1_000, undefined, { ref: false })])
