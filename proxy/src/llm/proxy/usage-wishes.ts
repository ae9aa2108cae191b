import type { Provider } from '../providers/index.ts'

/**
 * Which servers take `stream_options.include_usage`, by provider and model (a gateway has many servers): a request that they answer 400 or
 * 422 to is sent once more without it, and once that went well they are not asked again. One that took it before is not tried twice.
 * That one refused is remembered for the agent that it refused: an agent may draw such an answer by a body of its own, and the streams
 * of others would then tell no tokens, and count with all that was reserved for them.
 */
export interface UsageWishes {
  isRefused(provider: Provider, model: string, agentId: string): boolean
  isTaken(provider: Provider, model: string): boolean
  told(provider: Provider, model: string, agentId: string, wish: 'taken' | 'refused'): void
}

const MAX_MODELS = 1_000
const MAX_AGENTS = 1_000

export function createUsageWishes(): UsageWishes {
  /** A provider that is changed is another object. Of a model that refused: whom. */
  const known = new WeakMap<Provider, Map<string, 'taken' | Set<string>>>()
  return {
    isRefused(provider, model, agentId) {
      const of = known.get(provider)?.get(model)
      return of !== undefined && of !== 'taken' && of.has(agentId)
    },
    isTaken: (provider, model) => known.get(provider)?.get(model) === 'taken',
    told(provider, model, agentId, wish) {
      let of = known.get(provider)
      if (of === undefined) {
        of = new Map()
        known.set(provider, of)
      }
      const before = of.get(model)
      if (before === 'taken') return
      if (before === undefined && of.size >= MAX_MODELS) of.clear()
      if (wish === 'taken') of.set(model, wish)
      else if (before === undefined || before.size >= MAX_AGENTS) of.set(model, new Set([agentId]))
      else before.add(agentId)
    },
  }
}
