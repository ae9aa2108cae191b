import type { AgentId, Clock, UnixMs } from '../../kernel/index.ts'
import type { ClockGuard } from '../approvals/index.ts'
import type { AuditLog, Transactor } from '../audit/index.ts'
import { scopeCovers } from './patterns.ts'
import type { ProviderAccessRepository, ProviderGrant, Use } from './ports.ts'

/**
 * The active grants and late denials, in memory. Whatever was written is read anew once its transaction is over,
 * and until then from the disk: a transaction that was undone leaves nothing behind here.
 */
export interface ActiveGrants {
  /** Something was written: what is remembered may be wrong. */
  touch(): void
  /** Grows whenever it is touched. */
  readonly revision: number
  /** The widest grant that stands and covers the use. */
  covering(use: Use): ProviderGrant | undefined
  of(agentId: AgentId, provider?: string): readonly ProviderGrant[]
  /** Whether one of them is so; costs no list. */
  some(agentId: AgentId, provider: string | undefined, is: (grant: ProviderGrant) => boolean): boolean
  all(): readonly ProviderGrant[]
  deniedAt(agentId: AgentId, provider: string): UnixMs | undefined
  tick(): void
}

interface Memory {
  readonly byAgent: ReadonlyMap<AgentId, readonly ProviderGrant[]>
  readonly denials: Map<string, UnixMs | undefined>
  readonly nextExpiry: UnixMs
}

export function createActiveGrants(deps: {
  readonly repository: ProviderAccessRepository
  readonly audit: AuditLog
  readonly transactor: Transactor
  readonly clock: Clock
  readonly clockGuard: ClockGuard
}): ActiveGrants {
  const { repository, audit, transactor, clock, clockGuard } = deps
  let remembered: Memory | undefined
  let touched = false
  let revision = 1

  /** A transaction never waits for anything, so the next microtask runs when it is committed or undone. */
  const touch = (): void => {
    revision += 1
    if (touched) return
    touched = true
    queueMicrotask(() => {
      touched = false
      remembered = undefined
    })
  }

  const read = (): Memory => {
    const grants = repository.activeGrants()
    return {
      byAgent: Map.groupBy(grants, ({ agentId }) => agentId),
      denials: new Map(),
      nextExpiry: Math.min(...grants.map(({ expiresAt }) => expiresAt ?? Number.POSITIVE_INFINITY)),
    }
  }
  const memory = (): Memory => {
    if (touched) return read()
    remembered ??= read()
    return remembered
  }

  /** A grant that has run out is ended on disk before anybody hears so: no later clock brings it back. */
  const current = (now: UnixMs): Memory => {
    const present = memory()
    if (now < present.nextExpiry) return present
    transactor.transact(() => {
      touch()
      clockGuard.seen(now)
      for (const { id, agentId, provider, expiresAt } of repository.activeGrants()) {
        if (expiresAt === null || expiresAt > now) continue
        repository.endGrant(id, now, 'expired')
        audit.append('provider.ended', 'daemon', null, {
          grant: id,
          agent_id: agentId,
          provider,
          why: 'expired',
        })
      }
    })
    return memory()
  }

  /** Fails closed: while the clock is behind what was seen, nobody knows how much of the time is left. */
  const stands = ({ expiresAt, grantedAt }: ProviderGrant, now: UnixMs): boolean =>
    clockGuard.stands(grantedAt, expiresAt, now)
  clockGuard.ends((by) => {
    current(by)
    // The mark is about to be another, and with it what stands.
    touch()
  })

  return {
    touch,
    get revision() {
      return revision
    },

    covering(use) {
      const now = clock.now()
      const { byAgent } = current(now)
      let widest: ProviderGrant | undefined
      for (const grant of byAgent.get(use.agentId) ?? []) {
        if (grant.provider !== use.provider || !scopeCovers(grant, use) || !stands(grant, now)) continue
        if (!widest || isWider(grant, widest)) widest = grant
      }
      return widest
    },

    of(agentId, provider) {
      const now = clock.now()
      const { byAgent } = current(now)
      return (byAgent.get(agentId) ?? []).filter(
        (grant) => (provider === undefined || grant.provider === provider) && stands(grant, now),
      )
    },

    some(agentId, provider, is) {
      const now = clock.now()
      const { byAgent } = current(now)
      for (const grant of byAgent.get(agentId) ?? []) {
        if ((provider === undefined || grant.provider === provider) && stands(grant, now) && is(grant))
          return true
      }
      return false
    },

    all() {
      const now = clock.now()
      const { byAgent } = current(now)
      return [...byAgent.values()]
        .flat()
        .filter((grant) => stands(grant, now))
        .toSorted((a, b) => a.id - b.id)
    },

    deniedAt(agentId, provider) {
      const { denials } = memory()
      const key = `${agentId} ${provider}`
      if (!denials.has(key)) denials.set(key, repository.deniedAt(agentId, provider))
      return denials.get(key)
    },

    tick() {
      current(clock.now())
      clockGuard.tick()
    },
  }
}

/** By models first, then paths, then groups, then limits, then how long it stands; the newer of equals. */
function isWider(a: ProviderGrant, b: ProviderGrant): boolean {
  const ranks = (grant: ProviderGrant): readonly number[] => [
    grant.models === null ? 1 : 0,
    grant.paths === null ? 1 : 0,
    grant.groups.length,
    Object.values(grant.limits).filter((limit) => limit === null).length,
    grant.expiresAt ?? Number.POSITIVE_INFINITY,
    grant.id,
  ]
  const left = ranks(a)
  const right = ranks(b)
  const index = left.findIndex((rank, at) => rank !== right[at])
  return index >= 0 && (left[index] ?? 0) > (right[index] ?? 0)
}
