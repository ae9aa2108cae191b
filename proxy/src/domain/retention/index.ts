export { type ContentEvent, createStoredContent, IDEMPOTENCY_MS, type StoredContent } from './content.ts'
export {
  createFreeSpace,
  type DiskEvent,
  type FreeSpace,
  type ReadFreeBytes,
  type Reserve,
} from './free-space.ts'
export type {
  ContentRepository,
  Dropped,
  ExecutionCounts,
  Held,
  Place,
  RetentionRepository,
} from './ports.ts'
export {
  createRetention,
  type Retention,
  type RetentionEvent,
  type RetentionPolicy,
} from './retention.ts'
