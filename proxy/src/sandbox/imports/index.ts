export { createImportStore } from './import-store.ts'
export { IMPORT_LIMITS, isPlainPath, sealLock } from './lock.ts'
export type { ImportResolver, LockedImports } from './ports.ts'
export { type RemoteImport, remoteImports } from './scan.ts'
