export { consentTextOf, keepConsentText } from './consent-text-store.ts'
export { type ContentEvent, createStoredContent, IDEMPOTENCY_MS, type StoredContent } from './content.ts'
export { createContentStore } from './content-store.ts'
export {
  createFreeSpace,
  type DiskEvent,
  type FreeSpace,
  type ReadFreeBytes,
  type Reserve,
} from './free-space.ts'
export {
  createRetention,
  type Retention,
  type RetentionEvent,
  type RetentionPolicy,
} from './retention.ts'
export { createRetentionStore } from './retention-store.ts'
