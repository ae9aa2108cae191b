import {
  approvedAddresses,
  type EgressDial,
  type EgressSession,
  type EgressTarget,
  originOf,
  type PreparedRequest,
} from '../index.ts'
import { openMixedPool, openPool, type UpstreamPool } from '../relay/index.ts'

/**
 * Connections to upstreams, kept open over requests and runs: a run of the same skill does not wait for a handshake
 * again. What is kept was dialled and verified for one origin and one set of approved addresses, and is used for no other.
 * A connection on which a run signed in is that run's alone.
 */
export interface Upstreams extends AsyncDisposable {
  /** A pool for one request; `release` when that request is over. */
  take(
    session: Pick<EgressSession, 'requestId' | 'policy'>,
    target: EgressTarget,
    request: Pick<PreparedRequest, 'prefersHttp2' | 'signsInConnection'>,
  ): Upstream
}

interface Upstream {
  readonly pool: UpstreamPool
  release(): void
}

interface Entry {
  readonly pool: UpstreamPool
  active: number
  idleSinceMs: number
}

const IDLE_MS = 60_000
const SWEEP_MS = 15_000
const MAX_ENTRIES = 256

export function createUpstreams(dial: EgressDial, http2ToHosts: boolean): Upstreams {
  const entries = new Map<string, Entry>()
  const end = new AbortController()

  const closeIdle = (isDue: (entry: Entry) => boolean): void => {
    for (const [key, entry] of entries) {
      if (entry.active > 0 || !isDue(entry)) continue
      entries.delete(key)
      entry.pool.destroy().catch(() => {})
    }
  }
  const sweep = setInterval(() => {
    const now = performance.now()
    closeIdle((entry) => now - entry.idleSinceMs > IDLE_MS)
  }, SWEEP_MS).unref()

  return {
    take({ requestId, policy }, target, { prefersHttp2, signsInConnection }) {
      const approved = approvedAddresses(policy, target)
      const protocols = !http2ToHosts ? 'HTTP/1.1' : prefersHttp2 ? 'HTTP/2 first' : 'HTTP/1.1 first'
      const whose = signsInConnection ? requestId : 'all'
      const key = [originOf(target), protocols, whose, ...[...approved].sort()].join(' ')
      let entry = entries.get(key)
      if (entry === undefined) {
        if (entries.size >= MAX_ENTRIES) closeIdle(() => true)
        // The endpoint bounds how many there are at once; the end of the run bounds how long they take.
        const pool = http2ToHosts
          ? openMixedPool(dial, target, approved, end.signal, prefersHttp2)
          : openPool(dial, target, approved, end.signal)
        entry = { pool, active: 0, idleSinceMs: 0 }
        entries.set(key, entry)
      }
      const taken = entry
      taken.active += 1
      return {
        pool: taken.pool,
        release() {
          taken.active -= 1
          taken.idleSinceMs = performance.now()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(sweep)
      end.abort(new Error('the gateway is closing'))
      const pools = [...entries.values()].map((entry) => entry.pool)
      entries.clear()
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}
