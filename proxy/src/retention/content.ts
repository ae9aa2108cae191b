import {
  type AgentId,
  AppError,
  type Clock,
  type CodeHash,
  type EventPublisher,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'
import type { Held, KeptSince, Place } from './ports.ts'

/**
 * Code and imports stay as long as something needs them, and each agent keeps at most so many bytes. Sums are kept
 * by the database with every row, so a request costs look-ups and no scan. Every call belongs into the unit of work
 * of what it is about.
 */
export interface StoredContent {
  /**
   * Makes room for a new request, of its agent's own oldest outputs and then of its own ended requests that no person
   * decided. Throws `rate_limited` where that is not enough: nobody else's room is touched.
   */
  reserve(tx: Tx, agentId: AgentId, parts: readonly Part[], rowBytes: number): Promise<void>
  /** What the request keeps from now on. */
  hold(tx: Tx, agentId: AgentId, parts: readonly Part[]): Promise<void>
  /** Room for output that is about to be stored. It is stored in any case; the next request waits for the room. */
  reserveOutput(tx: Tx, agentId: AgentId, bytes: number): Promise<void>
  /**
   * A request has ended. What never ran leaves its code to nobody, a day later where it expired; what ran keeps it for a while; what a grant covered
   * keeps it with the grant.
   */
  ended(
    tx: Tx,
    agentId: AgentId,
    codeHash: CodeHash,
    how: { readonly ran: boolean; readonly byGrant: boolean },
  ): Promise<void>
}

interface Part {
  readonly codeHash: CodeHash
  readonly importsLock: string | null
  readonly bytes: number
}

/** What a row takes beside its texts: its indexes, its audit, its card. */
const ROW_BYTES = 1_024
/** Rows that one request may drop; the rest is done between requests. */
const ROWS_AT_ONCE = 32
/** Pages of rows, none of which can go, that one request looks at; the next one goes on behind them. */
const PAGES_AT_ONCE = 3
const BYTES_AT_ONCE = 2 * 1_048_576
const ASK_AGAIN_MS = 24 * 60 * 60 * 1_000
/** Lifetime of an Idempotency-Key: requests are repeated for so long, and the row that a key names must be there. */
export const IDEMPOTENCY_MS = 24 * 60 * 60 * 1_000

/** Code or imports that nothing needs any more can be deleted. */
export interface ContentEvent {
  readonly type: 'content.released'
}

export function createStoredContent(deps: {
  readonly clock: Clock
  readonly maxBytesPerAgent: number
  /** How long code of a run that ended is kept; 0: for good. */
  readonly retainCodeMs: number
  readonly events: EventPublisher<ContentEvent>
}): StoredContent {
  const { events, clock, maxBytesPerAgent } = deps
  const places = new Map<AgentId, Place>()

  /** Output first; then whole requests that no person decided and no key can name any more. */
  const dropOldest = async (
    tx: Tx,
    agentId: AgentId,
  ): Promise<{ readonly dropped: number; readonly isEnd: boolean }> => {
    const outputs = await tx.retention.dropOutputs({ agentId }, 8, BYTES_AT_ONCE / 8)
    if (outputs > 0) return { dropped: outputs, isEnd: false }
    const endedBefore = clock.now() - IDEMPOTENCY_MS
    const { dropped, next } = await tx.retention.dropExecutions(
      { agentId, endedBefore },
      places.get(agentId),
      8,
    )
    if (next === undefined) places.delete(agentId)
    else places.set(agentId, next)
    return { dropped, isEnd: next === undefined }
  }

  const makeRoom = async (tx: Tx, agentId: AgentId, needed: number): Promise<boolean> => {
    const isShort = async (): Promise<boolean> =>
      (await tx.contents.bytesOf(agentId)) + needed > maxBytesPerAgent
    let short = await isShort()
    let isEnd = false
    for (let rows = 0, pages = 0; short && !isEnd && rows < ROWS_AT_ONCE && pages < PAGES_AT_ONCE; ) {
      const done = await dropOldest(tx, agentId)
      isEnd = done.isEnd
      rows += done.dropped
      if (done.dropped === 0) pages += 1
      short = await isShort()
    }
    return !short
  }

  return {
    async reserve(tx, agentId, parts, rowBytes) {
      let needed = rowBytes + ROW_BYTES
      for (const part of parts) if (!(await tx.contents.isHeld(held(agentId, part)))) needed += part.bytes
      if (await makeRoom(tx, agentId, needed)) return
      const used = await tx.contents.bytesOf(agentId)
      throw new AppError(
        'rate_limited',
        `Your requests keep ${used} bytes here, this one needs ${needed} more, and the limit is ${maxBytesPerAgent} (OAUTH3_AGENT_MAX_BYTES). ` +
          'Room comes back when requests that wait are answered or cancelled, a day after they expire, when Idempotency-Keys are a day old, ' +
          'and when the owner runs oauth3 prune or raises the limit.',
        { retryAfterSeconds: 60, details: { used, needed, limit: maxBytesPerAgent } },
      )
    },
    async hold(tx, agentId, parts) {
      for (const part of parts) {
        if (!(await tx.contents.isHeld(held(agentId, part))))
          await tx.contents.hold(held(agentId, part), part.bytes)
      }
    },
    async reserveOutput(tx, agentId, bytes) {
      await makeRoom(tx, agentId, bytes)
    },
    async ended(tx, agentId, codeHash, { ran, byGrant }) {
      if (ran) await tx.contents.ran(agentId, codeHash, clock.now())
      if (ran && byGrant) return
      await tx.contents.release(
        agentId,
        codeHash,
        keptSince(ranSince(clock.now(), deps.retainCodeMs), clock.now()),
      )
      await events.publish(tx, { type: 'content.released' })
    },
  }
}

/** What expired can be asked once more for a day; where room is made at any price, for no longer than what ran is kept. */
export const keptSince = (ran: UnixMs, now: UnixMs): KeptSince => ({
  ran,
  expired: Math.max(ran, now - ASK_AGAIN_MS),
})
export const ranSince = (now: number, retainMs: number): number => (retainMs === 0 ? 0 : now - retainMs)

const held = (agentId: AgentId, { codeHash, importsLock }: Part): Held => ({ agentId, codeHash, importsLock })
