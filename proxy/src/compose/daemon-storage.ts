import { dirname } from 'node:path'
import type { Logger } from 'pino'
import type { AuditArchiver, AuditLog } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import type { Clock, Storage } from '../kernel/index.ts'
import {
  createFreeSpace,
  createRetention,
  createStoredContent,
  type FreeSpace,
  type Retention,
  type StoredContent,
} from '../retention/index.ts'
import { createReserve, readFreeBytesOf } from '../storage/files/index.ts'
import type { Installation } from './compose-installation.ts'
import type { DomainEvents } from './domain-events.ts'
import { reserveFile } from './state-files.ts'

interface Kept {
  readonly content: StoredContent
  readonly retention: Retention
}

/** How much of a tenant is kept. */
export function openKept(deps: {
  readonly config: Config
  readonly audit: AuditLog
  readonly storage: Storage
  readonly longReads: Pick<Storage, 'read'>
  readonly events: DomainEvents
  readonly clock: Clock
}): Kept {
  const { config, ...rest } = deps
  const settings = config.storage
  return {
    content: createStoredContent({
      ...rest,
      maxBytesPerAgent: settings.maxBytesPerAgent,
      retainCodeMs: settings.retainCodeMs,
    }),
    retention: createRetention({
      ...rest,
      policy: {
        outputsMs: settings.retainOutputsMs,
        codeMs: settings.retainCodeMs,
        executionsMs: settings.retainExecutionsMs,
        usageMs: settings.retainUsageMs,
        maxDatabaseBytes: settings.maxDatabaseBytes,
        maxBytesPerAgent: settings.maxBytesPerAgent,
      },
    }),
  }
}

/** What happens when the disk is nearly full: it is one for all tenants, and the tenant `default` is told. */
export function openFreeSpace(
  { config, onDefect, readFreeBytes }: Pick<Installation, 'config' | 'onDefect' | 'readFreeBytes'>,
  told: { readonly audit: AuditLog; readonly storage: Storage; readonly events: DomainEvents },
): FreeSpace {
  return createFreeSpace({
    read: readFreeBytes ?? readFreeBytesOf(dirname(config.dbPath)),
    reserve: createReserve(reserveFile(config)),
    minFreeBytes: config.storage.minFreeBytes,
    ...told,
    onDefect,
  })
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

/** Drops what is over in short pieces, and looks at the disk. */
export function createUpkeep({
  retention,
  freeSpace,
  archiver,
  storage,
  auditMaxRows,
  log,
}: {
  readonly retention: Retention
  /** Undefined: another tenant's looks. */
  readonly freeSpace: FreeSpace | undefined
  readonly archiver: AuditArchiver
  readonly storage: Storage
  readonly auditMaxRows: number
  readonly log: Pick<Logger, 'error'>
}): Upkeep {
  let timer: NodeJS.Timeout | undefined
  let isNudged = false
  let isRunning = false

  const guarded = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      log.error({ err: error }, 'the upkeep of the database failed; it will be tried again')
      return undefined
    }
  }
  /** One turn after the other: each goes on where the one before it stopped. */
  let isTurning = false
  const again = (delayMs: number): void => {
    clearTimeout(timer)
    if (isRunning && !isTurning) timer = setTimeout(turn, delayMs)
  }
  const turn = async (): Promise<void> => {
    isTurning = true
    isNudged = false
    const hasMore = await guarded(
      async () =>
        (await retention.turn()) || (await storage.transaction((tx) => archiver.deleteSome(tx), 'grouped')),
    )
    isTurning = false
    again(hasMore === undefined ? AFTER_ERROR_MS : hasMore || isNudged ? PAUSE_MS : IDLE_MS)
  }

  const archive = async (): Promise<void> => {
    const rows = await archiver.liveRows()
    if (auditMaxRows === 0 || rows <= auditMaxRows) return
    // A tenth more, so that a full audit is not a file for every row.
    const excess = rows - auditMaxRows + Math.floor(auditMaxRows / 10)
    const last = (await archiver.newestRow()) - rows + excess
    await archiver.archive(last, 'daemon', ARCHIVE_MS)
  }

  const look = (): void => void guarded(async () => await freeSpace?.look())
  let periodic: NodeJS.Timeout[] = []
  return {
    start() {
      isRunning = true
      look()
      periodic = [
        setInterval(() => void guarded(archive), ARCHIVE_MS),
        ...(freeSpace ? [setInterval(look, LOOK_MS)] : []),
      ]
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
