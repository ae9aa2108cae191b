import { randomFillSync } from 'node:crypto'
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import type { ReadFreeBytes, Reserve } from '../../retention/index.ts'

/** Free bytes for this user on the file system of the folder. */
export const readFreeBytesOf =
  (folder: string): ReadFreeBytes =>
  () => {
    try {
      const { bavail, bsize } = statfsSync(folder)
      return bavail * bsize
    } catch {
      return undefined
    }
  }

const RESERVE_BYTES = 8 * 1_048_576

/** A file of blocks that are really taken: random bytes, since a file system may not store zeros. */
export function createReserve(path: string): Reserve {
  let isHeld = statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES
  const release = (): void => {
    if (!isHeld) return
    rmSync(path, { force: true })
    isHeld = false
  }
  return {
    bytes: RESERVE_BYTES,
    get isHeld() {
      return isHeld
    },
    hold() {
      try {
        const file = openSync(path, 'w', 0o600)
        try {
          const bytes = randomFillSync(Buffer.allocUnsafe(1_048_576))
          for (let written = 0; written < RESERVE_BYTES; written += bytes.length) writeSync(file, bytes)
        } finally {
          closeSync(file)
        }
        isHeld = statSync(path).size === RESERVE_BYTES
      } catch {
        rmSync(path, { force: true })
        isHeld = false
      }
      return isHeld
    },
    release,
  }
}
