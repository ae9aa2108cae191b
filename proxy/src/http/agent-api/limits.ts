// The package's index loads a limiter for each of fifteen databases, which takes a twentieth of the start.
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js'
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js'
import { AppError } from '../../kernel/index.ts'
import type { LimitName, Metrics } from './metrics.ts'

/** Rate limits: how often and how long an agent, or a stranger at one address, may use the API. */
export interface Limits {
  /** Throws rate_limited with the seconds to wait. */
  take(limit: Exclude<LimitName, 'wait'>, key: string): Promise<void>
  /** A held answer or event stream; at most so many at once for an agent. */
  hold(agentId: string): Disposable
}

const MAX_HELD_PER_AGENT = 64
const FAILED_AUTHENTICATIONS_PER_MINUTE = 30
/** Of one network, whichever account they are for. */
const SIGN_INS_PER_MINUTE = 10
const SIGN_UPS_PER_HOUR = 5
/** Guesses at one account's password, from wherever they come: its passkeys and keys sign in meanwhile. */
const GUESSES_PER_QUARTER_HOUR = 30
/** Reading is cheap and polled. */
const READS_PER_REQUEST = 10

export function createLimits(deps: { readonly ratePerMinute: number; readonly metrics: Metrics }): Limits {
  const { ratePerMinute, metrics } = deps
  const perMinute = (points: number): RateLimiterMemory => new RateLimiterMemory({ points, duration: 60 })
  const limiters = {
    execute: perMinute(ratePerMinute),
    read: perMinute(ratePerMinute * READS_PER_REQUEST),
    authentication: perMinute(FAILED_AUTHENTICATIONS_PER_MINUTE),
    sign_in: perMinute(SIGN_INS_PER_MINUTE),
    sign_up: new RateLimiterMemory({ points: SIGN_UPS_PER_HOUR, duration: 3_600 }),
    account: new RateLimiterMemory({ points: GUESSES_PER_QUARTER_HOUR, duration: 900 }),
  }
  const held = new Map<string, number>()

  return {
    async take(limit, key) {
      try {
        await limiters[limit].consume(key)
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error
        metrics.limited(limit)
        throw new AppError('rate_limited', 'Too many requests; see Retry-After.', {
          retryAfterSeconds: Math.max(1, Math.ceil(error.msBeforeNext / 1_000)),
        })
      }
    },

    hold(agentId) {
      const now = held.get(agentId) ?? 0
      if (now >= MAX_HELD_PER_AGENT) {
        metrics.limited('wait')
        throw new AppError('rate_limited', `At most ${MAX_HELD_PER_AGENT} calls of yours may wait at once.`, {
          retryAfterSeconds: 5,
        })
      }
      held.set(agentId, now + 1)
      let released = false
      return {
        [Symbol.dispose]() {
          if (released) return
          released = true
          const left = (held.get(agentId) ?? 1) - 1
          if (left <= 0) held.delete(agentId)
          else held.set(agentId, left)
        },
      }
    },
  }
}
