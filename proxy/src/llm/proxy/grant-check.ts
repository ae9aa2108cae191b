import { type ProviderGrant, strictest } from '../provider-access/index.ts'
import { denied } from './access-refusals.ts'
import { type AccessRules, type CallerUse, countedBy, NOT_COUNTED, type Permission } from './caller.ts'
import type { GrantCriteria } from './grant-criteria.ts'
import { type LlmRefusal, refused } from './refusal.ts'

/** The first use that is not granted; else the grant of them all, with the strictest limits where there are several. */
export function grantFor(
  criteria: GrantCriteria,
  access: AccessRules,
  counted: readonly number[] = NOT_COUNTED,
): Permission | LlmRefusal | { readonly use: CallerUse } {
  const { provider, path, isListing } = criteria
  // A grant for every model covers whatever the request names: nothing has to be looked for, but one that counts no requests.
  const wide = access.evaluate(useOf(criteria, null), counted)
  if (wide.verdict === 'granted' && countedBy(wide.grant).length === 0) return wide.grant
  let first: Permission | undefined
  for (const use of usesOf(criteria)) {
    const verdict = access.evaluate(use, counted)
    if (verdict.verdict === 'denied') return denied(provider.name, verdict.retryAfterSeconds)
    if (verdict.verdict === 'refused') return verdict.refusal
    const grant =
      verdict.verdict === 'granted'
        ? verdict.grant
        : isListing && criteria.group === 'models' && path === '/models'
          ? anyGrant(use, access)
          : undefined
    if (grant === undefined) return { use }
    if (first === undefined) first = grant
    else if (first.id !== grant.id) first = both(first, grant)
  }
  return first ?? refused('internal', 'No grant was evaluated.')
}

const both = (first: Permission, other: Permission): Permission => ({
  ...first,
  limits: strictest([first.limits, other.limits]),
  counted: [...new Set([...countedBy(first), ...countedBy(other)])],
})

/** Whether what was let through would be let through now, its limits aside. */
export const isStillGranted = (
  criteria: GrantCriteria & { readonly counted: readonly number[] },
  access: AccessRules,
): boolean => 'limits' in grantFor(criteria, access, criteria.counted)

/** One for each model that is named, and one without a name where none is. */
function usesOf(criteria: GrantCriteria): CallerUse[] {
  const models = criteria.allModels()
  return (models.length === 0 ? NO_MODEL : models).map((model) => useOf(criteria, model))
}

const useOf = ({ agent, provider, group, path }: GrantCriteria, model: string | null): CallerUse => ({
  agentId: agent.id,
  provider: provider.name,
  model,
  group,
  path,
})

const NO_MODEL: readonly null[] = [null]

/** Which models there are may be read by whoever may use one of them. */
export const anyGrant = (
  { agentId, provider }: CallerUse,
  access: Pick<AccessRules, 'grants'>,
): ProviderGrant | undefined =>
  access
    .grants()
    .find(
      (grant) =>
        grant.agentId === agentId &&
        grant.provider === provider &&
        grant.paths === null &&
        (grant.limits.requests === null || grant.requestsUsed < grant.limits.requests) &&
        grant.groups.includes('models'),
    )
