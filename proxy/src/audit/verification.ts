import { createHmac, type KeyObject } from 'node:crypto'
import { type Clock, equalInConstantTime, type ReadTx, type Storage } from '../kernel/index.ts'
import { type AuditScans, type ChainCheck, checkFrom, type Link } from './chain-check.ts'
import type { AuditAnchor, AuditCheckpoint, AuditSeal, StoredAuditRow } from './ports.ts'
import { auditRowHash, GENESIS } from './proof/index.ts'

export type AuditVerdict =
  | {
      readonly ok: true
      /** All that is counted is checked; false: it was cut short, and the next check goes on behind row `rows`. */
      readonly finished: boolean
      /** Archived ones too. */
      readonly rows: number
      /** Up to which row they are in archives. */
      readonly archived: number
      /** Up to which row an earlier check found all good, and this one did not read again; 0: it read all. */
      readonly earlier: number
      readonly headHash: string
    }
  | { readonly ok: false; readonly rows: number; readonly brokenId: number; readonly reason: string }

export interface VerifyOptions {
  /** Reads every row, whatever earlier checks have found. */
  readonly full?: boolean
  /** For about so long. */
  readonly ms?: number
}

/** What an earlier check found counts for so long: a row that is changed behind it shows at a later check that was asked for nothing special. */
const CHECKPOINT_MS = 7 * 24 * 60 * 60_000

/**
 * Checks the chain from its beginning, or from a checkpoint: "good up to this row", under a MAC of the audit key over the tenant,
 * the row, its hash, and when the check that began with the first row did. It counts while the row still has that hash; a checkpoint that
 * was not made with the key, or was put back in the place of a newer one, counts for nothing: all is checked.
 */
export function createVerification(deps: {
  readonly storage: Storage
  readonly scans: AuditScans
  readonly clock: Clock
  readonly key: KeyObject
  readonly isGenuine: (seal: AuditSeal) => boolean
  /** Whether there may be no seal, as there is no row. */
  readonly mayBegin: () => boolean
}): (options?: VerifyOptions) => Promise<AuditVerdict> {
  const { storage, scans, clock, key } = deps
  /** As this process left it: another one was put there. Undefined: it has left none yet. */
  let left: string | null | undefined

  const macOf = ({ id, hash, since }: Omit<AuditCheckpoint, 'mac'>): string =>
    createHmac('sha256', key)
      .update(`oauth3 audit checkpoint v1\n${storage.tenant}\n${id}\n${hash}\n${since}`)
      .digest('hex')

  const remember = async (at: (Link & { readonly since: number }) | null): Promise<void> => {
    const checkpoint = at && { ...at, mac: macOf(at) }
    left = checkpoint?.mac ?? null
    try {
      await storage.transaction((tx) => tx.audit.writeCheckpoint(checkpoint), 'grouped')
    } catch {
      // A disk that is full keeps no verdict from being told; what stands there instead counts for nothing in this process.
    }
  }

  const usable = async (tx: ReadTx, archived: Link): Promise<AuditCheckpoint | undefined> => {
    const checkpoint = await tx.audit.checkpoint()
    if (checkpoint === undefined || (left !== undefined && checkpoint.mac !== left)) return undefined
    const age = clock.now() - checkpoint.since
    if (!(age >= 0 && age <= CHECKPOINT_MS) || checkpoint.id <= archived.id) return undefined
    if (!equalInConstantTime(macOf(checkpoint), checkpoint.mac)) return undefined
    const [row] = await tx.audit.rows(checkpoint.id - 1, 1)
    return row?.id === checkpoint.id && row.hash === checkpoint.hash ? checkpoint : undefined
  }

  const begin = (isFull: boolean) =>
    storage.read(async (tx) => {
      const anchor = await tx.audit.anchor()
      const archived: Link = anchor ?? { id: 0, hash: GENESIS }
      return { anchor, archived, checkpoint: isFull ? undefined : await usable(tx, archived) }
    })

  return async ({ full = false, ms = Number.POSITIVE_INFINITY } = {}) => {
    const until = performance.now() + ms
    const { anchor, archived, checkpoint } = await begin(full)
    const fail = async (rows: number, brokenId: number, reason: string): Promise<AuditVerdict> => {
      await remember(null)
      return { ok: false, rows, brokenId, reason }
    }
    if (anchor && !equalInConstantTime(anchorMac(key, anchor), anchor.mac))
      return await fail(0, 1, 'the anchor of the archived rows was not made with this master key')
    const since = checkpoint?.since ?? clock.now()
    let check: ChainCheck = checkpoint
      ? { ...checkFrom(archived), previous: linkOf(checkpoint), after: checkpoint.id }
      : checkFrom(archived)
    for (;;) {
      const slice = await scans.check(check)
      if (slice.state === 'broken') return await fail(slice.rows, slice.brokenId, slice.reason)
      check = slice.check
      const { id, hash } = check.previous
      if (slice.state === 'end') {
        const isNew = slice.seal === undefined && id === 0 && deps.mayBegin()
        const problem = isNew ? undefined : sealProblem(slice.seal, check.previous, deps.isGenuine)
        if (problem) return await fail(id, id + problem.offset, problem.reason)
      }
      const finished = slice.state === 'end'
      if (finished || performance.now() >= until) {
        // Once: whatever else is written waits for the disk that this takes.
        if (id > archived.id) await remember({ id, hash, since })
        const { id: earlier } = checkpoint ?? { id: 0 }
        return { ok: true, finished, rows: id, archived: archived.id, earlier, headHash: hash }
      }
    }
  }
}

/** See AuditLog.leadsToSeal: reads the rows behind that one; `page` the first of them, which for a new verdict are all. */
export async function leadsToSeal(
  deps: {
    readonly page: AuditScans
    readonly scans: AuditScans
    readonly isGenuine: (seal: AuditSeal) => boolean
  },
  row: StoredAuditRow,
): Promise<boolean> {
  if (row.hash !== auditRowHash(row)) return false
  const from = linkOf(row)
  let check: ChainCheck = { ...checkFrom(from), after: row.id }
  for (let scans = deps.page; ; scans = deps.scans) {
    const slice = await scans.check(check)
    if (slice.state === 'broken') return false
    check = slice.check
    if (slice.state === 'end') return sealProblem(slice.seal, check.previous, deps.isGenuine) === undefined
  }
}

const linkOf = ({ id, hash }: Link): Link => ({ id, hash })

function sealProblem(
  seal: AuditSeal | undefined,
  head: Link,
  isGenuine: (seal: AuditSeal) => boolean,
): { reason: string; offset: number } | undefined {
  if (!seal) return { reason: 'the seal of the newest row is missing', offset: head.id === 0 ? 1 : 0 }
  if (!isGenuine(seal))
    return { reason: 'the seal was not made with this master key', offset: head.id === 0 ? 1 : 0 }
  if (seal.id > head.id) return { reason: `rows ${head.id + 1} to ${seal.id} were cut off`, offset: 1 }
  if (seal.id !== head.id || seal.hash !== head.hash) {
    return { reason: 'the newest row is not the sealed one', offset: 0 }
  }
  return undefined
}

/** Over where the live rows begin and what the newest archive holds. */
export const anchorMac = (key: KeyObject, { id, hash, digest }: Omit<AuditAnchor, 'mac'>): string =>
  createHmac('sha256', key).update(`oauth3 audit anchor v1\n${id}\n${hash}\n${digest}`).digest('hex')
