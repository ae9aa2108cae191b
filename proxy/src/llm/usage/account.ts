import { createMinuteWindow, type MinuteWindow } from './minute-window.ts'
import type { Estimate, Limited, LimitName, SpendingLimits } from './ports.ts'
import { added } from './usage-buffer.ts'

/** What one agent has used of one provider in this minute and on this UTC day, and what is under way. */
export interface Account {
  /** Null when there is room. Says nothing by itself: whoever goes on calls `take`. */
  evaluate(limits: SpendingLimits, estimate: Estimate, now: Moment): Limited | null
  /** Counts a request as under way. */
  take(estimate: Estimate, limits: SpendingLimits, nowMs: number): void
  /** The request is over. */
  giveBack(estimate: Estimate): void
  /** It never left: its place in the minute is free again. */
  forget(takenAtMs: number, nowMs: number): void
  spend(tokens: number, microUsd: number): void
  /** What neither was used nor is held for what is under way; infinite where there is no limit, below 0 when it was passed. */
  room(limits: SpendingLimits): Estimate
  /** Resolves when something that was under way gives its room back. */
  freed(): Promise<void>
  startDay(): void
}

interface Moment {
  readonly ms: number
  readonly dayEndMs: number
}

/** When what is under way takes all the room that is left: it will soon be over. */
const UNDER_WAY_RETRY_SECONDS = 2

export function createAccount(): Account {
  /** Made with the first limit on requests. */
  let minute: MinuteWindow | null = null
  let minuteToldUntilMs = Number.NEGATIVE_INFINITY
  const spent = { tokens: 0, microUsd: 0 }
  const reserved = { tokens: 0, microUsd: 0 }
  const toldToday = { tokens: false, microUsd: false }
  /** Of those who wait for room. */
  let freed: PromiseWithResolvers<void> | null = null

  function checkDay(
    limit: LimitName,
    of: 'tokens' | 'microUsd',
    most: number | null,
    estimate: Estimate,
    now: Moment,
  ): Limited | null {
    if (most === null) return null
    const tomorrow = Math.max(1, Math.ceil((now.dayEndMs - now.ms) / 1_000))
    const told = { limit, needed: estimate[of], left: Math.max(0, most - spent[of] - reserved[of]), most }
    if (spent[of] >= most) {
      const first = !toldToday[of]
      toldToday[of] = true
      return { ...told, why: 'used_up', retryAfterSeconds: tomorrow, first }
    }
    if (estimate[of] <= most - spent[of] - reserved[of]) return null
    // What is under way was reserved at its maximum: it gives the rest back when it is over.
    return estimate[of] <= most - spent[of]
      ? { ...told, why: 'under_way', retryAfterSeconds: UNDER_WAY_RETRY_SECONDS, first: false }
      : { ...told, why: 'too_large', retryAfterSeconds: tomorrow, first: false }
  }

  return {
    evaluate({ requestsPerMinute, tokensPerDay, microUsdPerDay }, estimate, now) {
      if (requestsPerMinute !== null && (minute?.count(now.ms) ?? 0) >= requestsPerMinute) {
        const first = now.ms >= minuteToldUntilMs
        if (first) minuteToldUntilMs = now.ms + 60_000
        const seconds = minute?.secondsUntilBelow(requestsPerMinute, now.ms) ?? 60
        const most = requestsPerMinute
        return {
          ...({ limit: 'requests_per_minute', why: 'used_up', needed: 1, left: 0, most } as const),
          ...{ retryAfterSeconds: seconds, first },
        }
      }
      return (
        checkDay('tokens_per_day', 'tokens', tokensPerDay, estimate, now) ??
        checkDay('usd_per_day', 'microUsd', microUsdPerDay, estimate, now)
      )
    },
    take(estimate, { requestsPerMinute }, nowMs) {
      if (requestsPerMinute !== null) minute ??= createMinuteWindow()
      minute?.add(nowMs)
      reserved.tokens += estimate.tokens
      reserved.microUsd += estimate.microUsd
    },
    giveBack(estimate) {
      reserved.tokens -= estimate.tokens
      reserved.microUsd -= estimate.microUsd
      freed?.resolve()
      freed = null
    },
    forget: (takenAtMs, nowMs) => minute?.remove(takenAtMs, nowMs),
    spend(tokens, microUsd) {
      spent.tokens = added(spent.tokens, tokens)
      spent.microUsd = added(spent.microUsd, microUsd)
    },
    room: ({ tokensPerDay, microUsdPerDay }) => ({
      tokens:
        tokensPerDay === null ? Number.POSITIVE_INFINITY : tokensPerDay - spent.tokens - reserved.tokens,
      microUsd:
        microUsdPerDay === null
          ? Number.POSITIVE_INFINITY
          : microUsdPerDay - spent.microUsd - reserved.microUsd,
    }),
    freed() {
      freed ??= Promise.withResolvers()
      return freed.promise
    },
    startDay() {
      spent.tokens = spent.microUsd = 0
      toldToday.tokens = toldToday.microUsd = false
    },
  }
}
