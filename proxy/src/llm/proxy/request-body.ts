import { createSharedTotal, createTokenBuckets, fairShare, groupShares } from '../../kernel/index.ts'
import type { LlmRequest } from './client.ts'
import { IdleTimed, type IdleTimeouts } from './idle-timeouts.ts'

/** Idle timeout of a body: it may take as long as it likes, as long as some of it comes. */
export const BODY_IDLE_MS = 60_000
/** Of one body that is read whole, to see which model it names. */
export const MAX_WHOLE_BYTES = 32 * 1_048_576
/**
 * Of the body of an agent that nothing is granted yet: enough for the first request of a coding agent (100 to 200 KB), whose model
 * is then named to the owner.
 */
export const MAX_UNGRANTED_BYTES = 256 * 1_024
/** Of all bodies together that are held, and of one agent's. */
const MAX_HELD_BYTES = 192 * 1_048_576
const MAX_HELD_PER_AGENT = 64 * 1_048_576

/** Of the large bodies of one agent, after one of the longest that are read; a body costs the event loop its reading, memory and sending. */
const LARGE_BODIES = { perSecond: 8 * 1_048_576, burst: MAX_WHOLE_BYTES }

const SHARES = { total: MAX_HELD_BYTES, perOwner: MAX_HELD_PER_AGENT }

/** A share of the memory for bodies, for as long as its request lasts. */
export interface BodyHold extends Disposable {
  /** Books what has come; false when there is no room for it. */
  grow(bytes: number): boolean
  /** For so many milliseconds no more of the agent's large bodies is to be taken. */
  pause(bytes: number): number
}

/** Of one agent, as long as it holds something. */
interface Share {
  bytes: number
  holds: number
}

export interface BodyBudget {
  open(agentId: string): BodyHold
}

