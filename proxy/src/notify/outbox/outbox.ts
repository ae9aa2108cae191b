import type { Clock, Json, Storage, Tx, UnixMs } from '../../kernel/index.ts'

/**
 * A durable queue of messages to the outside (transactional outbox). What a unit of work enqueues is sent at-least-once after
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

interface OutboxReader {
  /** The oldest waiting message of each lane whose prefix matches and whose time has come. */
  due(lanePrefix: string, now: UnixMs): Promise<readonly OutboxMessage[]>
  waiting(lanePrefix: string): Promise<number>
  /** What waits in exactly this lane, oldest first. */
  ofLane(lane: string, limit: number): Promise<readonly OutboxMessage[]>
}

export interface OutboxStore extends OutboxReader {
  insert(message: { lane: string; kind: string; payload: string; createdAt: UnixMs }): Promise<void>
  remove(id: number): Promise<void>
  postpone(id: number, nextAt: UnixMs, error: string): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly outbox: StorePort<OutboxReader, OutboxStore>
  }
}

/** Of one lane, how many are looked at together. */
const MAX_QUEUED = 1_000

export interface Outbox {
  /** In the unit of the effect that the message tells of. */
  enqueue(tx: Tx, lane: string, kind: string, payload: Json): Promise<void>
  /** The oldest waiting message of each lane whose prefix matches and whose time has come. */
  due(lanePrefix: string): Promise<readonly OutboxMessage[]>
  /** The message was delivered, or can never be: it leaves the queue. */
  settle(tx: Tx, id: number): Promise<void>
  /** Offers the message, and with it its lane, again after `delayMs`. */
  retry(message: OutboxMessage, delayMs: number, error: string): Promise<void>
  waiting(lanePrefix: string): Promise<number>
  /** The oldest that wait in exactly this lane, at most a thousand, so that many may be told of in one message. */
  queued(lane: string): Promise<readonly OutboxMessage[]>
}

export function createOutbox(deps: { readonly storage: Storage; readonly clock: Clock }): Outbox {
  const { storage, clock } = deps
  return {
    enqueue: (tx, lane, kind, payload) =>
      tx.outbox.insert({ lane, kind, payload: JSON.stringify(payload), createdAt: clock.now() }),
    due: (lanePrefix) => storage.read((tx) => tx.outbox.due(lanePrefix, clock.now())),
    settle: (tx, id) => tx.outbox.remove(id),
    // Lost with the power, it is offered again at once, which does no harm.
    retry: (message, delayMs, error) =>
      storage.transaction((tx) => tx.outbox.postpone(message.id, clock.now() + delayMs, error), 'grouped'),
    waiting: (lanePrefix) => storage.read((tx) => tx.outbox.waiting(lanePrefix)),
    queued: (lane) => storage.read((tx) => tx.outbox.ofLane(lane, MAX_QUEUED)),
  }
}

/** Exponential back-off with full jitter above half: 1 s, 2 s, 4 s … at most five minutes. */
export function backoffMs(attempts: number, random: () => number = Math.random): number {
  const ceiling = Math.min(300_000, 1_000 * 2 ** Math.min(attempts, 20))
  return Math.round(ceiling / 2 + (random() * ceiling) / 2)
}
