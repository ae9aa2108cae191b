export { IMPORT_LIMITS, isPlainPath, manifestOf, openLock, sealLock } from './lock.ts'
export type { ImportRepository, ImportResolver, LockedImports } from './ports.ts'
export { type RemoteImport, remoteImports } from './scan.ts'
