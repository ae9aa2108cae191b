import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { type Clock, canonicalJson, equalInConstantTime, type Json } from '../../kernel/index.ts'
import { auditRowHash, GENESIS } from './chain.ts'
import type { AuditAnchor, AuditEventName, AuditRepository, AuditSeal, StoredAuditRow } from './ports.ts'
import { type AuditFilter, type AuditPage, type AuditSubject, searchSteps } from './search.ts'

/**
 * The audit: rows chained by SHA-256, the head sealed by an HMAC whose key is derived from the master key.
 * Whoever edits, deletes, reorders or inserts a row without that key breaks the chain or the seal, for good: rows
 * appended later never mend a seal that was not made with the key. What it cannot show is the whole database put
 * back to an earlier copy. `append` must be called inside the transaction of the effect it tells of.
 */
export interface AuditLog {
  append(event: AuditEventName, actor: string, requestId: string | null, data: Json): void
  verify(): AuditVerdict
  /** The same in steps of some milliseconds; rows may be appended between them. */
  verifySteps(): Generator<void, AuditVerdict>
  newest(limit: number): readonly StoredAuditRow[]
  /** Live rows that fit, in steps of some milliseconds. */
  searchSteps(
    filter: AuditFilter,
    page: { readonly before: number; readonly limit: number },
    subjectOf: (requestId: string) => AuditSubject | null,
  ): Generator<void, AuditPage>
  /** All rows that are not in archives, in order, read in pages. */
  export(): Generator<StoredAuditRow>
}

export type AuditVerdict =
  /** `rows` counts archived ones too; `archived` says up to which row they are in archives. */
  | { readonly ok: true; readonly rows: number; readonly archived: number; readonly headHash: string }
  | { readonly ok: false; readonly rows: number; readonly brokenId: number; readonly reason: string }

const PAGE = 1_000
/** Rows of one step of a verification. */
const ROWS_A_STEP = 250
/** In the place of a MAC when the seal before it was not genuine. */
const BROKEN_SEAL = 'broken'

export function createAuditLog(deps: {
  readonly repository: AuditRepository
  readonly clock: Clock
  readonly auditKey: Uint8Array
  /** Whether this may be a new database, whose audit has no row and no seal yet. Default: it may. */
  readonly mayBegin?: boolean
}): AuditLog {
  const { repository, clock } = deps
  // A key object, since raw bytes are made into one anew for each seal.
  const key = createSecretKey(deps.auditKey)
  let latest = { id: -1, hash: '', mac: '' }
  /** Each append checks the seal of the one before it, so the latest is asked for twice. */
  const mac = (id: number, hash: string): string => {
    if (latest.id !== id || latest.hash !== hash) {
      const sealed = createHmac('sha256', key).update(`oauth3 audit seal v1\n${id}\n${hash}`)
      latest = { id, hash, mac: sealed.digest('hex') }
    }
    return latest.mac
  }

  const isGenuine = (seal: AuditSeal): boolean => equalInConstantTime(mac(seal.id, seal.hash), seal.mac)
  let mayBegin = (deps.mayBegin ?? true) && repository.seal() === undefined

  /** The row to go on from. When the seal is not ours, the newest row there is, and the seal stays broken. */
  const head = (): { id: number; hash: string; genuine: boolean } => {
    const seal = repository.seal()
    if (seal) mayBegin = false
    if (seal && isGenuine(seal)) return { ...seal, genuine: true }
    const newest = repository.newest(1)[0]
    if (newest) return { id: newest.id, hash: newest.hash, genuine: false }
    return { id: 0, hash: GENESIS, genuine: !seal && mayBegin }
  }

  function* verifySteps(): Generator<void, AuditVerdict> {
    const anchor = repository.anchor()
    const archived = anchor?.id ?? 0
    if (anchor && !equalInConstantTime(anchorMac(key, anchor), anchor.mac)) {
      return {
        ok: false,
        rows: 0,
        brokenId: 1,
        reason: 'the anchor of the archived rows was not made with this master key',
      }
    }
    let previous = { id: archived, hash: anchor?.hash ?? GENESIS }
    let left: { id: number; hash: string } | undefined
    const leadsUp = (to: { id: number; hash: string }): boolean =>
      to.id === archived && to.hash === anchor?.hash
    let read = 0
    for (const row of allRows(repository)) {
      const isArchived = row.id >= 1 && row.id <= archived
      // Archived rows that are still to be deleted lead up to the anchor, whichever is the first of them.
      if (isArchived) left ??= { id: row.id - 1, hash: row.prevHash }
      else if (left !== undefined && row.id > archived && !leadsUp(left)) break
      const problem = rowProblem(row, isArchived && left ? left : previous)
      if (problem) return { ok: false, rows: previous.id, ...problem }
      if (isArchived) left = { id: row.id, hash: row.hash }
      else previous = { id: row.id, hash: row.hash }
      read += 1
      if (read % ROWS_A_STEP === 0) yield
    }
    if (left !== undefined && !leadsUp(left)) {
      return {
        ok: false,
        rows: archived,
        brokenId: left.id,
        reason: 'does not lead up to what was archived',
      }
    }
    const seal = repository.seal()
    const begins = !seal && previous.id === 0 && mayBegin
    const problem = begins ? undefined : sealProblem(seal, previous, isGenuine)
    return problem
      ? { ok: false, rows: previous.id, brokenId: previous.id + problem.offset, reason: problem.reason }
      : { ok: true, rows: previous.id, archived, headHash: previous.hash }
  }

  return {
    append(event, actor, requestId, data) {
      const before = head()
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
      repository.insert({ ...unhashed, hash })
      repository.writeSeal({
        id: unhashed.id,
        hash,
        mac: before.genuine ? mac(unhashed.id, hash) : BROKEN_SEAL,
      })
    },

    verify() {
      const steps = verifySteps()
      for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
    },
    verifySteps,

    newest: (limit) => repository.newest(limit),
    searchSteps: (filter, page, subjectOf) => searchSteps(repository, filter, page, subjectOf),
    export: () => allRows(repository),
  }
}

function rowProblem(
  row: StoredAuditRow,
  previous: { id: number; hash: string },
): { brokenId: number; reason: string } | undefined {
  if (row.id <= previous.id)
    return { brokenId: row.id, reason: 'was not written by the audit: rows count from 1' }
  if (row.id !== previous.id + 1)
    return { brokenId: previous.id + 1, reason: `row ${previous.id + 1} is missing` }
  if (row.prevHash !== previous.hash)
    return { brokenId: row.id, reason: 'does not continue the row before it' }
  if (row.hash !== auditRowHash(row))
    return { brokenId: row.id, reason: 'its content is not what was hashed' }
  return undefined
}

function sealProblem(
  seal: AuditSeal | undefined,
  head: { id: number; hash: string },
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

/** From the very lowest id: a row below 1 is an inserted one. */
function* allRows(repository: AuditRepository): Generator<StoredAuditRow> {
  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    const page = repository.rows(after, PAGE)
    yield* page
    const last = page.at(-1)
    if (!last) return
    after = last.id
  }
}
