import { hkdfSync } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError, type Storage } from '../kernel/index.ts'
import type { AuditArchiver } from './archiver.ts'
import type { AuditLog } from './audit-log.ts'
import {
  createReceiptSigner,
  privateKeyOf,
  type ReceiptKey,
  requestOfVerdict,
  type StoredAuditRow,
} from './proof/index.ts'

/** Receipts of the tenant's verdicts: what the audit says, signed. */
export interface Receipts {
  readonly key: ReceiptKey
  /**
   * The file of the newest verdict on a request, or of the one in row `row`. Throws `not_found` where the audit has none, and
   * `conflict` where the row's chain does not lead to the audit's seal: what somebody wrote into the database is never signed.
   */
  issue(request: string, row?: number): Promise<{ readonly row: number; readonly text: string }>
}

/** Rows that are looked at before others have their turn. */
const ROWS_A_PAGE = 250

/** Derived: stays what it is for as long as the audit has its key, through backups, migrations and rotations, and is destroyed with it. */
const signingSeed = (auditKey: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', auditKey, '', 'oauth3 receipt key v1', 32))

export function createReceipts(deps: {
  readonly storage: Pick<Storage, 'tenant'>
  readonly longReads: Pick<Storage, 'read'>
  readonly audit: Pick<AuditLog, 'leadsToSeal'>
  readonly archiver: Pick<AuditArchiver, 'findRow'>
  readonly auditKey: Uint8Array
}): Receipts {
  const { storage, longReads, audit, archiver } = deps
  const signer = createReceiptSigner(privateKeyOf(signingSeed(deps.auditKey)))

  const findLive = async (
    isWanted: (row: StoredAuditRow) => boolean,
  ): Promise<StoredAuditRow | undefined> => {
    for (let before = Number.MAX_SAFE_INTEGER; ; ) {
      const page = await longReads.read((tx) => tx.audit.before(before, ROWS_A_PAGE))
      const found = page.find(isWanted)
      const last = page.at(-1)
      if (found !== undefined || last === undefined) return found
      before = last.id
      await nextTurn()
    }
  }

  return {
    key: signer.key,
    async issue(request, id) {
      const isWanted = (row: StoredAuditRow): boolean =>
        (id === undefined || row.id === id) && requestOfVerdict(row) === request
      const live = await findLive(isWanted)
      // The seal of an archive's file is checked as it is read.
      const row = live ?? (await archiver.findRow(isWanted))
      if (row === undefined)
        throw new AppError(
          'not_found',
          `The audit has no verdict on ${request}${id === undefined ? '' : ` in row ${id}`}.`,
        )
      const isSealed = live === undefined || (await audit.leadsToSeal(row))
      const text = isSealed ? signer.sign(row, storage.tenant) : undefined
      if (text === undefined)
        throw new AppError(
          'conflict',
          `Row ${row.id} of the audit was changed, or its seal is broken: see oauth3 audit verify.`,
        )
      return { row: row.id, text }
    },
  }
}
