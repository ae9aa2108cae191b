import type { Limited, LimitName } from '../usage/index.ts'
import type { Spending } from './spending.ts'

const LIMIT_WORDS: Readonly<Record<LimitName, string>> = {
  requests_per_minute: 'requests a minute',
  tokens_per_day: 'tokens a day',
  usd_per_day: 'dollars a day',
  budget_requests: 'requests',
  budget_tokens: 'tokens',
  budget_usd: 'dollars',
}

/** What is left, what the request may use, and how it could fit. */
export function limitMessage(limited: Limited, provider: string, spending: Spending | null): string {
  const { limit, why, needed, left, most, retryAfterSeconds } = limited
  const words = LIMIT_WORDS[limit]
  const isBudget = limit.startsWith('budget_')
  if (why === 'used_up') {
    if (isBudget) return `The run has used its budget of ${words} up.`
    return `The limit of ${words} for ${provider} is used up; it is free again in ${retryAfterSeconds} s.`
  }
  const amount = (of: number): string =>
    limit === 'usd_per_day' || limit === 'budget_usd'
      ? `$${(of / 1_000_000).toFixed(6).replace(/0{1,4}$/, '')}`
      : String(of)
  const { inputTokens, outputTokens } = spending?.estimate ?? { inputTokens: 0, outputTokens: 0 }
  const whose = isBudget ? `the run's budget of ${words}` : `the limit of ${words} for ${provider}`
  // One that may be lowered was held against the least that it could do with.
  if (spending?.estimate.shortest !== undefined) {
    return `This call needs ${amount(needed)} of ${whose} at least, and ${amount(left)} are left.`
  }
  const smaller =
    outputTokens === 0 ? 'Send less' : `Send less, or declare a smaller ${spending?.field || 'maximum'}`
  const when =
    why === 'under_way'
      ? `or ask again in ${retryAfterSeconds} s, for requests under way hold a part of it`
      : needed <= most
        ? `or ask again in ${retryAfterSeconds} s`
        : `for it would not fit in a whole day's limit of ${amount(most)} either`
  return `This request may use up to ${amount(needed)} of ${whose} (${inputTokens} tokens of input, ${outputTokens} of output), and ${amount(left)} are left. ${smaller}, ${when}.`
}
