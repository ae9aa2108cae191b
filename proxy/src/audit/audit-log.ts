import { createHmac, createSecretKey } from 'node:crypto'
import type { Actor } from '../identity/index.ts'
import {
  type Clock,
  canonicalJson,
  type EventPublisher,
  equalInConstantTime,
  type Json,
  type Storage,
  type Tx,
} from '../kernel/index.ts'
import { type AuditScans, createAuditScans, LOWEST_ID } from './chain-check.ts'
import type { AuditEventName, AuditSeal, StoredAuditRow } from './ports.ts'
import { auditRowHash, GENESIS } from './proof/index.ts'
import { type AuditPage, searchRows } from './search.ts'
import type { AuditFilter, SubjectOf } from './search-filter.ts'
import { type AuditVerdict, createVerification, leadsToSeal, type VerifyOptions } from './verification.ts'

/**
 * The audit: rows chained by SHA-256, the newest sealed by an HMAC with a key of the audit's own, which the vault's keys seal.
 * Whoever edits, deletes, reorders or inserts a row without that key breaks the chain or the seal, for good: rows
 * appended later never mend a seal that was not made with the key. What it cannot show is the whole database put
 * back to an earlier copy. `append` takes the `tx` of the effect that it tells of.
 */
export interface AuditLog {
  append(tx: Tx, event: AuditEventName, actor: Actor, requestId: string | null, data: Json): Promise<void>
  /** Of the live rows, while others are appended. From where an earlier check ended, unless it is to be a full one. */
  verify(options?: VerifyOptions): Promise<AuditVerdict>
  /** Whether the chain goes on from this row, as it is given, to a newest row that was sealed with the key. */
  leadsToSeal(row: StoredAuditRow): Promise<boolean>
  newest(limit: number): Promise<readonly StoredAuditRow[]>
  /** Live rows that fit, the newest first, in pages. */
  search(
    filter: AuditFilter,
    page: { readonly before: number; readonly limit: number },
    subjectOf: SubjectOf,
  ): Promise<AuditPage>
  /** All rows that are not in archives, in order, read in pages. */
  export(): AsyncGenerator<StoredAuditRow>
}

/** A row was appended. */
export interface AuditEvent {
  readonly type: 'audit.appended'
  readonly id: number
  readonly event: AuditEventName
  readonly requestId: string | null
}

/** Where nobody else scans. */
const SLICE_MS = 250
/** For the rows behind a new verdict, here and now; what takes longer goes to the thread. */
const NEAR_MS = 20
interface Head {
  readonly id: number
  readonly hash: string
  readonly genuine: boolean
}

/** In the place of a MAC when the seal before it was not genuine. */
const BROKEN_SEAL = 'broken'

export function createAuditLog(deps: {
  readonly storage: Storage
  readonly clock: Clock
  readonly auditKey: Uint8Array
  /** Whether this may be a new database, whose audit has no row and no seal yet. Default: it may. False where there is one. */
  readonly mayBegin?: boolean
  /** Left out: in this thread, through the same storage. */
  readonly scans?: AuditScans
  /** For pages that are many: a connection that no decision waits for. Left out: the same storage. */
  readonly longReads?: Pick<Storage, 'read'>
  readonly events?: EventPublisher<AuditEvent>
}): AuditLog {
  const { storage, clock, scans = createAuditScans(storage, SLICE_MS) } = deps
  // A key object, since raw bytes are made into one anew for each seal.
  const key = createSecretKey(deps.auditKey)
  let latest = { id: -1, hash: '', mac: '' }
  /** The seal of the audit. Each append checks that of the one before it, so the latest is asked for twice. */
  const mac = (id: number, hash: string): string => {
    if (latest.id !== id || latest.hash !== hash) {
      const sealed = createHmac('sha256', key).update(`oauth3 audit seal v1\n${id}\n${hash}`)
      latest = { id, hash, mac: sealed.digest('hex') }
    }
    return latest.mac
  }

  const isGenuine = (seal: AuditSeal): boolean => equalInConstantTime(mac(seal.id, seal.hash), seal.mac)
  let mayBegin = deps.mayBegin ?? true

  /** What a unit has appended last: nobody else appends until its end. */
  const heads = new WeakMap<Tx, Head>()

  /** The row to go on from. When the seal is not ours, the newest row there is, and the seal stays broken. */
  const head = async (tx: Tx): Promise<Head> => {
    const own = heads.get(tx)
    if (own !== undefined) return own
    const seal = await tx.audit.seal()
    // Of a unit that is undone nothing is left, so another may begin the audit.
    if (seal && mayBegin)
      tx.onCommit(() => {
        mayBegin = false
      })
    if (seal && isGenuine(seal)) return { ...seal, genuine: true }
    const newest = (await tx.audit.newest(1))[0]
    if (newest) return { id: newest.id, hash: newest.hash, genuine: false }
    return { id: 0, hash: GENESIS, genuine: !seal && mayBegin }
  }

  return {
    async append(tx, event, actor, requestId, data) {
      const before = await head(tx)
      const unhashed = {
        id: before.id + 1,
        at: clock.now(),
        event,
        actor,
        requestId,
        data: canonicalJson(data),
        prevHash: before.hash,
      }
      const hash = auditRowHash(unhashed)
      await tx.audit.insert({ ...unhashed, hash })
      await tx.audit.writeSeal({
        id: unhashed.id,
        hash,
        mac: before.genuine ? mac(unhashed.id, hash) : BROKEN_SEAL,
      })
      heads.set(tx, { id: unhashed.id, hash, genuine: before.genuine })
      await deps.events?.publish(tx, { type: 'audit.appended', id: unhashed.id, event, requestId })
    },

    verify: createVerification({ storage, scans, clock, key, isGenuine, mayBegin: () => mayBegin }),
    leadsToSeal: (row) => leadsToSeal({ page: createAuditScans(storage, NEAR_MS), scans, isGenuine }, row),
    newest: (limit) => storage.read((tx) => tx.audit.newest(limit)),
    search: (filter, page, subjectOf) => searchRows(deps.longReads ?? storage, filter, page, subjectOf),

    async *export() {
      for (let after = LOWEST_ID; ; ) {
        const rows = await scans.rowsAfter(after)
        yield* rows
        const last = rows.at(-1)
        if (!last) return
        after = last.id
      }
    },
  }
}
