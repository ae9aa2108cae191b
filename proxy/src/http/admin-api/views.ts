import type { AuditArchive, AuditVerdict, StoredAuditRow } from '../../audit/index.ts'
import type {
  AuditArchiveView,
  AuditRowView,
  AuditVerdictView,
  SecretView,
} from '../../contracts/admin/index.ts'
import type { SecretRecord } from '../../vault/index.ts'

/** Rows of vault and audit as the admin socket tells them: no sealed value. */
export const viewSecret = (record: SecretRecord, risk: SecretView['risk']): SecretView => ({
  name: record.name,
  version: record.version,
  hosts: record.hosts === null ? null : [...record.hosts],
  risk,
  created_at: record.createdAt,
  updated_at: record.updatedAt,
})

export const viewAuditRow = (row: StoredAuditRow): AuditRowView => ({
  id: row.id,
  at: row.at,
  event: row.event,
  actor: row.actor,
  request_id: row.requestId,
  data: row.data,
  prev_hash: row.prevHash,
  hash: row.hash,
})

export const viewArchive = (archive: AuditArchive): AuditArchiveView => ({
  name: archive.name,
  first: archive.first,
  last: archive.last,
  head_hash: archive.head,
  digest: archive.digest,
  bytes: archive.bytes,
  archived_at: archive.archivedAt,
})

export const viewVerdict = (verdict: AuditVerdict): AuditVerdictView =>
  verdict.ok
    ? {
        ok: true,
        finished: verdict.finished,
        rows: verdict.rows,
        archived: verdict.archived,
        earlier: verdict.earlier,
        head_hash: verdict.headHash,
      }
    : { ok: false, rows: verdict.rows, broken_id: verdict.brokenId, reason: verdict.reason }
