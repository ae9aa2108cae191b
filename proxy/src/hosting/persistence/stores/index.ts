export { createFolderStore } from './folder-store.ts'
export { openObjectStore } from './open-object-store.ts'
export { withRetries } from './retrying-store.ts'
