import {
  createProviders,
  type OwnProvider,
  type Provider,
  type ProviderRepository,
  type Providers,
} from '../../src/domain/providers/index.ts'

/** A place for providers that is gone with the test. */
function memoryProviders(): ProviderRepository {
  const own = new Map<string, OwnProvider>()
  const params = new Map<string, { provider: string; name: string; value: string }>()
  return {
    own: () => [...own.values()],
    insert: (provider) => void own.set(provider.name, provider),
    remove: (name) => void own.delete(name),
    params: () => [...params.values()],
    setParam: (provider, name, value) => void params.set(`${provider} ${name}`, { provider, name, value }),
  }
}

/** The table and own providers, without a database. */
export const createTestProviders = (): Providers =>
  createProviders({
    repository: memoryProviders(),
    audit: { append() {} } as unknown as Parameters<typeof createProviders>[0]['audit'],
    transactor: {
      inTransaction: true,
      transact: (work) => work(),
      afterCommit: (work) => work(),
      flushed: async () => {},
    },
    events: { publish() {} },
    clock: { now: () => 1 },
  })

/** A provider that is there with all its parameters. */
export function found(providers: Providers, name: string): Provider {
  const provider = providers.find(name)
  if (!provider || 'missing' in provider) throw new Error(`${name} cannot be used`)
  return provider
}
