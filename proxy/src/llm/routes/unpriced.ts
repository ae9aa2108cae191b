import type { LlmModules, ProviderGrant } from '../provider-access/index.ts'

/**
 * What a grant covers and its limit of money refuses, since nobody knows the price: models and beginnings of names as
 * they were given, `*` for a provider none of whose models has one. Empty where money is not limited.
 */
export function unpricedOf(
  { usage, providers }: Pick<LlmModules, 'usage' | 'providers'>,
  { provider, models, limits }: ProviderGrant,
  /** What the grant was asked for, if it was. */
  asked: string | null = null,
): string[] {
  const found = providers.find(provider)
  const reportsCost = found !== undefined && 'reportsCost' in found && found.reportsCost
  if (limits.microUsdPerDay === null || reportsCost) return []

  const isPriced = (model: string): boolean => usage.isPriced(provider, model)
  const isSomePriced = (beginning: string): boolean =>
    isPriced(beginning) ||
    usage.prices().some((price) => {
      const name = price.model.replace(/\*$/, '')
      return name.startsWith(beginning) && isPriced(name)
    })
  const wanted = models ?? (asked === null ? ['*'] : [asked])
  return wanted.filter((model) =>
    model.endsWith('*') ? !isSomePriced(model.slice(0, -1)) : !isPriced(model),
  )
}
