import type { Database } from 'better-sqlite3'
import { DAEMON_OWNER } from '../../kernel/index.ts'
import type { Background } from './background.ts'

/** As SQLite's own `wal_autocheckpoint`: 4 MiB. */
const CHECKPOINT_PAGES = 1_000
const LOOK_MS = 250

/**
 * Copies the write-ahead log into the database in a thread: on the event loop each copy would wait for the disk twice.
 * Writers and readers go on meanwhile (https://sqlite.org/wal.html#ckpt). Where the thread fails, the connection's own
 * checkpoint comes later.
 */
export function startCheckpoints(
  db: Database,
  { quick }: Pick<Background, 'quick'>,
  onDefect: (error: unknown) => void,
): Disposable {
  let isUnderWay = false
  let isOver = false
  let changes = 0
  const seen = db.prepare<[], number>('SELECT total_changes()').pluck()

  const look = (): void => {
    const now = seen.get() ?? 0
    if (isUnderWay || now === changes) return
    changes = now
    const [log] = db.pragma('wal_checkpoint(NOOP)') as { log: number; checkpointed: number }[]
    if (log === undefined || log.log - log.checkpointed < CHECKPOINT_PAGES) return
    isUnderWay = true
    quick
      .run(DAEMON_OWNER, 'checkpoint', { path: db.name })
      .catch((error: unknown) => {
        if (!isOver) onDefect(error)
      })
      .finally(() => {
        isUnderWay = false
      })
  }

  const timer = setInterval(() => {
    try {
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
