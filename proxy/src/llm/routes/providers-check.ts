import type { Agent, Agents } from '../../identity/agents/index.ts'
import type { DoctorCheck } from '../../kernel/index.ts'
import type { LlmModules } from '../provider-access/index.ts'

/** Which providers of LLMs a request could go out to, from what is stored; no vendor is asked. */
export function providersCheck(
  { providers, keys, access }: Pick<LlmModules, 'providers' | 'keys' | 'access'>,
  agents: Pick<Agents, 'byId'>,
): DoctorCheck {
  return {
    name: 'llm providers',
    async run() {
      const stored = keys.list().filter(({ isSeat }) => !isSeat)
      const withKey = new Set(stored.map(({ provider }) => provider))
      const listings = providers.list()
      const usable = listings.filter(
        ({ name, own, auth, missing }) =>
          missing.length === 0 && (withKey.has(name) || (own && auth.kind === 'none')),
      )
      const cooling = stored.filter(({ cooldown }) => cooldown !== null)
      const needKey = new Set(listings.filter(({ auth }) => auth.kind !== 'none').map(({ name }) => name))
      const inVain = Map.groupBy(
        access.grants().filter(({ provider }) => needKey.has(provider) && !withKey.has(provider)),
        ({ provider }) => provider,
      )
      return {
        ok: true,
        warning: inVain.size > 0,
        said: [
          usable.length === 0 ? 'none usable' : `${usable.length} usable`,
          ...(stored.length === 0
            ? ['no key stored']
            : [`${cooling.length} of ${stored.length} keys in cooldown`]),
          ...[...inVain].map(([provider, grants]) => {
            const names = new Set(grants.map(({ agentId }) => agents.byId(agentId)?.name ?? agentId))
            return `no key for ${provider}, which ${[...names].join(' and ')} may use: oauth3 key add ${provider}`
          }),
        ].join('; '),
      }
    },
  }
}

/** Whether a call to a provider could have a key, or needs none, or has a seat where it goes by one; from what is stored. */
export const keyFinder =
  ({ providers, keys }: Pick<LlmModules, 'providers' | 'keys'>) =>
  (name: string, isSeat = false): boolean =>
    keys.list(name).some((key) => key.isSeat === isSeat) ||
    (!isSeat && providers.list().some((one) => one.name === name && one.auth.kind === 'none'))

/** Agents that may be served with a key that apps may be too: one without tags, of a provider that they have a grant for. By name. */
export const keySharers =
  ({ keys, access }: Pick<LlmModules, 'keys' | 'access'>, agents: Pick<Agents, 'byId'>) =>
  (provider: string): readonly Agent[] => {
    if (!keys.list(provider).some(({ isSeat, tags }) => !isSeat && tags.length === 0)) return []
    const grants = access.grants().filter((grant) => grant.provider === provider)
    return [...new Set(grants.map(({ agentId }) => agentId))]
      .flatMap((id) => agents.byId(id) ?? [])
      .sort((one, other) => one.name.localeCompare(other.name))
  }
