import { strictest } from '../provider-access/index.ts'
import type { Admission, Limited, SpendingLimits } from '../usage/index.ts'
import { revisionOf } from './allowed-revision.ts'
import { askOwner, MAX_ROUNDS } from './ask-owner.ts'
import { countedBy, type Permission } from './caller.ts'
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
  grant: Permission | LlmRefusal,
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
  const limits = limitsOf(grant)
  const isLimited = limits.tokensPerDay !== null || limits.microUsdPerDay !== null
  const spending = isLimited ? wanted.spending(limits, grant.budget !== undefined) : null
  if (spending !== null && 'code' in spending) return spending
  const chosen: Chosen = { grant, spending, model: modelOf(wanted), revision }
  const picked = pickKey(wanted, chosen.model, deps)
  if (!(picked instanceof Promise))
    return 'code' in picked ? picked : reserve(picked, chosen, wanted, deps, round)
  return picked.then((key) => {
    if (revisionOf(deps) === revision && isStillOwn(key, wanted, deps)) {
      return 'code' in key ? key : reserve(key, chosen, wanted, deps, round)
    }
    return onceMore(wanted, deps, round)
  })
}

function onceMore(wanted: Wanted, deps: AdmissionDeps, round: number): Soon<Answer> {
  if (round >= MAX_ROUNDS) {
    return refused('rate_limited', 'What this request rests on is being changed; ask again.', 1)
  }
  return renewed(wanted) ?? authorizeUse(wanted, deps, round + 1)
}

const limitsOf = ({ limits, budget }: Permission): SpendingLimits =>
  budget === undefined ? limits : strictest([limits, budget.limits])

interface Chosen {
  readonly grant: Permission
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

function reserve(
  picked: Picked,
  chosen: Chosen,
  wanted: Wanted,
  deps: AdmissionDeps,
  round: number,
): Soon<Answer> {
  const { grant, spending, model, revision } = chosen
  const { agent, provider, models, group } = wanted
  const place = deps.usage.reserveQuota({
    agentId: agent.id,
    provider: provider.name,
    model,
    moreModels: models,
    limits: grant.limits,
    budget: grant.budget,
    estimate: spending?.estimate ?? wanted.estimate,
    reportsCost: provider.reportsCost,
  })
  if (!('limit' in place)) {
    const counted = countedBy(grant)
    const admitted: Admitted = { ...picked, place, spending, revision, counted }
    const isFirst =
      group === 'models' ? undefined : deps.sharing.used(provider.name, picked.key?.id ?? 0, agent.id)
    if (counted.length > 0) return takeRequest(admitted, isFirst, () => onceMore(wanted, deps, round), deps)
    return isFirst === undefined ? admitted : written(isFirst, admitted)
  }
  if (place.limit === 'no_price') {
    return refused(
      'unmetered',
      `What ${agent.name} may spend is limited, and ${model ?? 'the model'} has no price. The owner sets one with: oauth3 price set ${provider.name} MODEL --input … --output …`,
    )
  }
  if (grant.budget !== undefined && place.why === 'under_way') return whenFreed(wanted, deps)
  const refusal = limitRefusal(place, chosen, provider.name)
  return place.first ? deps.access.limitPassed(grant, place.limit).then(() => refusal) : refusal
}

/** A run that has used up what it may ends by it: nothing tells its client to try again. */
function limitRefusal(limited: Limited, { grant, spending }: Chosen, provider: string): LlmRefusal {
  const message = limitMessage(limited, provider, spending)
  return grant.budget === undefined || limited.limit === 'requests_per_minute'
    ? refused('limit_passed', message, limited.retryAfterSeconds)
    : refused('budget_exceeded', message)
}

/**
 * Calls that a run makes at once wait for each other's reservations: a client that is refused for what it has under way itself would
 * give its run up. Each gives back what it did not use when it is over.
 */
async function whenFreed(wanted: Wanted, deps: AdmissionDeps): Promise<Answer> {
  const { agent, provider } = wanted
  const left = AbortSignal.any([wanted.gone(), deps.closing])
  await Promise.race([deps.usage.roomFreed({ agentId: agent.id, provider: provider.name }), aborted(left)])
  if (deps.closing.aborted) {
    return refused('shutting_down', 'The daemon is stopping; ask again in a moment.', 5)
  }
  if (left.aborted) return refused('bad_request', 'The client left.')
  return renewed(wanted) ?? authorizeUse(wanted, deps)
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

async function written(write: Promise<void>, admitted: Admitted): Promise<Admitted> {
  try {
    await write
    return admitted
  } catch (error) {
    admitted.place.release()
    throw error
  }
}

/** The last of all, for none is given back. What else came in at once may have taken the last one: then it is evaluated anew. */
async function takeRequest(
  admitted: Admitted,
  isFirst: Promise<void> | undefined,
  again: () => Soon<Answer>,
  { access }: AdmissionDeps,
): Promise<Answer> {
  const { counted, place } = admitted
  let isTaken = false
  try {
    await isFirst
    isTaken = await access.takeRequest(counted)
  } finally {
    if (!isTaken) place.release()
  }
  return isTaken ? { ...admitted, place: tellingOf(place, () => access.requestOver(counted)) } : again()
}

function tellingOf(place: Admission, over: () => void): Admission {
  let isOver = false
  const once = (end: () => void): void => {
    end()
    if (isOver) return
    isOver = true
    over()
  }
  return {
    cap: place.cap,
    settle: (entry) => once(() => place.settle(entry)),
    release: () => once(() => place.release()),
  }
}
