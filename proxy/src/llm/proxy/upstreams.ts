import { type ApprovedAddresses, type EgressDial, originOf } from '../../egress/index.ts'
import { openHttp1Pool, openPool, type UpstreamPool } from '../../egress/relay/index.ts'
import type { Provider } from '../providers/index.ts'

/** Connections to providers, kept open between requests: one pool for each place there is in the table. */
export interface ProviderPools extends AsyncDisposable {
  poolOf(provider: Provider): UpstreamPool
}

/** By which code HTTP/1.1 is spoken with agents and providers: the daemon's own, or node:http and undici. */
export type LlmTransport = 'own' | 'node'

const NOBODY: ReadonlySet<string> = new Set()

/** What may be dialled for it beyond public addresses. */
export const approvedFor = (provider: Provider): ApprovedAddresses => (provider.private ? 'private' : NOBODY)

export function createProviderPools(dial: EgressDial, transport: LlmTransport): ProviderPools {
  const open = transport === 'own' ? openHttp1Pool : openPool
  const pools = new Map<string, UpstreamPool>()
  /** A provider that is changed is another object. */
  const byProvider = new WeakMap<Provider, UpstreamPool>()
  const end = new AbortController()
  return {
    poolOf(provider) {
      const known = byProvider.get(provider)
      if (known !== undefined) return known
      // A provider that was removed and added again may be allowed less.
      const key = `${provider.private ? 'private ' : ''}${originOf(provider)}`
      const pool = pools.get(key) ?? open(dial, provider, approvedFor(provider), end.signal)
      pools.set(key, pool)
      byProvider.set(provider, pool)
      return pool
    },
    async [Symbol.asyncDispose]() {
      end.abort(new Error('the proxy is closing'))
      const all = [...pools.values()]
      pools.clear()
      await Promise.all(all.map((pool) => pool.destroy()))
    },
  }
}
