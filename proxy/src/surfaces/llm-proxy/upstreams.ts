import type { Pool } from 'undici'
import { type ApprovedAddresses, type EgressDial, originOf } from '../../domain/egress/index.ts'
import type { Provider } from '../../domain/providers/index.ts'
import { openPool } from '../relay/index.ts'

/** Connections to providers, kept open between requests: one pool for each place there is in the table. */
export interface ProviderPools extends AsyncDisposable {
  poolOf(provider: Provider): Pool
}

const NOBODY: ReadonlySet<string> = new Set()

/** What may be dialled for it beyond public addresses. */
export const approvedFor = (provider: Provider): ApprovedAddresses => (provider.private ? 'private' : NOBODY)

export function createProviderPools(dial: EgressDial): ProviderPools {
  const pools = new Map<string, Pool>()
  /** A provider that is changed is another object. */
  const byProvider = new WeakMap<Provider, Pool>()
  const end = new AbortController()
  return {
    poolOf(provider) {
      const known = byProvider.get(provider)
      if (known !== undefined) return known
      // A provider that was removed and added again may be allowed less.
      const key = `${provider.private ? 'private ' : ''}${originOf(provider)}`
      const pool = pools.get(key) ?? openPool(dial, provider, approvedFor(provider), end.signal)
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
