import type { Clock, Json, UnixMs } from '../../kernel/index.ts'

/**
 * A durable queue of messages to the outside. What is enqueued in a transaction is sent at least once after
 * it; within a lane the order holds, since only a lane's oldest waiting message is ever offered.
 */
export interface OutboxMessage {
  readonly id: number
  /** Messages of one lane leave in order, e.g. `telegram:<chat id>`. */
  readonly lane: string
  readonly kind: string
  /** Undefined when what is stored cannot be read. */
  readonly payload: Json | undefined
  readonly attempts: number
  readonly createdAt: UnixMs
}

export interface OutboxRepository {
  insert(message: { lane: string; kind: string; payload: string; createdAt: UnixMs }): void
  /** The oldest waiting message of each lane whose prefix matches and whose time has come. */
  due(lanePrefix: string, now: UnixMs): readonly OutboxMessage[]
  remove(id: number): void
  postpone(id: number, nextAt: UnixMs, error: string): void
  waiting(lanePrefix: string): number
  /** What waits in exactly this lane, oldest first. */
  ofLane(lane: string, limit: number): readonly OutboxMessage[]
}

/** Of one lane, how many are looked at together. */
const MAX_QUEUED = 1_000

export interface Outbox {
  /** Call inside the transaction of the effect that the message tells of. */
  enqueue(lane: string, kind: string, payload: Json): void
  due(lanePrefix: string): readonly OutboxMessage[]
  /** The message was delivered, or can never be: it leaves the queue. */
  settle(id: number): void
  /** Offers the message, and with it its lane, again after `delayMs`. */
  retry(message: OutboxMessage, delayMs: number, error: string): void
  waiting(lanePrefix: string): number
  /** The oldest that wait in exactly this lane, at most a thousand, so that many may be told of in one message. */
  queued(lane: string): readonly OutboxMessage[]
}

export function createOutbox(deps: { repository: OutboxRepository; clock: Clock }): Outbox {
  const { repository, clock } = deps
  return {
    enqueue: (lane, kind, payload) =>
      repository.insert({ lane, kind, payload: JSON.stringify(payload), createdAt: clock.now() }),
    due: (lanePrefix) => repository.due(lanePrefix, clock.now()),
    settle: (id) => repository.remove(id),
    retry: (message, delayMs, error) => repository.postpone(message.id, clock.now() + delayMs, error),
    waiting: (lanePrefix) => repository.waiting(lanePrefix),
    queued: (lane) => repository.ofLane(lane, MAX_QUEUED),
  }
}

/** Exponential back-off with full jitter above half: 1 s, 2 s, 4 s … at most five minutes. */
export function backoffMs(attempts: number, random: () => number = Math.random): number {
  const ceiling = Math.min(300_000, 1_000 * 2 ** Math.min(attempts, 20))
  return Math.round(ceiling / 2 + (random() * ceiling) / 2)
}
