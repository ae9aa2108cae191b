export { type AuditLog, type AuditVerdict, auditRowHash, createAuditLog } from './audit-log.ts'
export {
  AUDIT_EVENTS,
  type AuditEventName,
  type AuditRepository,
  type AuditSeal,
  type StoredAuditRow,
  type Transactor,
} from './ports.ts'
