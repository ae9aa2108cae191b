export { type AuditArchiver, createAuditArchiver } from './archiver.ts'
export { type AuditLog, type AuditVerdict, createAuditLog } from './audit-log.ts'
export { auditRowHash } from './chain.ts'
export {
  AUDIT_EVENTS,
  type AuditArchive,
  type AuditArchiveFiles,
  type AuditEventName,
  type AuditRepository,
  type AuditSeal,
  type Durability,
  type StoredAuditRow,
  type Transactor,
} from './ports.ts'
export { type AuditFilter, type AuditPage, type AuditSubject, agentOfRow } from './search.ts'
