import { AppError, formatExactUsd } from '../../kernel/index.ts'
import type { SpendingLimits } from '../usage/index.ts'

export interface GrantLimits extends SpendingLimits {
  /** For as long as the grant stands: behind the last of them it ends. */
  readonly requests: number | null
}

export const NO_LIMITS: GrantLimits = {
  requestsPerMinute: null,
  tokensPerDay: null,
  microUsdPerDay: null,
  requests: null,
}

/** Limits that a card offers; others are set with `oauth3 grant limit`. */
export const LIMIT_PRESETS = {
  usd1: { microUsdPerDay: 1_000_000 },
  tokens200k: { tokensPerDay: 200_000 },
  requests100: { requests: 100 },
} as const satisfies Record<string, Partial<GrantLimits>>

export type LimitPreset = keyof typeof LIMIT_PRESETS

/** Limits by their names on the wire. */
interface SomeLimits {
  readonly requests_per_minute?: number | null | undefined
  readonly tokens_per_day?: number | null | undefined
  readonly micro_usd_per_day?: number | null | undefined
  readonly requests?: number | null | undefined
}

/** Only what was named: an absent limit is not the same as one that is taken away. */
export function limitsFrom(limits: SomeLimits): Partial<GrantLimits> {
  const { requests_per_minute, tokens_per_day, micro_usd_per_day, requests } = limits
  return {
    ...(requests_per_minute === undefined ? {} : { requestsPerMinute: requests_per_minute }),
    ...(tokens_per_day === undefined ? {} : { tokensPerDay: tokens_per_day }),
    ...(micro_usd_per_day === undefined ? {} : { microUsdPerDay: micro_usd_per_day }),
    ...(requests === undefined ? {} : { requests }),
  }
}

/** The limits with the change made; what the change leaves out stays. Throws invalid_request. */
export function withLimits(limits: GrantLimits, change: Partial<GrantLimits>): GrantLimits {
  const of = (name: keyof GrantLimits): number | null => {
    const value = change[name] === undefined ? limits[name] : change[name]
    if (value !== null && (!Number.isSafeInteger(value) || value < 1)) {
      throw new AppError('invalid_request', 'A limit is a whole number of 1 or more.')
    }
    return value
  }
  return {
    requestsPerMinute: of('requestsPerMinute'),
    tokensPerDay: of('tokensPerDay'),
    microUsdPerDay: of('microUsdPerDay'),
    requests: of('requests'),
  }
}

/** The lower of each. A number of requests is of one grant alone, and no part of it. */
export function strictest(all: readonly SpendingLimits[]): SpendingLimits {
  const lowest = (name: keyof SpendingLimits): number | null => {
    const set = all.map((limits) => limits[name]).filter((value) => value !== null)
    return set.length === 0 ? null : Math.min(...set)
  }
  return {
    requestsPerMinute: lowest('requestsPerMinute'),
    tokensPerDay: lowest('tokensPerDay'),
    microUsdPerDay: lowest('microUsdPerDay'),
  }
}

/** For a person: `60 requests a minute, $2.50 a day`; empty when there are none. */
export function describeLimits(limits: SpendingLimits): string {
  const { requestsPerMinute, tokensPerDay, microUsdPerDay } = limits
  return [
    ...(requestsPerMinute === null
      ? []
      : [`${requestsPerMinute} ${requestsPerMinute === 1 ? 'request' : 'requests'} a minute`]),
    ...(tokensPerDay === null ? [] : [`${tokensPerDay.toLocaleString('en-US')} tokens a day`]),
    ...(microUsdPerDay === null ? [] : [`${formatExactUsd(microUsdPerDay)} a day`]),
  ].join(', ')
}

/** For a person: `97 of 100 requests left`; empty where they are not counted. */
export function describeRequestsLeft({
  limits: { requests },
  requestsUsed,
}: {
  readonly limits: Pick<GrantLimits, 'requests'>
  readonly requestsUsed: number
}): string {
  if (requests === null) return ''
  const left = Math.max(0, requests - requestsUsed).toLocaleString('en-US')
  return `${left} of ${requests.toLocaleString('en-US')} ${requests === 1 ? 'request' : 'requests'} left`
}
