import { type AgentId, AppError, type Clock, type CodeHash, type EventPublisher } from '../../kernel/index.ts'
import type { ContentRepository, Held, Place, RetentionRepository } from './ports.ts'

/**
 * Code and imports stay as long as something needs them, and each agent keeps at most so many bytes. Sums are kept
 * by the database with every row, so a request costs look-ups and no scan. Every call belongs inside the transaction
 * of what it is about.
 */
export interface StoredContent {
  /**
   * Makes room for a new request, of its agent's own oldest outputs and then of its own ended requests that no person
   * decided. Throws `rate_limited` where that is not enough: nobody else's room is touched.
   */
  reserve(agentId: AgentId, parts: readonly Part[], rowBytes: number): void
  /** What the request keeps from now on. */
  hold(agentId: AgentId, parts: readonly Part[]): void
  /** Room for output that is about to be stored. It is stored in any case; the next request waits for the room. */
  reserveOutput(agentId: AgentId, bytes: number): void
  /**
   * A request has ended. What never ran leaves its code to nobody; what ran keeps it for a while; what a grant covered
   * keeps it with the grant.
   */
  ended(agentId: AgentId, codeHash: CodeHash, how: { readonly ran: boolean; readonly byGrant: boolean }): void
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
/** Keys are repeated for this long, and a row that one of them names must be there. */
export const IDEMPOTENCY_MS = 24 * 60 * 60 * 1_000

/** Code or imports that nothing needs any more can be deleted. */
export interface ContentEvent {
  readonly type: 'content.released'
}

export function createStoredContent(deps: {
  readonly contents: ContentRepository
  readonly retention: Pick<RetentionRepository, 'dropOutputs' | 'dropExecutions'>
  readonly clock: Clock
  readonly maxBytesPerAgent: number
  /** How long code of a run that ended is kept; 0: for good. */
  readonly retainCodeMs: number
  readonly events: EventPublisher<ContentEvent>
}): StoredContent {
  const { contents, retention, events, clock, maxBytesPerAgent } = deps
  const places = new Map<AgentId, Place>()

  /** Output first; then whole requests that no person decided and no key can name any more. */
  const dropOldest = (agentId: AgentId): { readonly dropped: number; readonly isEnd: boolean } => {
    const outputs = retention.dropOutputs({ agentId }, 8, BYTES_AT_ONCE / 8)
    if (outputs > 0) return { dropped: outputs, isEnd: false }
    const endedBefore = clock.now() - IDEMPOTENCY_MS
    const { dropped, next } = retention.dropExecutions({ agentId, endedBefore }, places.get(agentId), 8)
    if (next === undefined) places.delete(agentId)
    else places.set(agentId, next)
    return { dropped, isEnd: next === undefined }
  }

  const makeRoom = (agentId: AgentId, needed: number): boolean => {
    const isShort = (): boolean => contents.bytesOf(agentId) + needed > maxBytesPerAgent
    let isEnd = false
    for (let rows = 0, pages = 0; !isEnd && rows < ROWS_AT_ONCE && pages < PAGES_AT_ONCE && isShort(); ) {
      const done = dropOldest(agentId)
      isEnd = done.isEnd
      rows += done.dropped
      if (done.dropped === 0) pages += 1
    }
    return !isShort()
  }

  return {
    reserve(agentId, parts, rowBytes) {
      const fresh = parts.filter((part) => !contents.isHeld(held(agentId, part)))
      const needed = fresh.reduce((sum, { bytes }) => sum + bytes, rowBytes + ROW_BYTES)
      if (makeRoom(agentId, needed)) return
      const used = contents.bytesOf(agentId)
      throw new AppError(
        'rate_limited',
        `Your requests keep ${used} bytes here, this one needs ${needed} more, and the limit is ${maxBytesPerAgent} (OAUTH3_AGENT_MAX_BYTES). ` +
          'Room comes back when requests that wait are answered, expire or are cancelled, when Idempotency-Keys are a day old, ' +
          'and when the owner runs oauth3 prune or raises the limit.',
        { retryAfterSeconds: 60, details: { used, needed, limit: maxBytesPerAgent } },
      )
    },
    hold(agentId, parts) {
      for (const part of parts) {
        if (!contents.isHeld(held(agentId, part))) contents.hold(held(agentId, part), part.bytes)
      }
    },
    reserveOutput: (agentId, bytes) => void makeRoom(agentId, bytes),
    ended(agentId, codeHash, { ran, byGrant }) {
      if (ran) contents.ran(agentId, codeHash, clock.now())
      if (ran && byGrant) return
      contents.release(agentId, codeHash, ranSince(clock.now(), deps.retainCodeMs))
      events.publish({ type: 'content.released' })
    },
  }
}

export const ranSince = (now: number, retainMs: number): number => (retainMs === 0 ? 0 : now - retainMs)

const held = (agentId: AgentId, { codeHash, importsLock }: Part): Held => ({ agentId, codeHash, importsLock })
