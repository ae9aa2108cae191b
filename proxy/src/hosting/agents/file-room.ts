import { AppError, createFairSlots, fairShare } from '../../kernel/index.ts'

/** What files on their way to and from machines take of the daemon: shared by all tenants, so that none fills it. */
export interface FileRoom {
  /** Memory for one file, until disposed of. Throws `rate_limited`. */
  hold(owner: string, bytes: number): Disposable
  /** A turn at the engine, until disposed of. Throws `rate_limited`, and the signal's reason. */
  turn(owner: string, signal: AbortSignal): Promise<Disposable>
}

const MIB = 1_048_576
/** Two files of the largest of one tenant. */
const BYTES = { total: 128 * MIB, perOwner: 50 * MIB }
const TURNS = { total: 4, perOwner: 2, waiting: { perOwner: 8, total: 64 } }
const tooMany = (): AppError =>
  new AppError('rate_limited', 'Too many files are on their way now; try it again in a moment.', {
    retryAfterSeconds: 5,
  })

export function createFileRoom(bytes = BYTES, turns = TURNS): FileRoom {
  const slots = createFairSlots(turns)
  const held = new Map<string, number>()
  let total = 0

  return {
    hold(owner, size) {
      const own = (held.get(owner) ?? 0) + size
      if (own > fairShare(bytes, total + size - own)) throw tooMany()
      held.set(owner, own)
      total += size
      let isFree = false
      return {
        [Symbol.dispose]() {
          if (isFree) return
          isFree = true
          total -= size
          const left = (held.get(owner) ?? size) - size
          if (left > 0) held.set(owner, left)
          else held.delete(owner)
        },
      }
    },
    async turn(owner, signal) {
      const turn = await slots.take(owner, signal)
      if (turn === undefined) throw tooMany()
      return turn
    },
  }
}
