import { DAEMON_OWNER } from '../../kernel/index.ts'
import type { Background } from './background.ts'

/** As SQLite's own `wal_autocheckpoint`: 4 MiB. */
const CHECKPOINT_PAGES = 1_000
const PAGE_BYTES = 4_096
const LOOK_MS = 250
/** One that is ended before it is through starts over: a slow disk has its time. */
const TIME_LIMIT_MS = 60_000

/**
 * WAL checkpoints: copies the write-ahead log into the database in a process; on the event loop each copy would wait for the disk twice.
 * Writers and readers go on meanwhile (https://sqlite.org/wal.html#ckpt). Where that fails, the connection's own
 * checkpoint comes later.
 */
export function startCheckpoints(
  /** The write-ahead log of the file at `path`; `pagesInLog` is 0 where nothing was written since it was asked. */
  log: { readonly path: string; pagesInLog(): number; makeLogRoom(bytes: number): Promise<void> },
  { database }: Pick<Background, 'database'>,
  onDefect: (error: unknown) => void,
): Disposable {
  let isUnderWay = false
  let isOver = false
  let hasRoom = false

  /** Once; without it commits are only slower until the first checkpoint. */
  const makeRoom = (): void => {
    if (hasRoom) return
    hasRoom = true
    log.makeLogRoom(CHECKPOINT_PAGES * PAGE_BYTES).catch(() => {})
  }

  const look = (): void => {
    if (isUnderWay || log.pagesInLog() < CHECKPOINT_PAGES) return
    isUnderWay = true
    database
      .run(DAEMON_OWNER, 'checkpoint', { path: log.path }, { timeLimitMs: TIME_LIMIT_MS })
      .catch((error: unknown) => {
        if (!isOver) onDefect(error)
      })
      .finally(() => {
        isUnderWay = false
      })
  }

  const timer = setInterval(() => {
    try {
      makeRoom()
      look()
    } catch (error) {
      onDefect(error)
    }
  }, LOOK_MS).unref()
  return {
    [Symbol.dispose]() {
      isOver = true
      clearInterval(timer)
    },
  }
}
