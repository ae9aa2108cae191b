import type { IncomingMessage } from 'node:http'
import type { Stalls } from './stalls.ts'

/** A body may take as long as it likes, as long as some of it comes. */
export const STALL_MS = 60_000
/** Of one body that is read whole, to see which model it names. */
export const MAX_WHOLE_BYTES = 32 * 1_048_576
/** Of all bodies together that are held, and of one agent's. */
const MAX_HELD_BYTES = 192 * 1_048_576
const MAX_HELD_PER_AGENT = 64 * 1_048_576

/** A share of the memory for bodies, for as long as its request lasts. */
export interface BodyHold extends Disposable {
  /** Books what has come; false when there is no room for it. */
  grow(bytes: number): boolean
}

/** What came counts, not what was announced: nobody takes memory from others by a promise. */
export function createBodyBudget(): { open(agentId: string): BodyHold } {
  const byAgent = new Map<string, number>()
  let held = 0
  return {
    open(agentId) {
      let mine = 0
      return {
        grow(bytes) {
          const ofAgent = (byAgent.get(agentId) ?? 0) + bytes
          if (held + bytes > MAX_HELD_BYTES || ofAgent > MAX_HELD_PER_AGENT) return false
          byAgent.set(agentId, ofAgent)
          held += bytes
          mine += bytes
          return true
        },
        [Symbol.dispose]() {
          const left = (byAgent.get(agentId) ?? 0) - mine
          if (left > 0) byAgent.set(agentId, left)
          else byAgent.delete(agentId)
          held -= mine
          mine = 0
        },
      }
    },
  }
}

export class BodyBroken extends Error {}

/**
 * What came: all of it, the beginning of what is more than `maxBytes`, or `no_room` when the memory for bodies is used up.
 * Rejects when the client leaves or stalls.
 */
export function readUpTo(
  request: IncomingMessage,
  maxBytes: number,
  { hold, stalls }: { readonly hold: BodyHold; readonly stalls: Stalls },
): Promise<{ readonly bytes: Buffer; readonly whole: boolean } | 'no_room'> {
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
      stalls.came(request)
      if (!hold.grow(chunk.length)) {
        settle(() => resolve('no_room'))
        return
      }
      parts.push(chunk)
      length += chunk.length
      if (length <= maxBytes) return
      request.pause()
      settle(() => resolve({ bytes: all(), whole: false }))
    }
    request.on('data', take).once('end', end).once('close', broken).once('error', broken)
    stalls.begin(request)
  })
}
