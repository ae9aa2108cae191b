import { createAuditScans } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import { AppError, type Clock, DEFAULT_TENANT, type Storage, type TenantId } from '../kernel/index.ts'
import type { CopyProgress, CopyResult, InspectedCopy } from '../storage/index.ts'
import { createSodiumCipher } from '../vault/crypto/index.ts'
import { createDataKeyring, type DataKeyring } from '../vault/index.ts'
import { STORES } from './compose-stores.ts'
import { openAudit } from './daemon-audit.ts'
import { findMasterKey } from './daemon-keys.ts'

/** Why an audit does not verify, and from which entry; `entry` null where its key does not open. */
export interface AuditProblem {
  readonly tenant: string
  readonly entry: number | null
  readonly reason: string
}

const SLICE_MS = 250
const clock: Clock = { now: () => Date.now() }

/**
 * Tamper evidence: a copy that equals its original repeats what was done to it. Verifies every tenant's whole chain and its seal in
 * the copy, with the keys in it, by the same code as `oauth3 audit verify`. A removed tenant has no keys any more, and
 * nobody reads its audit.
 */
export async function findAuditProblems(
  copy: InspectedCopy,
  heads: CopyResult['auditHeads'],
  masterKey: Config['masterKey'],
  onProgress: (progress: CopyProgress) => void,
): Promise<readonly AuditProblem[]> {
  const { forTenant } = copy(STORES)
  const own = forTenant(DEFAULT_TENANT)
  const keyringOf = await openKeyrings(own, masterKey)
  const problems: AuditProblem[] = []
  for (const { id, name, removedAt } of await own.read((tx) => tx.tenants.list())) {
    if (removedAt !== null) continue
    const of = heads.find(({ tenant }) => tenant === id)?.id ?? 0
    const storage = forTenant(id)
    try {
      const told = scansTelling(storage, (rows) =>
        onProgress({ step: 'audit', table: name, rows: Math.min(rows, of), of }),
      )
      const keyring = await keyringOf(id, storage, of > 0)
      if (keyring === undefined) continue
      const { audit } = await openAudit({ storage, keyring, clock, scans: told })
      const verdict = await audit.verify({ full: true })
      if (!verdict.ok) problems.push({ tenant: name, entry: verdict.brokenId, reason: verdict.reason })
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'locked')) throw error
      problems.push({ tenant: name, entry: null, reason: error.message })
    }
  }
  return problems
}

function scansTelling(storage: Storage, told: (rows: number) => void) {
  const scans = createAuditScans(storage, SLICE_MS)
  let last = -1
  return {
    ...scans,
    async check(from: Parameters<typeof scans.check>[0]) {
      const slice = await scans.check(from)
      if (slice.state !== 'broken' && slice.check.previous.id !== last) {
        last = slice.check.previous.id
        told(last)
      }
      return slice
    },
  }
}

/** Undefined of a database that no daemon has ever worked with. */
type KeyringOf = (tenant: TenantId, storage: Storage, hasEntries: boolean) => Promise<DataKeyring | undefined>

async function openKeyrings(own: Storage, source: Config['masterKey']): Promise<KeyringOf> {
  const cipher = await createSodiumCipher()
  const known = await own.read(async (tx) => ({
    records: await tx.dataKeys.list(),
    kdf: await tx.meta.get('kdf'),
    auditKey: await tx.meta.get('audit_key'),
  }))
  let masterKey: Promise<Uint8Array> | undefined
  return async (tenant, storage, hasEntries) => {
    const isNew = known.records.length === 0 && known.auditKey === undefined
    if (isNew && !hasEntries) return undefined
    masterKey ??= findMasterKey({ source, cipher, ...known })
    const keyring = createDataKeyring({ cipher, clock, tenant, masterKey: await masterKey })
    await storage.transaction((tx) => keyring.load(tx))
    return keyring
  }
}
