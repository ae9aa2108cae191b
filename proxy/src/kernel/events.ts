import { AppError } from './errors.ts'

/** A fact that a module tells of itself: `type` names it, the rest is what a subscriber needs to act. */
interface DomainEvent {
  readonly type: string
}

/** What a module is given to tell of its own facts, `E`, and of no others. */
export interface EventPublisher<E extends DomainEvent> {
  /**
   * Calls the subscribers of `event.type`, in the order in which they subscribed, before it returns. An error of one keeps
   * it from those after it and goes to the publisher, whose transaction it undoes. Throws `internal` outside a transaction.
   */
  readonly publish: (event: E) => void
}

export interface Events<E extends DomainEvent> extends EventPublisher<E> {
  /**
   * The handler runs inside the publisher's transaction: what it writes is committed with the fact, or not at all. For what
   * cannot be undone (a message sent, a timer) it uses `afterCommit` of the transactor.
   */
  subscribe<T extends E['type']>(type: T, handler: (event: Extract<E, { readonly type: T }>) => void): void
}

/** Events of a closed union `E`, told synchronously and within one transaction. Without a subscriber an event costs a look-up. */
export function createEvents<E extends DomainEvent>(transactor: {
  readonly inTransaction: boolean
}): Events<E> {
  const handlers = new Map<string, ((event: never) => void)[]>()
  return {
    publish(event) {
      // Fail closed: a subscriber's writes beside a fact that may still be undone would outlive it.
      if (!transactor.inTransaction)
        throw new AppError('internal', `${event.type} was published outside a transaction.`)
      for (const handler of handlers.get(event.type) ?? []) handler(event as never)
    },
    subscribe(type, handler) {
      const before = handlers.get(type) ?? []
      handlers.set(type, [...before, handler])
    },
  }
}
