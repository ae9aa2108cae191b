import { close, fdatasync, openSync } from 'node:fs'

/**
 * Brings the write-ahead log to the disk off the event loop. Commits that come while the disk is at work share the next
 * turn (group commit). SQLite itself waits for the disk on the event loop, at each commit, under `synchronous=FULL`; under
 * NORMAL it leaves that to the next checkpoint, and a power cut before it takes the newest commits, whole, in order
 * (https://sqlite.org/pragma.html#pragma_synchronous). No lock of SQLite's is on this file, so another descriptor is harmless.
 */
export interface LogSync extends Disposable {
  /** Whether there is such a file; without it a commit has to wait by itself. */
  readonly isUsable: boolean
  /** Something was committed that is not on the disk. `onDisk` is called when it is. */
  committed(onDisk: () => void): void
  /** Whether all that was told of is on the disk. */
  readonly isCaughtUp: boolean
  /** Resolves when all that was committed so far is on the disk; rejects when the disk does not take it. */
  flushed(): Promise<void>
}

const RETRY_MS = 1_000

interface Waiting {
  readonly number: number
  onDisk(): void
  failed(error: unknown): void
}

const ignore = (): void => {}

export function createLogSync(
  databasePath: string,
  onDefect: (error: unknown) => void,
  toDisk: typeof fdatasync = fdatasync,
): LogSync {
  let file: number | undefined
  /** Of commits: the newest, and the newest that is on the disk. */
  let newest = 0
  let synced = 0
  let waiting: Waiting[] = []
  let isUnderWay = false
  let isOver = false

  const open = (): number | undefined => {
    try {
      return openSync(`${databasePath}-wal`, 'r+')
    } catch {
      return undefined
    }
  }

  const release = (upTo: number): void => {
    synced = Math.max(synced, upTo)
    const done = waiting.filter(({ number }) => number <= synced)
    waiting = waiting.filter(({ number }) => number > synced)
    for (const { onDisk } of done) onDisk()
  }

  const turn = (): void => {
    const upTo = newest
    if (upTo <= synced || file === undefined) {
      ended()
      return
    }
    toDisk(file, (error) => {
      if (error === null) {
        release(upTo)
        turn()
        return
      }
      onDefect(error)
      for (const { failed } of waiting) failed(error)
      setTimeout(turn, RETRY_MS).unref()
    })
  }

  const ended = (): void => {
    isUnderWay = false
    if (!isOver || file === undefined) return
    close(file, ignore)
    file = undefined
  }

  const begin = (): void => {
    if (isUnderWay) return
    isUnderWay = true
    // What this turn of the event loop commits still goes with it.
    setImmediate(turn)
  }

  return {
    get isUsable() {
      if (isOver) return false
      file ??= open()
      return file !== undefined
    },
    committed(onDisk) {
      newest += 1
      waiting.push({ number: newest, onDisk, failed: ignore })
      begin()
    },
    get isCaughtUp() {
      return synced >= newest
    },
    flushed() {
      if (synced >= newest) return Promise.resolve()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      waiting.push({ number: newest, onDisk: resolve, failed: reject })
      begin()
      return promise
    },
    [Symbol.dispose]() {
      isOver = true
      if (!isUnderWay) ended()
    },
  }
}
