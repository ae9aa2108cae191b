import type { AgentId, Clock } from '../../kernel/index.ts'
import type { Agents } from '../agents/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { KeySharing, KeyUserRepository, ProviderAccess } from './ports.ts'

/**
 * Which keys are one agent's alone. A vendor shows whatever is kept under a key to everybody who has it, so what is
 * kept there passes only with a key that no other agent may use or has ever used: a wall that needs no list of whose
 * each file is. From memory; only the first use of a key by an agent is written down, before it goes out.
 */
export function createKeySharing(deps: {
  readonly repository: KeyUserRepository
  readonly agents: Pick<Agents, 'byId' | 'revision'>
  readonly access: Pick<ProviderAccess, 'grants' | 'revision'>
  readonly keys: Pick<ProviderKeys, 'list' | 'revision'>
  readonly clock: Clock
}): KeySharing {
  const { repository, agents, access, keys, clock } = deps
  /** By provider, then by key: nothing is put together for a request. */
  const users = new Map<string, Map<number, Set<AgentId>>>()
  for (const { provider, keyId, agentId } of repository.keyUsers()) usersOf(provider, keyId).add(agentId)
  /** By agent, provider and key. */
  const evaluated = new Map<AgentId, Map<string, Map<number, boolean>>>()
  let evaluatedAt = 0
  let uses = 0

  function usersOf(provider: string, keyId: number): Set<AgentId> {
    const ofProvider = inner(users, provider)
    let of = ofProvider.get(keyId)
    if (of === undefined) {
      of = new Set()
      ofProvider.set(keyId, of)
    }
    return of
  }

  const isOwnNow = (provider: string, keyId: number, agentId: AgentId): boolean => {
    for (const user of usersOf(provider, keyId)) if (user !== agentId) return false
    const tags = keys.list(provider).find(({ id }) => id === keyId)?.tags ?? []
    return !access
      .grants()
      .some(
        (grant) =>
          grant.provider === provider &&
          grant.agentId !== agentId &&
          tags.every((tag) => agents.byId(grant.agentId)?.tags.includes(tag)),
      )
  }

  return {
    used(provider, keyId, agentId) {
      const of = usersOf(provider, keyId)
      if (of.has(agentId)) return
      repository.addKeyUser({ provider, keyId, agentId, firstUsedAt: clock.now() })
      of.add(agentId)
      uses += 1
    },

    isOwn(provider, keyId, agentId) {
      const now = agents.revision + access.revision + keys.revision + uses
      if (now !== evaluatedAt) {
        evaluatedAt = now
        evaluated.clear()
      }
      const ofProvider = inner(inner(evaluated, agentId), provider)
      let isOwn = ofProvider.get(keyId)
      if (isOwn === undefined) {
        isOwn = isOwnNow(provider, keyId, agentId)
        ofProvider.set(keyId, isOwn)
      }
      return isOwn
    },
  }
}

function inner<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  let found = map.get(key)
  if (found === undefined) {
    found = new Map()
    map.set(key, found)
  }
  return found
}
