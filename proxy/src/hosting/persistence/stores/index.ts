export { honoursConditions, type ObjectStore, StoreFault } from './object-store.ts'
export { openObjectStore } from './open-object-store.ts'
export { withRetries } from './retrying-store.ts'
export { createS3Client } from './s3-client.ts'
