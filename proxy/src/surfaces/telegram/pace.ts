import { setTimeout as sleep } from 'node:timers/promises'

/** How fast one chat may be written to. */
export interface PaceLimits {
  readonly burst: number
  readonly perSecond: number
}

/**
 * Telegram's limits: about one message a second to a chat, 20 a minute to a group. The burst comes out of the
 * minute's share, so a quiet group may get three at once and still stays under 20.
 */
export const paceOf = (chatId: string): PaceLimits =>
  chatId.startsWith('-') ? { burst: 3, perSecond: 17 / 60 } : { burst: 3, perSecond: 1 }

/** A token bucket. Runs on monotonic time, so setting the wall clock neither stalls nor opens it. */
export interface Pace {
  /** Takes a place; resolves when it is there. Rejects when the signal aborts first. */
  take(signal: AbortSignal): Promise<void>
  /** Takes a place if there is one now. */
  tryTake(): boolean
  /** Whether nobody has used any place lately. */
  hasSpare(): boolean
  /** Takes a place only while nobody has used any lately: the rest of the burst stays for what matters. */
  tryTakeSpare(): boolean
}

export function createPace(limits: PaceLimits, monotonicMs: () => number = () => performance.now()): Pace {
  let tokens = limits.burst
  let at = monotonicMs()
  const refill = (): void => {
    const now = monotonicMs()
    tokens = Math.min(limits.burst, tokens + ((now - at) / 1_000) * limits.perSecond)
    at = now
  }
  const takeOf = (needed: number): boolean => {
    refill()
    if (tokens < needed) return false
    tokens -= 1
    return true
  }
  const tryTake = (): boolean => takeOf(1)
  return {
    tryTake,
    hasSpare() {
      refill()
      return tokens >= limits.burst
    },
    tryTakeSpare: () => takeOf(limits.burst),
    async take(signal) {
      signal.throwIfAborted()
      while (!tryTake()) {
        await sleep(Math.max(1, Math.ceil(((1 - tokens) / limits.perSecond) * 1_000)), undefined, { signal })
      }
    },
  }
}
