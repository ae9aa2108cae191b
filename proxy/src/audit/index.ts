export { type AuditArchiver, createAuditArchiver } from './archiver.ts'
export { type AuditEvent, type AuditLog, createAuditLog } from './audit-log.ts'
export { createAuditStore } from './audit-store.ts'
export { createBlockIndexer } from './block-index.ts'
export { type AuditScans, type ChainCheck, createAuditScans } from './chain-check.ts'
export {
  AUDIT_EVENTS,
  type AuditArchive,
  type AuditArchiveFiles,
  type AuditEventName,
  type StoredAuditRow,
} from './ports.ts'
export { auditRowHash } from './proof/index.ts'
export { createReceipts, type Receipts } from './receipts.ts'
export { agentOfRow } from './row-terms.ts'
export type { AuditFilter, AuditSubject, SubjectOf } from './search-filter.ts'
export type { AuditVerdict } from './verification.ts'
