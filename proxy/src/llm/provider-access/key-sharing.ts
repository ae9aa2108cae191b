import type { Agents } from '../../identity/agents/index.ts'
import type { CallerId, Clock, Storage } from '../../kernel/index.ts'
import type { ProviderKeys } from '../provider-keys/index.ts'
import type { KeySharing, ProviderAccess } from './ports.ts'

/**
 * Which keys are one agent's alone. A vendor shows whatever is kept under a key to everybody who has it, so what is
 * kept there passes only with a key that no other agent may use or has ever used: isolation that needs no list of whose
 * each file is. From memory; only the first use of a key by an agent is written down, before it goes out.
 */
export function createKeySharing(deps: {
  readonly storage: Storage
  readonly agents: Pick<Agents, 'byId' | 'revision'>
  readonly access: Pick<ProviderAccess, 'grants' | 'revision'>
  readonly keys: Pick<ProviderKeys, 'list' | 'revision'>
  readonly clock: Clock
}): KeySharing {
  const { storage, agents, access, keys, clock } = deps
  /** By provider, then by key: nothing is put together for a request. A promise: it is being written. */
  const users = new Map<string, Map<number, Map<CallerId, Promise<void> | 'written'>>>()
  /** By agent, provider and key. */
  const evaluated = new Map<CallerId, Map<string, Map<number, boolean>>>()
  let evaluatedAt = 0
  let uses = 0

  const usersOf = (provider: string, keyId: number) => inner(inner(users, provider), keyId)

  const isOwnNow = (provider: string, keyId: number, agentId: CallerId): boolean => {
    for (const user of usersOf(provider, keyId).keys()) if (user !== agentId) return false
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
    async load(tx) {
      users.clear()
      for (const { provider, keyId, agentId } of await tx.keyUsers.keyUsers()) {
        usersOf(provider, keyId).set(agentId, 'written')
      }
      uses += 1
    },

    used(provider, keyId, agentId) {
      const of = usersOf(provider, keyId)
      const known = of.get(agentId)
      if (known !== undefined) return known === 'written' ? undefined : known
      const writing = storage
        .transaction(async (tx) => {
          await tx.keyUsers.addKeyUser({ provider, keyId, agentId, firstUsedAt: clock.now() })
        })
        .then(
          () => {
            of.set(agentId, 'written')
          },
          (error: unknown) => {
            of.delete(agentId)
            uses += 1
            throw error
          },
        )
      // It counts from now on: nobody takes the key for its own while this is written.
      of.set(agentId, writing)
      uses += 1
      return writing
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
