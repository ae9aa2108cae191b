import {
  createProviders,
  type OwnProvider,
  type Provider,
  type ProviderStore,
  type Providers,
} from '../../src/llm/providers/index.ts'
import { createUnitDouble } from './unit-double.ts'

/** A place for providers that is gone with the test. */
function memoryProviders(): ProviderStore {
  const own = new Map<string, OwnProvider>()
  const params = new Map<string, { provider: string; name: string; value: string }>()
  return {
    own: async () => [...own.values()],
    insert: async (provider) => void own.set(provider.name, provider),
    remove: async (name) => void own.delete(name),
    params: async () => [...params.values()],
    setParam: async (provider, name, value) =>
      void params.set(`${provider} ${name}`, { provider, name, value }),
  }
}

/** The table and own providers, without a database. */
export async function createTestProviders(): Promise<Providers> {
  const storage = createUnitDouble({ providers: memoryProviders() })
  const providers = createProviders({
    audit: { append: async () => {} } as unknown as Parameters<typeof createProviders>[0]['audit'],
    storage,
    events: { publish: async () => {} },
    clock: { now: () => 1 },
  })
  await storage.read((tx) => providers.load(tx))
  return providers
}

/** A provider that is there with all its parameters. */
export function found(providers: Providers, name: string): Provider {
  const provider = providers.find(name)
  if (!provider || 'missing' in provider) throw new Error(`${name} cannot be used`)
  return provider
}
