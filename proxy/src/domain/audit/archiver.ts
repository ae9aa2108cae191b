import { createSecretKey } from 'node:crypto'
import { AppError, type Clock, type UnixMs } from '../../kernel/index.ts'
import { verifyArchives, writeArchive } from './archive.ts'
import { type AuditLog, type AuditVerdict, anchorMac } from './audit-log.ts'
import { GENESIS } from './chain.ts'
import type { AuditArchive, AuditArchiveFiles, AuditRepository, Transactor } from './ports.ts'

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
    actor: string,
    ms: number,
  ): Promise<{ readonly archives: readonly AuditArchive[]; readonly finished: boolean }>
  /** The last row that is not younger than `at`; 0 when there is none. */
  lastRowAt(at: UnixMs): number
  list(): readonly AuditArchive[]
  /** Rows in the table, archived ones that are about to be deleted not counted. */
  liveRows(): number
  newestRow(): number
  verify(options: { readonly archives: boolean }): Promise<AuditVerdict>
  /** Deletes a few archived rows; whether there may be more. Inside a transaction. */
  deleteSome(): boolean
}

/** Rows of one file. */
const ROWS_A_FILE = 100_000
const ROWS_A_TURN = 200
const PAUSE_MS = 5

export function createAuditArchiver(deps: {
  readonly repository: AuditRepository
  readonly files: AuditArchiveFiles
  readonly audit: Pick<AuditLog, 'append' | 'verifySteps'>
  readonly transactor: Transactor
  readonly clock: Clock
  readonly auditKey: Uint8Array
  readonly rowsAFile?: number
}): AuditArchiver {
  const { repository, files, audit, transactor, clock } = deps
  const rowsAFile = deps.rowsAFile ?? ROWS_A_FILE
  const key = createSecretKey(deps.auditKey)
  let queue: Promise<unknown> = Promise.resolve()
  let isBusy = false

  /** Nothing moves while something is being checked, and nothing is checked while something moves. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = queue.then(async () => {
      isBusy = true
      try {
        return await work()
      } finally {
        isBusy = false
      }
    })
    queue = mine.catch(() => {})
    return mine
  }

  const anchor = (): { id: number; hash: string } => repository.anchor() ?? { id: 0, hash: GENESIS }

  const newestRow = (): number => repository.newest(1)[0]?.id ?? anchor().id

  const verifyLive = async (): Promise<AuditVerdict> => {
    const steps = audit.verifySteps()
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value
      await turn()
    }
  }

  const deleteSome = (): boolean => {
    const until = repository.anchor()?.id
    return until !== undefined && repository.deleteUpTo(until, ROWS_A_TURN) === ROWS_A_TURN
  }

  const archiveOnce = async (last: number, actor: string): Promise<AuditArchive> => {
    const before = anchor()
    const first = before.id + 1
    const listed = new Set(repository.archives().map(({ name }) => name))
    // Of an archive that a crash came before: its rows are still in the table.
    await files.removeFrom(first, listed)
    const at = clock.now()
    const range = { first, last, previous: before.hash, at }
    const archive = await writeArchive({ repository, files, key }, range)
    transactor.transact(() => {
      const now = anchor()
      if (now.id !== before.id || now.hash !== before.hash)
        throw new AppError('conflict', 'The audit was archived meanwhile.')
      repository.addArchive(archive)
      const { head: hash, digest } = archive
      repository.writeAnchor({ id: last, hash, digest, mac: anchorMac(key, { id: last, hash, digest }) })
      audit.append('audit.archived', actor, null, {
        name: archive.name,
        first,
        last,
        head: hash,
        digest,
      })
    })
    while (transactor.transact(deleteSome)) await pause()
    return archive
  }

  return {
    archive: (wanted, actor, ms) =>
      alone(async () => {
        const until = performance.now() + ms
        const last = Math.min(wanted, newestRow() - 1)
        const archives: AuditArchive[] = []
        if (last <= anchor().id) return { archives, finished: true }
        const verdict = await verifyLive()
        if (!verdict.ok) {
          throw new AppError(
            'conflict',
            `Nothing was archived: the audit is broken at row ${verdict.brokenId} (${verdict.reason}).`,
          )
        }
        while (anchor().id < last && performance.now() < until) {
          archives.push(await archiveOnce(Math.min(last, anchor().id + rowsAFile), actor))
        }
        return { archives, finished: anchor().id >= last }
      }),

    lastRowAt(at) {
      let low = anchor().id
      let high = newestRow()
      // Rows are written in order of time; a clock that was set back makes the answer a little earlier or later.
      while (low < high) {
        const middle = Math.ceil((low + high) / 2)
        const [row] = repository.rows(middle - 1, 1)
        if (row !== undefined && row.at <= at) low = middle
        else high = middle - 1
      }
      return low
    },

    list: () => repository.archives(),
    liveRows: () => newestRow() - anchor().id,
    newestRow,

    verify: ({ archives }) =>
      alone(async () => {
        const live = await verifyLive()
        if (!live.ok || !archives || live.archived === 0) return live
        const listed = repository.archives()
        const verdict = await verifyArchives({ files, key }, listed, anchor(), GENESIS)
        if (verdict.ok) return live
        const brokenId = listed.find(({ name }) => name === verdict.name)?.first ?? 1
        return { ok: false, rows: live.rows, brokenId, reason: `archive ${verdict.name}: ${verdict.reason}` }
      }),

    deleteSome: () => !isBusy && deleteSome(),
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
