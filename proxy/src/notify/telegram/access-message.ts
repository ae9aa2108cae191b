import { oneLine } from '../../kernel/index.ts'
import { describeLimits, type ProviderGrant } from '../../llm/provider-access/index.ts'
import { bold, code, escapeHtml } from './html.ts'

/** A line for the owner; the agent reads a refusal until the limit is free again. */
export function renderLimitPassed(grant: ProviderGrant, limit: string, agent: string): string {
  const limitText = describeLimits(onlyLimit(grant.limits, limit)) || limit.replaceAll('_', ' ')
  return (
    `🚧 ${bold('Limit passed')}: ${code(oneLine(agent, 64))} at ${code(oneLine(grant.provider, 64))}, ` +
    `${escapeHtml(limitText)} (P${grant.id}). More is refused until the limit is free again; change it with ` +
    `${code(`oauth3 grant limit ${grant.id}`)}.`
  )
}

const onlyLimit = (limits: ProviderGrant['limits'], limit: string): ProviderGrant['limits'] => ({
  requestsPerMinute: limit === 'requests_per_minute' ? limits.requestsPerMinute : null,
  tokensPerDay: limit === 'tokens_per_day' ? limits.tokensPerDay : null,
  microUsdPerDay: limit === 'usd_per_day' ? limits.microUsdPerDay : null,
  requests: null,
})
