import type { Provider } from '../../domain/providers/index.ts'

/**
 * Which servers take `stream_options.include_usage`, by provider and model (a gateway has many servers): a request that they answer 400 or
 * 422 to is sent once more without it, and once that went well they are not asked again. One that took it before is not tried twice.
 */
export interface UsageWishes {
  isRefused(provider: Provider, model: string): boolean
  isTaken(provider: Provider, model: string): boolean
  told(provider: Provider, model: string, wish: 'taken' | 'refused'): void
}

const MAX_MODELS = 1_000

export function createUsageWishes(): UsageWishes {
  /** A provider that is changed is another object. */
  const known = new WeakMap<Provider, Map<string, 'taken' | 'refused'>>()
  return {
    isRefused: (provider, model) => known.get(provider)?.get(model) === 'refused',
    isTaken: (provider, model) => known.get(provider)?.get(model) === 'taken',
    told(provider, model, wish) {
      let of = known.get(provider)
      if (of === undefined) {
        of = new Map()
        known.set(provider, of)
      }
      if (of.get(model) === wish) return
      if (of.size >= MAX_MODELS) of.clear()
      of.set(model.slice(0, 256), wish)
    },
  }
}
