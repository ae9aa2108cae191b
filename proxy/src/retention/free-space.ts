import type { AuditLog } from '../audit/index.ts'
import { AppError, type EventPublisher, type Storage } from '../kernel/index.ts'

/** What a disk still takes; undefined where it cannot be told. */
export type ReadFreeBytes = () => number | undefined

/**
 * Before the disk is full, nothing new is taken, so that what was taken can be decided, end and be told of. A file of
 * some megabytes is held in reserve for that, and given up when others fill the disk.
 */
export interface FreeSpace {
  /** Throws `storage_unavailable` while the disk is low. */
  assertRoom(): void
  readonly isLow: boolean
  /** Free bytes at the last look. */
  readonly freeBytes: number | undefined
  /** Looks at the disk. */
  look(): Promise<void>
  /** The disk refused a write: the reserve is given up, and the disk counts as low until a look says otherwise. */
  refusedWrite(): Promise<void>
}

export interface Reserve {
  readonly bytes: number
  readonly isHeld: boolean
  /** Takes the room; false when the disk does not give it. */
  hold(): boolean
  release(): void
}

/** Below this the reserve is given up, before the first write fails. */
const CRITICAL_BYTES = 4 * 1_048_576
/** How far free space must come back before it counts as enough: the two states do not alternate. */
const RECOVERED = 1.1
const RETRY_AFTER_SECONDS = 60

/** Told once for each change, in the unit that writes it to the audit. */
export interface DiskEvent {
  readonly type: 'storage.low' | 'storage.recovered'
  /** At the last look; undefined where it cannot be told. */
  readonly freeBytes: number | undefined
}

export function createFreeSpace(deps: {
  readonly read: ReadFreeBytes
  readonly reserve: Reserve
  /** 0: never low, until the disk refuses a write. */
  readonly minFreeBytes: number
  readonly audit: Pick<AuditLog, 'append'>
  readonly storage: Storage
  readonly events: EventPublisher<DiskEvent>
  /** A change could not be told yet. */
  readonly onDefect: (error: unknown) => void
}): FreeSpace {
  const { read, reserve, minFreeBytes, audit, storage, events } = deps
  let freeBytes: number | undefined
  let isLow = false
  let toldLow = false
  let isTelling = false
  let wasRefused = false

  /** What is told is written, which a full disk may refuse: that calls back here, and it is tried again at every look. */
  const tell = async (): Promise<void> => {
    if (isTelling || toldLow === isLow) return
    isTelling = true
    // It may change while it is told: what is told then is told at the next look.
    const low = isLow
    try {
      const type = low ? 'storage.low' : 'storage.recovered'
      await storage.transaction(async (tx) => {
        await audit.append(tx, type, 'daemon', null, { free_bytes: freeBytes ?? null })
        await events.publish(tx, { type, freeBytes })
      })
      toldLow = low
    } catch (error) {
      deps.onDefect(error)
    } finally {
      isTelling = false
    }
  }

  const look = async (): Promise<void> => {
    freeBytes = read()
    if (freeBytes === undefined) return
    if (freeBytes < CRITICAL_BYTES) reserve.release()
    const enough = isLow || wasRefused ? Math.max(minFreeBytes * RECOVERED, 2 * CRITICAL_BYTES) : minFreeBytes
    const low = freeBytes < enough
    if (!low && !reserve.isHeld && freeBytes - reserve.bytes >= enough) reserve.hold()
    wasRefused &&= low
    isLow = low
    await tell()
  }

  return {
    assertRoom() {
      if (!isLow) return
      throw new AppError(
        'storage_unavailable',
        'The disk of the daemon is nearly full, so no new requests are taken; what was asked before can still be decided.',
        { retryAfterSeconds: RETRY_AFTER_SECONDS },
      )
    },
    get isLow() {
      return isLow
    },
    get freeBytes() {
      return freeBytes
    },
    look,
    async refusedWrite() {
      reserve.release()
      wasRefused = true
      isLow = true
      await tell()
    },
  }
}
