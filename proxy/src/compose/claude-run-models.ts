import { modelPatterns } from '../claude-runs/apps/index.ts'
import type { ModelAccess, ModelUsage } from '../claude-runs/runs/index.ts'
import type { TenantId } from '../kernel/index.ts'
import type { LlmProxy, ModelBinding } from '../llm/proxy/index.ts'

type RunUsage = ReturnType<ModelBinding['usage']>

/** The model's end of runs, on the LLM proxy: the owner's word on the app stands in the place of a grant. */
export const modelsOf = (tenant: TenantId, proxy: Pick<LlmProxy, 'bind'>): ModelAccess => ({
  bind({ runId, app, budget }) {
    const { provider, limits } = app
    const binding = proxy.bind({
      ...{
        tenant,
        runId,
        app: { id: app.id, name: app.name, usesSeat: app.usesSeat },
        provider,
        models: modelPatterns(app),
      },
      limits: {
        requestsPerMinute: limits.requestsPerMinute,
        tokensPerDay: limits.tokensPerDay,
        microUsdPerDay: limits.microUsdPerDay,
      },
      budget: {
        usd: budget.microUsd === null ? null : budget.microUsd / MICRO,
        tokens: budget.tokens,
        requests: budget.requests,
      },
    })
    return {
      maxOutputTokens: binding.maxOutputTokens,
      connection: (socket) => binding.connection(socket),
      refusal: () => binding.refusal(),
      usage: () => usageOf(binding.usage()),
      async end(how) {
        if (how === 'cut') binding.end('cut')
        else binding.end()
        return usageOf(await binding.settled())
      },
    }
  },
})

const MICRO = 1_000_000

/** What is not a whole millionth counts as one more. */
const usageOf = (usage: RunUsage): ModelUsage => ({
  ...{ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, requests: usage.requests },
  ...{ cacheReadTokens: usage.cacheRead, cacheWriteTokens: usage.cacheWrite },
  microUsd: usage.costUsd === null ? null : Math.ceil(Number((usage.costUsd * MICRO).toFixed(3))),
})
