export { backoffMs, createOutbox, type Outbox, type OutboxMessage, type OutboxRepository } from './outbox.ts'
