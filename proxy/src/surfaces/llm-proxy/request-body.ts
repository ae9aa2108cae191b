import type { IncomingMessage } from 'node:http'
import { fairShare } from '../../kernel/index.ts'
import { Heard, type Stalls } from './stalls.ts'

/** A body may take as long as it likes, as long as some of it comes. */
export const STALL_MS = 60_000
/** Of one body that is read whole, to see which model it names. */
export const MAX_WHOLE_BYTES = 32 * 1_048_576
/** Of all bodies together that are held, and of one agent's. */
const MAX_HELD_BYTES = 192 * 1_048_576
const MAX_HELD_PER_AGENT = 64 * 1_048_576

const SHARES = { total: MAX_HELD_BYTES, perOwner: MAX_HELD_PER_AGENT }

/** A share of the memory for bodies, for as long as its request lasts. */
export interface BodyHold extends Disposable {
  /** Books what has come; false when there is no room for it. */
  grow(bytes: number): boolean
}

/** What came counts, not what was announced: nobody takes memory from others by a promise. */
export function createBodyBudget(): { open(agentId: string): BodyHold } {
  const byAgent = new Map<string, number>()
  let held = 0

  class Hold implements BodyHold {
    readonly #agentId: string
    #mine = 0

    constructor(agentId: string) {
      this.#agentId = agentId
    }

    grow(bytes: number): boolean {
      const before = byAgent.get(this.#agentId) ?? 0
      const ofAgent = before + bytes
      if (ofAgent > fairShare(SHARES, held - before)) return false
      byAgent.set(this.#agentId, ofAgent)
      held += bytes
      this.#mine += bytes
      return true
    }

    [Symbol.dispose](): void {
      const left = (byAgent.get(this.#agentId) ?? 0) - this.#mine
      if (left > 0) byAgent.set(this.#agentId, left)
      else byAgent.delete(this.#agentId)
      held -= this.#mine
      this.#mine = 0
    }
  }

  return { open: (agentId) => new Hold(agentId) }
}

export class BodyBroken extends Error {}

/** What came: all of it, the beginning of what is more than may be held, or `no_room` when the memory for bodies is used up. */
export type Came = { readonly bytes: Buffer; readonly whole: boolean } | 'no_room'

/** Rejects when the client leaves or stalls. */
export function readUpTo(
  request: IncomingMessage,
  maxBytes: number,
  { hold, stalls }: { readonly hold: BodyHold; readonly stalls: Stalls },
): Promise<Came> {
  return new Promise((resolve, reject) => {
    const reading = new Reading(request, maxBytes, hold, (came) => {
      stalls.end(reading)
      if (came === null) reject(new BodyBroken('the body did not come whole'))
      else resolve(came)
    })
    request.on('data', (chunk: Buffer) => reading.take(chunk))
    request.on('end', () => reading.settle(true))
    request.on('close', () => reading.broken())
    stalls.begin(reading)
  })
}

/** Its listeners stay when it is settled, and do nothing more. */
class Reading extends Heard {
  readonly #request: IncomingMessage
  readonly #maxBytes: number
  readonly #hold: BodyHold
  #told: ((came: Came | null) => void) | null
  #parts: Buffer[] = []
  #length = 0

  constructor(request: IncomingMessage, maxBytes: number, hold: BodyHold, told: (came: Came | null) => void) {
    super()
    this.#request = request
    this.#maxBytes = maxBytes
    this.#hold = hold
    this.#told = told
  }

  take(chunk: Buffer): void {
    if (this.#told === null) return
    this.isAlive = true
    if (!this.#hold.grow(chunk.length)) {
      this.#tell('no_room')
      return
    }
    this.#parts.push(chunk)
    this.#length += chunk.length
    if (this.#length <= this.#maxBytes) return
    this.#request.pause()
    this.settle(false)
  }

  settle(whole: boolean): void {
    const parts = this.#parts
    const bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    this.#tell({ bytes, whole })
  }

  broken(): void {
    this.#tell(null)
  }

  silent(): void {
    this.#request.destroy()
  }

  #tell(came: Came | null): void {
    const told = this.#told
    this.#told = null
    this.#parts = []
    told?.(came)
  }
}
