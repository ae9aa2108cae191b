import type { z } from 'zod'
import type { givenGrant } from '../../contracts/admin/index.ts'
import type { Agents } from '../../identity/agents/index.ts'
import type { LlmModules, ProviderGrant } from '../provider-access/index.ts'
import { viewAccessGrant } from './llm-views.ts'
import { unpricedOf } from './unpriced.ts'

type GivenGrant = z.input<typeof givenGrant>

/** A grant for whoever gave or changed it: with what keeps requests under it from going out. */
export function viewGivenGrant(
  modules: Pick<LlmModules, 'usage' | 'providers' | 'keys'>,
  agents: Agents,
  grant: ProviderGrant,
  /** The model that it was asked for, if it was. */
  asked: string | null = null,
): GivenGrant {
  const { providers, keys } = modules
  const agent = agents.byId(grant.agentId)
  const found = providers.find(grant.provider)
  const isKeyless = found !== undefined && 'auth' in found && found.auth.kind === 'none'
  return {
    ...viewAccessGrant(grant, agent?.name ?? grant.agentId),
    unpriced: unpricedOf(modules, grant, asked),
    key: isKeyless
      ? 'not_needed'
      : keyFor(
          keys.list(grant.provider).filter(({ isSeat }) => !isSeat),
          agent?.tags ?? [],
        ),
    missing_params: found !== undefined && 'missing' in found ? [...found.missing] : [],
  }
}

function keyFor(
  keys: readonly { readonly tags: readonly string[] }[],
  tags: readonly string[],
): GivenGrant['key'] {
  if (keys.length === 0) return 'none'
  return keys.some((key) => key.tags.every((tag) => tags.includes(tag))) ? 'there' : 'other_tags'
}
