export { backoffMs, createOutbox, type Outbox, type OutboxMessage } from './outbox.ts'
export { createOutboxStore } from './outbox-store.ts'
