import { dirname, join } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { Logger } from 'pino'
import {
  createContentStore,
  createReserve,
  createRetentionStore,
  readFreeBytesOf,
} from './adapters/storage/index.ts'
import type { Config } from './config/index.ts'
import type { AuditArchiver, AuditLog, Transactor } from './domain/audit/index.ts'
import type { DomainEvents } from './domain/events/index.ts'
import {
  createFreeSpace,
  createRetention,
  createStoredContent,
  type FreeSpace,
  type ReadFreeBytes,
  type Retention,
  type StoredContent,
} from './domain/retention/index.ts'
import type { Clock } from './kernel/index.ts'

export interface DaemonStorage {
  readonly content: StoredContent
  readonly retention: Retention
  readonly freeSpace: FreeSpace
}

/** How much is kept, and what happens when the disk is nearly full. */
export function openStorage(deps: {
  readonly config: Config
  readonly db: Database
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly events: DomainEvents
  readonly clock: Clock
  readonly readFreeBytes: ReadFreeBytes | undefined
  /** That the disk is low could not be written yet. */
  readonly onDefect: (error: unknown) => void
}): DaemonStorage {
  const { config, db, audit, transactor, events, clock } = deps
  const { storage } = config
  const contents = createContentStore(db)
  const repository = createRetentionStore(db)
  const folder = dirname(config.dbPath)
  return {
    content: createStoredContent({
      contents,
      retention: repository,
      clock,
      maxBytesPerAgent: storage.maxBytesPerAgent,
      retainCodeMs: storage.retainCodeMs,
      events,
    }),
    retention: createRetention({
      contents,
      repository,
      audit,
      transactor,
      clock,
      policy: {
        outputsMs: storage.retainOutputsMs,
        codeMs: storage.retainCodeMs,
        executionsMs: storage.retainExecutionsMs,
        usageMs: storage.retainUsageMs,
        maxDatabaseBytes: storage.maxDatabaseBytes,
        maxBytesPerAgent: storage.maxBytesPerAgent,
      },
      events,
    }),
    freeSpace: createFreeSpace({
      read: deps.readFreeBytes ?? readFreeBytesOf(folder),
      reserve: createReserve(join(folder, 'reserve')),
      minFreeBytes: storage.minFreeBytes,
      ...{ audit, transactor, events },
      onDefect: deps.onDefect,
    }),
  }
}

const LOOK_MS = 2_000
const ARCHIVE_MS = 60_000
const IDLE_MS = 5_000
/** Between two pieces of work whoever else waits has the thread. */
const PAUSE_MS = 10
const AFTER_ERROR_MS = 5_000

export interface Upkeep extends Disposable {
  start(): void
  /** Something can be dropped: looks soon instead of at the next turn. */
  nudge(): void
}

/** Looks at the disk, and drops what is over in short pieces. */
export function createUpkeep({
  retention,
  freeSpace,
  archiver,
  transactor,
  auditMaxRows,
  log,
}: Pick<DaemonStorage, 'retention' | 'freeSpace'> & {
  readonly archiver: AuditArchiver
  readonly transactor: Transactor
  readonly auditMaxRows: number
  readonly log: Pick<Logger, 'error'>
}): Upkeep {
  let timer: NodeJS.Timeout | undefined
  let isNudged = false
  let isRunning = false

  const guarded = <T>(work: () => T, otherwise: T): T => {
    try {
      return work()
    } catch (error) {
      log.error({ err: error }, 'the upkeep of the database failed; it will be tried again')
      return otherwise
    }
  }
  const again = (delayMs: number): void => {
    clearTimeout(timer)
    if (isRunning) timer = setTimeout(turn, delayMs)
  }
  const turn = (): void => {
    isNudged = false
    const hasMore = guarded(
      () => retention.turn() || transactor.transact(() => archiver.deleteSome(), 'grouped'),
      undefined,
    )
    again(hasMore === undefined ? AFTER_ERROR_MS : hasMore || isNudged ? PAUSE_MS : IDLE_MS)
  }

  const archive = (): void => {
    const rows = archiver.liveRows()
    if (auditMaxRows === 0 || rows <= auditMaxRows) return
    // A tenth more, so that a full audit is not a file for every row.
    const excess = rows - auditMaxRows + Math.floor(auditMaxRows / 10)
    const last = archiver.newestRow() - rows + excess
    archiver
      .archive(last, 'daemon', ARCHIVE_MS)
      .catch((error: unknown) =>
        log.error({ err: error }, 'the audit could not be archived; it will be tried again'),
      )
  }

  const look = (): void => guarded(() => freeSpace.look(), undefined)
  let periodic: NodeJS.Timeout[] = []
  return {
    start() {
      isRunning = true
      look()
      periodic = [setInterval(() => guarded(archive, undefined), ARCHIVE_MS), setInterval(look, LOOK_MS)]
      again(PAUSE_MS)
    },
    nudge() {
      if (isNudged || !isRunning) return
      isNudged = true
      again(PAUSE_MS)
    },
    [Symbol.dispose]() {
      isRunning = false
      for (const interval of periodic) clearInterval(interval)
      clearTimeout(timer)
    },
  }
}
