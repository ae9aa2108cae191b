/** How fast one chat may be written to. */
export interface PaceLimits {
  readonly burst: number
  readonly perSecond: number
}

/**
 * Telegram's limits: about one message a second to a chat with short bursts beyond it, 20 a minute to a group
 * (core.telegram.org/bots/faq). The burst comes out of the minute's share, so a quiet group may get four at once and
 * still stays at 20.
 */
export const paceOf = (chatId: string): PaceLimits =>
  chatId.startsWith('-') ? { burst: 4, perSecond: 16 / 60 } : { burst: 4, perSecond: 1 }

/**
 * How much of the burst a message may use: `reserve` all of it; `usual` all but one place, which stays for those who have
 * waited for nothing else; `spare` what nobody has used lately.
 */
export type Claim = 'reserve' | 'usual' | 'spare'

/** A token bucket. Runs on monotonic time, so setting the wall clock neither stalls nor opens it. */
export interface Pace {
  /** Takes a place if there is one now. */
  tryTake(claim?: Claim): boolean
  /** Milliseconds until there is one; 0 when there is. */
  waitMs(claim: Claim): number
}

/** A burst of less than three leaves nothing to reserve. */
const LEAST_BURST = 3

export function createPace(limits: PaceLimits, monotonicMs: () => number = () => performance.now()): Pace {
  const { burst, perSecond } = limits
  const needed = { reserve: 1, usual: burst >= LEAST_BURST ? 2 : 1, spare: burst }
  let tokens = burst
  let at = monotonicMs()
  const lacking = (claim: Claim): number => {
    const now = monotonicMs()
    tokens = Math.min(burst, tokens + ((now - at) / 1_000) * perSecond)
    at = now
    return needed[claim] - tokens
  }
  return {
    tryTake(claim = 'reserve') {
      if (lacking(claim) > 0) return false
      tokens -= 1
      return true
    },
    waitMs: (claim) => Math.max(0, Math.ceil((lacking(claim) / perSecond) * 1_000)),
  }
}
