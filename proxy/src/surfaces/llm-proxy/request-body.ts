import type { IncomingMessage } from 'node:http'
import type { Stalls } from './stalls.ts'

/** A body may take as long as it likes, as long as some of it comes. */
export const STALL_MS = 60_000
/** Of one body that is read whole, to see which model it names. */
export const MAX_WHOLE_BYTES = 32 * 1_048_576
/** Of all bodies together that are held whole; what is beyond passes as a stream. */
const MAX_HELD_BYTES = 192 * 1_048_576

/** A share of the memory for bodies, for as long as its request lasts. */
export interface BodyHold extends Disposable {
  shrinkTo(bytes: number): void
}

export function createBodyBudget(): { take(bytes: number): BodyHold | null } {
  let held = 0
  return {
    take(bytes) {
      if (held + bytes > MAX_HELD_BYTES) return null
      let mine = bytes
      held += mine
      return {
        shrinkTo(less) {
          held -= Math.max(0, mine - less)
          mine = Math.min(mine, less)
        },
        [Symbol.dispose]() {
          held -= mine
          mine = 0
        },
      }
    },
  }
}

export class BodyBroken extends Error {}

/** What came: all of it, or the beginning of what is more than `maxBytes`. Rejects when the client leaves or stalls. */
export function readUpTo(
  request: IncomingMessage,
  maxBytes: number,
  stalls: Stalls,
): Promise<{ readonly bytes: Buffer; readonly whole: boolean }> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let length = 0
    const settle = (work: () => void): void => {
      stalls.end(request)
      request.off('data', take).off('end', end).off('close', broken).off('error', broken)
      work()
    }
    const all = (): Buffer => (parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts))
    const end = (): void => settle(() => resolve({ bytes: all(), whole: true }))
    const broken = (): void => settle(() => reject(new BodyBroken('the body did not come whole')))
    const take = (chunk: Buffer): void => {
      parts.push(chunk)
      length += chunk.length
      stalls.came(request)
      if (length <= maxBytes) return
      request.pause()
      settle(() => resolve({ bytes: all(), whole: false }))
    }
    request.on('data', take).once('end', end).once('close', broken).once('error', broken)
    stalls.begin(request)
  })
}
