import type { Tx } from './unit-of-work.ts'

/** A fact that a module tells of itself: `type` names it, the rest is what a subscriber needs to act. */
interface DomainEvent {
  readonly type: string
}

/** What a module is given to tell of its own facts, `E`, and of no others. */
export interface EventPublisher<E extends DomainEvent> {
  /**
   * Calls the subscribers of `event.type`, one after the other in the order in which they subscribed. An error of one keeps
   * it from those after it and goes to the publisher, whose unit it undoes.
   */
  readonly publish: (tx: Tx, event: E) => Promise<void>
}

type Handler<Event> = (event: Event, tx: Tx) => Promise<void> | void

export interface Events<E extends DomainEvent> extends EventPublisher<E> {
  /**
   * The handler acts inside the publisher's unit of work: what it writes is committed with the fact, or not at all. For what
   * cannot be undone (a message sent, a timer) it uses `tx.afterCommit`.
   */
  subscribe<T extends E['type']>(type: T, handler: Handler<Extract<E, { readonly type: T }>>): void
}

/** Events of a closed union `E`, told within one unit of work. Without a subscriber an event costs a look-up. */
export function createEvents<E extends DomainEvent>(): Events<E> {
  const handlers = new Map<string, Handler<never>[]>()
  return {
    async publish(tx, event) {
      for (const handler of handlers.get(event.type) ?? []) await handler(event as never, tx)
    },
    subscribe(type, handler) {
      const before = handlers.get(type) ?? []
      handlers.set(type, [...before, handler as Handler<never>])
    },
  }
}
