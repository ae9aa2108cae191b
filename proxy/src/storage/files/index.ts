export { createAuditArchiveFiles, isArchiveFile } from './audit-archive-files.ts'
export {
  copyDatabase,
  giveName,
  installationValue,
  openCopy,
  readDataKeys,
  readInstanceId,
  replaceDatabase,
  sync,
} from './backup.ts'
export { createReserve, readFreeBytesOf } from './disk.ts'