/** What came counts, not what was announced: nobody takes memory from others by a promise. */
export function createBodyBudget(shares = SHARES, total = createSharedTotal()): BodyBudget {
  /** Of agents that hold some. */
  const byAgent = new Map<string, Share>()
  const pace = createTokenBuckets(LARGE_BODIES)
  let held = 0

  class Hold implements BodyHold {
    readonly #agentId: string
    /** Of its agent; null before the first byte. */
    #share: Share | null = null
    #mine = 0

    constructor(agentId: string) {
      this.#agentId = agentId
    }

    grow(bytes: number): boolean {
      const share = this.#share ?? byAgent.get(this.#agentId) ?? { bytes: 0, holds: 0 }
      if (share.bytes + bytes > fairShare(groupShares(shares, total, held), held - share.bytes)) return false
      if (this.#share === null) {
        if (share.holds === 0) byAgent.set(this.#agentId, share)
        share.holds += 1
        this.#share = share
      }
      share.bytes += bytes
      held += bytes
      total.taken += bytes
      this.#mine += bytes
      return true
    }

    pause(bytes: number): number {
      return pace.take(this.#agentId, bytes)
    }

    [Symbol.dispose](): void {
      const share = this.#share
      if (share === null) return
      this.#share = null
      share.holds -= 1
      share.bytes -= this.#mine
      if (share.holds === 0) byAgent.delete(this.#agentId)
      held -= this.#mine
      total.taken -= this.#mine
      this.#mine = 0
    }
  }

  return { open: (agentId) => new Hold(agentId) }
}

export class BodyBroken extends Error {}

/** All of it, or the beginning of what is longer than was asked for. */
export interface Part {
  /** In order. */
  readonly parts: readonly Buffer[]
  readonly bytes: number
  readonly whole: boolean
}

/** `no_room`: the memory for bodies is used up; `too_fine`: it comes in so small pieces that each costs more than it holds. */
export type BodyPart = Part | 'no_room' | 'too_fine'

/** Smaller pieces are put together as they come. */
const FINE_BYTES = 4_096
const BLOCK_BYTES = 65_536
/** So many pieces may come, and so many bytes for each further one. */
const FREE_PIECES = 1_024
const BYTES_PER_PIECE = 64

interface Step {
  readonly maxBytes: number
  resolve(part: BodyPart): void
  reject(error: BodyBroken): void
}

const notWhole = (): BodyBroken => new BodyBroken('the body did not come whole')

/** Reads a body step by step; between the steps nothing of it is taken off the connection. */
export class BodyReader extends IdleTimed {
  readonly #request: LlmRequest
  readonly #hold: BodyHold
  readonly #idleTimeouts: IdleTimeouts
  #step: Step | null = null
  #parts: Buffer[] = []
  #bytes = 0
  #pieces = 0
  #block: Buffer | null = null
  #blockBytes = 0
  #state: 'new' | 'coming' | 'ended' | 'broken' = 'new'

  constructor(
    request: LlmRequest,
    options: { readonly hold: BodyHold; readonly idleTimeouts: IdleTimeouts },
  ) {
    super()
    this.#request = request
    this.#hold = options.hold
    this.#idleTimeouts = options.idleTimeouts
  }

  /** All of the body, or more than `maxBytes` of it. Rejects when the client leaves or stalls. */
  upTo(maxBytes: number): Promise<BodyPart> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'broken') return reject(notWhole())
      if (this.#state === 'ended' || this.#bytes > maxBytes) return resolve(this.#part())
      this.#step = { maxBytes, resolve, reject }
      this.isAlive = true
      this.#idleTimeouts.begin(this)
      if (this.#state === 'coming') {
        this.#request.resume()
        return
      }
      this.#state = 'coming'
      this.#request.on('data', (chunk: Buffer) => this.#take(chunk))
      this.#request.on('end', () => this.#over('ended'))
      this.#request.on('close', () => this.#over('broken'))
    })
  }

  onIdle(): void {
    this.#request.destroy()
  }

  #take(chunk: Buffer): void {
    // What came whole or is too much goes another way from here on, and these listeners stay.
    if (this.#step === null) return
    this.isAlive = true
    this.#pieces += 1
    if (!this.#hold.grow(chunk.length)) {
      this.#tell('no_room')
      return
    }
    this.#bytes += chunk.length
    if (this.#pieces > FREE_PIECES + this.#bytes / BYTES_PER_PIECE) {
      this.#tell('too_fine')
      return
    }
    this.#keep(chunk)
    if (this.#bytes <= this.#step.maxBytes) {
      this.#slowDown(chunk.length)
      return
    }
    this.#request.pause()
    this.#tell(this.#part())
  }

  /** Large bodies wait where they are for the pace of their agent. */
  #slowDown(bytes: number): void {
    const ms = this.#bytes > MAX_UNGRANTED_BYTES ? this.#hold.pause(bytes) : 0
    if (ms === 0) return
    this.#request.pause()
    setTimeout(() => {
      this.isAlive = true
      if (this.#step !== null) this.#request.resume()
    }, ms)
  }

  #keep(chunk: Buffer): void {
    if (chunk.length >= FINE_BYTES || this.#parts.length === 0) {
      this.#closeBlock()
      this.#parts.push(chunk)
      return
    }
    if (this.#blockBytes + chunk.length > BLOCK_BYTES) this.#closeBlock()
    this.#block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES)
    chunk.copy(this.#block, this.#blockBytes)
    this.#blockBytes += chunk.length
  }

  #closeBlock(): void {
    if (this.#block !== null) this.#parts.push(this.#block.subarray(0, this.#blockBytes))
    this.#block = null
    this.#blockBytes = 0
  }

  #over(state: 'ended' | 'broken'): void {
    if (this.#state !== 'coming') return
    this.#state = state
    this.#tell(state === 'ended' ? this.#part() : null)
  }

  #part(): Part {
    this.#closeBlock()
    return { parts: this.#parts, bytes: this.#bytes, whole: this.#state === 'ended' }
  }

  #tell(part: BodyPart | null): void {
    const step = this.#step
    if (step === null) return
    this.#step = null
    this.#idleTimeouts.end(this)
    if (part === null) step.reject(notWhole())
    else step.resolve(part)
  }
}
