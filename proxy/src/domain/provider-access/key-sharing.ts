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
  const users = new Map<string, Set<AgentId>>()
  for (const { provider, keyId, agentId } of repository.keyUsers()) usersOf(provider, keyId).add(agentId)
  let evaluated = new Map<string, boolean>()
  let evaluatedAt = 0
  let uses = 0

  function usersOf(provider: string, keyId: number): Set<AgentId> {
    const name = `${provider} ${keyId}`
    let of = users.get(name)
    if (of === undefined) {
      of = new Set()
      users.set(name, of)
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
        evaluated = new Map()
      }
      const name = `${provider} ${keyId} ${agentId}`
      let isOwn = evaluated.get(name)
      if (isOwn === undefined) {
        isOwn = isOwnNow(provider, keyId, agentId)
        evaluated.set(name, isOwn)
      }
      return isOwn
    },
  }
}
