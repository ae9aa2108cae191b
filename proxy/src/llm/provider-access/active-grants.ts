import { type ClockGuard, hasTimeLeft } from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import {
  type AgentId,
  type Clock,
  createMirror,
  createWriteBehind,
  type ReadTx,
  type Storage,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import { scopeCovers } from './patterns.ts'
import type { ProviderGrant, Use } from './ports.ts'
import { createRequestCounts } from './request-counts.ts'

/**
 * The active grants and late denials, in memory as of the newest commit. A grant that has run out is refused from memory from
 * then on, whatever the clock says later, and ended on disk beside that.
 */
export interface ActiveGrants {
  load(tx: ReadTx): Promise<void>
  /** After the last write of a unit that has changed a grant or denied an ask. */
  refresh(tx: Tx): Promise<void>
  /** Grows whenever a grant may have begun, changed or ended. */
  readonly revision: number
  /** The widest grant that stands and covers the use; one that is used up only if its number is in `counted`. */
  covering(use: Use, counted?: readonly number[]): ProviderGrant | undefined
  /** One request of each, in memory alone; false where one has none left, and then none was taken. */
  take(ids: readonly number[]): boolean
  /** A request that was taken is over: behind the last one its grant ends. */
  over(ids: readonly number[]): void
  of(agentId: AgentId, provider?: string): readonly ProviderGrant[]
  /** What `of` would say inside a unit that has lowered the watermark of the clock. */
  withoutWatermark(
    tx: ReadTx,
    agentId: AgentId,
    provider: string,
    now: UnixMs,
  ): Promise<readonly ProviderGrant[]>
  /** Whether one of them is so; costs no list. */
  some(agentId: AgentId, provider: string | undefined, is: (grant: ProviderGrant) => boolean): boolean
  all(): readonly ProviderGrant[]
  deniedAt(agentId: AgentId, provider: string): UnixMs | undefined
  tick(): Promise<void>
}

interface Rows {
  readonly grants: readonly ProviderGrant[]
  readonly denials: ReadonlyMap<string, UnixMs>
}

/** How a grant was found to be over, which the disk does not say yet. */
interface Ended {
  readonly at: UnixMs
  readonly why: 'expired' | 'used'
}

interface Present {
  readonly byAgent: ReadonlyMap<AgentId, readonly ProviderGrant[]>
  readonly nextExpiry: UnixMs
}

/** Far longer than a denial lasts: a clock that is set back a little finds those before it. */
const DENIALS_OF_MS = 24 * 3_600_000
const denialKey = (agentId: AgentId, provider: string): string => `${agentId} ${provider}`

export function createActiveGrants(deps: {
  readonly audit: AuditLog
  readonly storage: Storage
  readonly clock: Clock
  readonly clockGuard: ClockGuard
}): ActiveGrants {
  const { audit, storage, clock, clockGuard } = deps
  const rows = createMirror<Rows>(async (tx) => {
    const grants = await tx.providerAccess.activeGrants()
    const denials = await tx.providerAccess.denials(clock.now() - DENIALS_OF_MS)
    return {
      grants,
      denials: new Map(denials.map(({ agentId, provider, at }) => [denialKey(agentId, provider), at])),
    }
  })
  const ended = new Map<number, Ended>()
  const counts = createRequestCounts()
  let endings = 0
  let present: Present = { byAgent: new Map(), nextExpiry: Number.POSITIVE_INFINITY }
  let presentOf = -1

  const runOut = ({ id, expiresAt }: ProviderGrant, by: UnixMs): Ended | undefined =>
    ended.get(id) ?? (expiresAt !== null && expiresAt <= by ? { at: by, why: 'expired' } : undefined)
  /** What its last request is still under way of goes on to the end of that. */
  const isUsedUpAndOver = (grant: ProviderGrant): boolean =>
    counts.isUsedUp(grant) && !counts.isUnderWay(grant.id)

  /** Inside a unit of work: ends on disk what has run out by then, or did before. */
  const endRunOut = async (tx: Tx, by: UnixMs): Promise<void> => {
    const over = (await tx.providerAccess.activeGrants()).flatMap((grant) => {
      const how = runOut(grant, by)
      return how === undefined ? [] : [{ ...grant, ...how }]
    })
    if (over.length === 0) return
    await clockGuard.seen(tx, Math.max(...over.map(({ at }) => at)))
    for (const { id, agentId, provider, at, why } of over) {
      await tx.providerAccess.endGrant(id, at, why)
      await audit.append(tx, 'provider.ended', 'daemon', null, {
        grant: id,
        agent_id: agentId,
        provider,
        why,
      })
    }
  }
  const writing = createWriteBehind(() =>
    storage.transaction(async (tx) => {
      await endRunOut(tx, Number.NEGATIVE_INFINITY)
      await rows.refresh(tx)
    }),
  )

  const lookAgain = (): void => {
    presentOf = rows.revision
    const { grants } = rows.value
    const known = new Set(grants.map(({ id }) => id))
    for (const id of ended.keys()) if (!known.has(id)) ended.delete(id)
    counts.keepOnly(known)
    const left = grants.filter(({ id }) => !ended.has(id))
    present = {
      byAgent: Map.groupBy(left, ({ agentId }) => agentId),
      nextExpiry: Math.min(
        ...left.map((grant) =>
          isUsedUpAndOver(grant) ? Number.NEGATIVE_INFINITY : (grant.expiresAt ?? Number.POSITIVE_INFINITY),
        ),
      ),
    }
  }
  const current = (now: UnixMs): Present => {
    if (presentOf !== rows.revision) lookAgain()
    if (now < present.nextExpiry) return present
    for (const grant of rows.value.grants) {
      const how: Ended | undefined = isUsedUpAndOver(grant) ? { at: now, why: 'used' } : runOut(grant, now)
      if (how !== undefined && !ended.has(grant.id)) ended.set(grant.id, how)
    }
    lookAgain()
    endings += 1
    writing.begin()
    return present
  }

  /** Fails closed: while the clock is behind what was seen, nobody knows how much of the time is left. */
  const stands = ({ expiresAt, grantedAt }: ProviderGrant, now: UnixMs): boolean =>
    clockGuard.stands(grantedAt, expiresAt, now)
  const isThere = (grant: ProviderGrant, now: UnixMs): boolean =>
    stands(grant, now) && !counts.isUsedUp(grant)
  const asCounted = (grant: ProviderGrant): ProviderGrant =>
    grant.limits.requests === null ? grant : { ...grant, requestsUsed: counts.used(grant) }
  clockGuard.ends(async (tx, by) => {
    await endRunOut(tx, by)
    // The mark is about to be another, and with it what stands.
    await rows.refresh(tx)
  })

  return {
    load: rows.load,
    refresh: rows.refresh,
    get revision() {
      if (presentOf !== rows.revision || present.nextExpiry !== Number.POSITIVE_INFINITY) current(clock.now())
      return rows.revision + endings
    },

    covering(use, counted = NONE) {
      const now = clock.now()
      const { byAgent } = current(now)
      let widest: ProviderGrant | undefined
      for (const grant of byAgent.get(use.agentId) ?? []) {
        if (grant.provider !== use.provider || !scopeCovers(grant, use) || !stands(grant, now)) continue
        if (counts.isUsedUp(grant) && !counted.includes(grant.id)) continue
        if (!widest || isWider(grant, widest)) widest = grant
      }
      return widest
    },
    take(ids) {
      const standing = [...current(clock.now()).byAgent.values()].flat().filter(({ id }) => ids.includes(id))
      return standing.length === ids.length && counts.take(standing)
    },
    over(ids) {
      for (const id of ids) counts.over(id)
      lookAgain()
      current(clock.now())
    },

    of(agentId, provider) {
      const now = clock.now()
      const { byAgent } = current(now)
      return (byAgent.get(agentId) ?? [])
        .filter((grant) => (provider === undefined || grant.provider === provider) && stands(grant, now))
        .map(asCounted)
    },

    async withoutWatermark(tx, agentId, provider, now) {
      return (await tx.providerAccess.activeGrants()).filter(
        (grant) =>
          grant.agentId === agentId &&
          grant.provider === provider &&
          runOut(grant, now) === undefined &&
          hasTimeLeft(grant.grantedAt, grant.expiresAt, now),
      )
    },

    some(agentId, provider, is) {
      const now = clock.now()
      const { byAgent } = current(now)
      for (const grant of byAgent.get(agentId) ?? []) {
        if ((provider === undefined || grant.provider === provider) && isThere(grant, now) && is(grant))
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
        .map(asCounted)
        .toSorted((a, b) => a.id - b.id)
    },

    deniedAt: (agentId, provider) => rows.value.denials.get(denialKey(agentId, provider)),

    async tick() {
      current(clock.now())
      await writing.settle()
      await clockGuard.tick()
    },
  }
}

const NONE: readonly number[] = []

/** What counts no requests before all that does, so that none is taken in vain; then by models, then paths, then groups, then limits, then how long it stands; the newer of equals. */
function isWider(a: ProviderGrant, b: ProviderGrant): boolean {
  const ranks = (grant: ProviderGrant): readonly number[] => [
    grant.limits.requests === null ? 1 : 0,
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
