export { createAuditArchiveFiles, isArchiveFile } from './audit-archive-files.ts'
export { createAuditStore } from './audit-store.ts'
export { copyDatabase, giveName, openCopy, readMeta, replaceDatabase, sync } from './backup.ts'
export { createContentStore } from './content-store.ts'
export { createTransactor, openDatabase } from './database.ts'
export { createReserve, readFreeBytesOf } from './disk.ts'
export { createExecutionStore } from './execution-store.ts'
export { createFactsStore } from './facts-store.ts'
export { createImportStore } from './import-store.ts'
export { lockDatabase } from './lock.ts'
export { createLogSync } from './log-sync.ts'
export { createProviderAccessStore } from './provider-access-store.ts'
export { createProviderKeyStore } from './provider-key-store.ts'
export { createProviderStore } from './provider-store.ts'
export { createRetentionStore } from './retention-store.ts'

export {
  createAgentStore,
  createCardStore,
  createClockStore,
  createCodeStore,
  createDataKeyStore,
  createMetaStore,
  createOutboxStore,
  createSecretStore,
  createWakeStore,
  type MetaStore,
} from './small-stores.ts'
export { createTrustStore } from './trust-store.ts'
export { createUsageStore } from './usage-store.ts'
