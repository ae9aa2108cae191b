import type { ProviderKeys } from '../provider-keys/index.ts'
import type { Provider, Providers } from '../providers/index.ts'

/** What a model's name alone may lead to: providers that have a key, and the owner's own. */
export function createUsableProviders(deps: {
  readonly keys: ProviderKeys
  readonly providers: Providers
}): () => readonly Provider[] {
  let known: { readonly at: string; readonly list: readonly Provider[] } | undefined
  return () => {
    const withKey = new Set(deps.keys.list().flatMap(({ provider, isSeat }) => (isSeat ? [] : [provider])))
    const at = `${deps.providers.revision} ${[...withKey].join(' ')}`
    if (known?.at === at) return known.list
    const list = deps.providers.list().flatMap(({ name, own }) => {
      const provider = withKey.has(name) || own ? deps.providers.find(name) : undefined
      return provider === undefined || 'missing' in provider ? [] : [provider]
    })
    known = { at, list }
    return list
  }
}
