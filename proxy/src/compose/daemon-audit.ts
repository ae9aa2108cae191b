import { type AuditEvent, type AuditLog, type AuditScans, createAuditLog } from '../audit/index.ts'
import type { Clock, EventPublisher, Storage } from '../kernel/index.ts'
import type { DataKeyring } from '../vault/index.ts'
import { openAuditKey } from './daemon-keys.ts'

/**
 * A tenant's audit with its key. Before the first agent and secret nothing was asked or kept; from then on an audit without a seal
 * was robbed of it. Throws `locked` where the key is gone or does not open.
 */
export async function openAudit(deps: {
  readonly storage: Storage
  readonly keyring: DataKeyring
  readonly clock: Clock
  readonly scans: AuditScans
  readonly longReads?: Pick<Storage, 'read'>
  readonly events?: EventPublisher<AuditEvent>
}): Promise<{ readonly audit: AuditLog; readonly auditKey: Uint8Array }> {
  const { storage, keyring } = deps
  const known = await storage.read(async (tx) => ({
    inUse: (await tx.agents.list()).length > 0 || (await tx.secrets.list()).length > 0,
    hasRows: (await tx.audit.newest(1)).length > 0,
    hasSeal: (await tx.audit.seal()) !== undefined,
  }))
  const auditKey = await openAuditKey({ storage, keyring, inUse: known.inUse || known.hasRows })
  const mayBegin = !known.inUse && !known.hasSeal
  return { audit: createAuditLog({ ...deps, auditKey, mayBegin }), auditKey }
}
