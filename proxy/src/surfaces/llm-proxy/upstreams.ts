import { Pool } from 'undici'
import type { EgressDial } from '../../domain/egress/index.ts'
import type { Provider } from '../../domain/providers/index.ts'

/** Connections to providers, kept open between requests: one pool for each place there is in the table. */
export interface ProviderPools extends AsyncDisposable {
  poolOf(provider: Provider): Pool
}

/** Shorter than what vendors keep, so that a request seldom meets a connection that is just being closed. */
const KEEP_ALIVE_MS = 4_000
const MAX_HEADER_BYTES = 64 * 1_024
const NOBODY: ReadonlySet<string> = new Set()

export function createProviderPools(dial: EgressDial): ProviderPools {
  const pools = new Map<string, Pool>()
  const end = new AbortController()

  const open = (provider: Provider): Pool => {
    const { scheme, host, port } = provider
    const approved = provider.private ? 'private' : NOBODY
    const way = scheme === 'https' ? 'dialTls' : 'dial'
    return new Pool(originOf(provider), {
      connect: (_options, callback) => {
        dial[way]({ host, port }, approved, end.signal).then(
          (socket) => callback(null, socket),
          (error: Error) => callback(error, null),
        )
      },
      allowH2: false,
      pipelining: 1,
      connections: null,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
    })
  }

  return {
    poolOf(provider) {
      // A provider that was removed and added again may be allowed less.
      const key = `${provider.private ? 'private ' : ''}${originOf(provider)}`
      const pool = pools.get(key) ?? open(provider)
      pools.set(key, pool)
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

function originOf({ scheme, host, port }: Provider): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
