import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { UnknownOutcome } from '../storage-errors.ts'

const AGAIN_MS = 250

/** On a connection that holds the tenant's lock, and so after the end of the transaction. */
export async function wasCommitted(client: pg.ClientBase, xid: string): Promise<boolean> {
  const { rows } = await client.query<{ status: string | null }>(STATUS, [xid])
  return rows[0]?.status === 'committed'
}

const STATUS = 'SELECT pg_xact_status($1::xid8) AS status'

/**
 * What became of a transaction whose COMMIT got no answer: returns when it is committed, throws `lost` when it is not. Where the
 * server does not say within `timeoutMs`, throws `UnknownOutcome`.
 */
export async function outcomeOf(pool: pg.Pool, xid: string, timeoutMs: number, lost: unknown): Promise<void> {
  for (const until = Date.now() + timeoutMs; Date.now() < until; await sleep(AGAIN_MS)) {
    const status = await pool.query<{ status: string | null }>(STATUS, [xid]).then(
      ({ rows }) => rows[0]?.status,
      () => 'unreachable',
    )
    if (status === 'committed') return
    if (status === 'aborted') throw lost
  }
  throw new UnknownOutcome(lost)
}
