import { createSecretKey } from 'node:crypto'
import type { Actor } from '../identity/index.ts'
import {
  AppError,
  type Clock,
  createOneAtATime,
  type ReadTx,
  type Storage,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'
import { findArchivedRow, verifyArchives, writeArchive } from './archive.ts'
import type { AuditLog } from './audit-log.ts'
import type { AuditArchive, AuditArchiveFiles, StoredAuditRow } from './ports.ts'
import { GENESIS } from './proof/index.ts'
import { type AuditVerdict, anchorMac, type VerifyOptions } from './verification.ts'

/**
 * Moves the oldest rows of the audit into sealed files, and checks live rows and files together. Work comes in turns, so
 * that others are served between; one piece at a time.
 */
export interface AuditArchiver {
  /**
   * Archives rows up to `last` (the newest row always stays), for about `ms`. Throws `conflict` when the audit does not
   * verify. A file is whole on disk before its rows go; what is told to go and is still there goes later.
   */
  archive(
    last: number,
    actor: Actor,
    ms: number,
  ): Promise<{ readonly archives: readonly AuditArchive[]; readonly finished: boolean }>
  /** The last row that is not younger than `at`; 0 when there is none. */
  lastRowAt(at: UnixMs): Promise<number>
  list(): Promise<readonly AuditArchive[]>
  /** Rows in the table, archived ones that are about to be deleted not counted. */
  liveRows(): Promise<number>
  newestRow(): Promise<number>
  /** The newest archived row that is wanted, of a file that is still what was sealed. */
  findRow(isWanted: (row: StoredAuditRow) => boolean): Promise<StoredAuditRow | undefined>
  /** Archives are read when all live rows are checked. */
  verify(options: VerifyOptions & { readonly archives: boolean }): Promise<AuditVerdict>
  /** Deletes a few archived rows; whether there may be more. */
  deleteSome(tx: Tx): Promise<boolean>
}

/** Rows of one file. */
const ROWS_A_FILE = 100_000
const ROWS_A_TURN = 200
const PAUSE_MS = 5

export function createAuditArchiver(deps: {
  readonly files: AuditArchiveFiles
  readonly audit: Pick<AuditLog, 'append' | 'verify'>
  readonly storage: Storage
  /** For the rows of a file: a connection that no decision waits for. Left out: the same storage. */
  readonly longReads?: Pick<Storage, 'read'>
  readonly clock: Clock
  readonly auditKey: Uint8Array
  readonly rowsAFile?: number
}): AuditArchiver {
  const { files, audit, storage, clock } = deps
  const rowsAFile = deps.rowsAFile ?? ROWS_A_FILE
  const key = createSecretKey(deps.auditKey)
  const inTurn = createOneAtATime()
  let isBusy = false

  /** Nothing moves while something is being checked, and nothing is checked while something moves. */
  const alone = <T>(work: () => Promise<T>): Promise<T> =>
    inTurn(async () => {
      isBusy = true
      try {
        return await work()
      } finally {
        isBusy = false
      }
    })

  const anchorOf = async (tx: ReadTx): Promise<{ id: number; hash: string }> =>
    (await tx.audit.anchor()) ?? { id: 0, hash: GENESIS }
  const newestOf = async (tx: ReadTx): Promise<number> =>
    (await tx.audit.newest(1))[0]?.id ?? (await anchorOf(tx)).id
  const anchor = () => storage.read(anchorOf)
  const newestRow = () => storage.read(newestOf)

  const deleteSome = async (tx: Tx): Promise<boolean> => {
    const until = (await tx.audit.anchor())?.id
    return until !== undefined && (await tx.audit.deleteUpTo(until, ROWS_A_TURN)) === ROWS_A_TURN
  }

  const archiveOnce = async (last: number, actor: Actor): Promise<AuditArchive> => {
    const before = await anchor()
    const first = before.id + 1
    const listed = new Set((await storage.read((tx) => tx.audit.archives())).map(({ name }) => name))
    // Of an archive that a crash came before: its rows are still in the table.
    await files.removeFrom(first, listed)
    const at = clock.now()
    const range = { first, last, previous: before.hash, at }
    const archive = await writeArchive({ storage: deps.longReads ?? storage, files, key }, range)
    await storage.transaction(async (tx) => {
      const now = await anchorOf(tx)
      if (now.id !== before.id || now.hash !== before.hash)
        throw new AppError('conflict', 'The audit was archived meanwhile.')
      await tx.audit.addArchive(archive)
      const { head: hash, digest } = archive
      await tx.audit.writeAnchor({ id: last, hash, digest, mac: anchorMac(key, { id: last, hash, digest }) })
      await audit.append(tx, 'audit.archived', actor, null, {
        name: archive.name,
        first,
        last,
        head: hash,
        digest,
      })
    })
    while (await storage.transaction(deleteSome)) await pause()
    return archive
  }

  return {
    archive: (wanted, actor, ms) =>
      alone(async () => {
        const until = performance.now() + ms
        const last = Math.min(wanted, (await newestRow()) - 1)
        const archives: AuditArchive[] = []
        if (last <= (await anchor()).id) return { archives, finished: true }
        const verdict = await audit.verify({ ms })
        if (!verdict.ok) {
          throw new AppError(
            'conflict',
            `Nothing was archived: the audit is broken at row ${verdict.brokenId} (${verdict.reason}).`,
          )
        }
        if (!verdict.finished) return { archives, finished: false }
        for (;;) {
          const { id } = await anchor()
          if (id >= last || performance.now() >= until) return { archives, finished: id >= last }
          archives.push(await archiveOnce(Math.min(last, id + rowsAFile), actor))
        }
      }),

    lastRowAt: (at) =>
      storage.read(async (tx) => {
        let low = (await anchorOf(tx)).id
        let high = await newestOf(tx)
        // Rows are written in order of time; a clock that was set back makes the answer a little earlier or later.
        while (low < high) {
          const middle = Math.ceil((low + high) / 2)
          const [row] = await tx.audit.rows(middle - 1, 1)
          if (row !== undefined && row.at <= at) low = middle
          else high = middle - 1
        }
        return low
      }),

    list: () => storage.read((tx) => tx.audit.archives()),
    liveRows: () => storage.read(async (tx) => (await newestOf(tx)) - (await anchorOf(tx)).id),
    newestRow,
    findRow: (isWanted) =>
      alone(async () =>
        findArchivedRow({ files, key }, await storage.read((tx) => tx.audit.archives()), isWanted),
      ),

    verify: ({ archives, ...options }) =>
      alone(async () => {
        const live = await audit.verify(options)
        if (!live.ok || !live.finished || !archives || live.archived === 0) return live
        const { listed, until } = await storage.read(async (tx) => ({
          listed: await tx.audit.archives(),
          until: await anchorOf(tx),
        }))
        const verdict = await verifyArchives({ files, key }, listed, until, GENESIS)
        if (verdict.ok) return live
        const brokenId = listed.find(({ name }) => name === verdict.name)?.first ?? 1
        return { ok: false, rows: live.rows, brokenId, reason: `archive ${verdict.name}: ${verdict.reason}` }
      }),

    deleteSome: async (tx) => !isBusy && (await deleteSome(tx)),
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
