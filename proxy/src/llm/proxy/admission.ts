import type { ProviderGrant } from '../provider-access/index.ts'
import { revisionOf } from './allowed-revision.ts'
import { askOwner, MAX_ROUNDS } from './ask-owner.ts'
import { grantFor } from './grant-check.ts'
import { type Picked, pickKey } from './key-choice.ts'
import { limitMessage } from './limit-message.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import type { Soon } from './soon.ts'
import type { Spending } from './spending.ts'
import type { AdmissionDeps, Admitted, Wanted } from './wanted.ts'

type Answer = Admitted | LlmRefusal

/**
 * Grant, then key, then limits: the cheap refusals first, and a place in the limits is only taken by what goes out. What is waited
 * for, an answer of the owner's or a key that is decrypted, takes its time: everything is evaluated anew after it.
 */
export function authorizeUse(wanted: Wanted, deps: AdmissionDeps, round = 0): Soon<Answer> {
  const granted = grantFor(wanted, deps.access)
  if (!('use' in granted)) return under(granted, wanted, deps, round)
  return askOwner(wanted, deps).then((grant) => renewed(wanted) ?? under(grant, wanted, deps, round))
}

/** Knows the agent as it is by now. */
function renewed(wanted: Wanted): LlmRefusal | null {
  const agent = wanted.revalidateToken()
  if (agent === null) return refused('unauthenticated', 'The agent was revoked meanwhile.')
  wanted.agent = agent
  return null
}

function under(
  grant: ProviderGrant | LlmRefusal,
  wanted: Wanted,
  deps: AdmissionDeps,
  round: number,
): Soon<Answer> {
  const revision = revisionOf(deps)
  // Body and owner may have taken their time: a key that came since is for the place that the provider is at by now.
  if (!wanted.isSameUpstream()) {
    return refused('unknown_provider', 'The provider was changed meanwhile; ask again.')
  }
  if ('code' in grant) return grant
  const { tokensPerDay, microUsdPerDay } = grant.limits
  const spending = tokensPerDay === null && microUsdPerDay === null ? null : wanted.spending(grant.limits)
  if (spending !== null && 'code' in spending) return spending
  const chosen: Chosen = { grant, spending, model: modelOf(wanted), revision }
  const picked = pickKey(wanted, chosen.model, deps)
  if (!(picked instanceof Promise)) return 'code' in picked ? picked : reserve(picked, chosen, wanted, deps)
  return picked.then((key) => {
    if (revisionOf(deps) === revision && isStillOwn(key, wanted, deps)) {
      return 'code' in key ? key : reserve(key, chosen, wanted, deps)
    }
    if (round >= MAX_ROUNDS) {
      return refused('rate_limited', 'What this request rests on is being changed; ask again.', 1)
    }
    return renewed(wanted) ?? authorizeUse(wanted, deps, round + 1)
  })
}

interface Chosen {
  readonly grant: ProviderGrant
  readonly spending: Spending | null
  readonly model: string | null
  /** Of all that it was evaluated from. */
  readonly revision: number
}

const modelOf = ({ models }: Wanted): string | null => (models.includes(null) ? null : (models[0] ?? null))

const isStillOwn = (
  picked: Picked | LlmRefusal,
  { agent, provider }: Wanted,
  { sharing }: AdmissionDeps,
): boolean =>
  'code' in picked || !picked.needsOwnKey || sharing.isOwn(provider.name, picked.key?.id ?? 0, agent.id)

function reserve(picked: Picked, chosen: Chosen, wanted: Wanted, deps: AdmissionDeps): Soon<Answer> {
  const { grant, spending, model, revision } = chosen
  const { agent, provider, models, group } = wanted
  const place = deps.usage.reserveQuota({
    agentId: agent.id,
    provider: provider.name,
    model,
    moreModels: models,
    limits: grant.limits,
    estimate: spending?.estimate ?? wanted.estimate,
    reportsCost: provider.reportsCost,
  })
  if (!('limit' in place)) {
    const admitted: Admitted = { ...picked, place, spending, revision }
    const isFirst =
      group === 'models' ? undefined : deps.sharing.used(provider.name, picked.key?.id ?? 0, agent.id)
    return isFirst === undefined ? admitted : written(isFirst, admitted)
  }
  if (place.limit === 'no_price') {
    return refused(
      'unmetered',
      `What ${agent.name} may spend is limited, and ${model ?? 'the model'} has no price. The owner sets one with: oauth3 price set ${provider.name} MODEL --input … --output …`,
    )
  }
  const refusal = refused(
    'limit_passed',
    limitMessage(place, provider.name, spending),
    place.retryAfterSeconds,
  )
  return place.first ? deps.access.limitPassed(grant, place.limit).then(() => refusal) : refusal
}

async function written(write: Promise<void>, admitted: Admitted): Promise<Admitted> {
  try {
    await write
    return admitted
  } catch (error) {
    admitted.place.release()
    throw error
  }
}
