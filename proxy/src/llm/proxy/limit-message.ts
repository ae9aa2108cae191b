import type { Limited, LimitName } from '../usage/index.ts'
import type { Spending } from './spending.ts'

const LIMIT_WORDS: Readonly<Record<LimitName, string>> = {
  requests_per_minute: 'requests a minute',
  tokens_per_day: 'tokens a day',
  usd_per_day: 'dollars a day',
}

/** What is left, what the request may use, and how it could fit. */
export function limitMessage(limited: Limited, provider: string, spending: Spending | null): string {
  const { limit, why, needed, left, most, retryAfterSeconds } = limited
  const words = LIMIT_WORDS[limit]
  if (why === 'used_up') {
    return `The limit of ${words} for ${provider} is used up; it is free again in ${retryAfterSeconds} s.`
  }
  const amount = (of: number): string =>
    limit === 'usd_per_day' ? `$${(of / 1_000_000).toFixed(6).replace(/0{1,4}$/, '')}` : String(of)
  const { inputTokens, outputTokens } = spending?.estimate ?? { inputTokens: 0, outputTokens: 0 }
  const smaller =
    outputTokens === 0 ? 'Send less' : `Send less, or declare a smaller ${spending?.field || 'maximum'}`
  const when =
    why === 'under_way'
      ? `or ask again in ${retryAfterSeconds} s, for requests under way hold a part of it`
      : needed <= most
        ? `or ask again in ${retryAfterSeconds} s`
        : `for it would not fit in a whole day's limit of ${amount(most)} either`
  return `This request may use up to ${amount(needed)} of the limit of ${words} for ${provider} (${inputTokens} tokens of input, ${outputTokens} of output), and ${amount(left)} are left. ${smaller}, ${when}.`
}
