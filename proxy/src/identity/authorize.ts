import {
  type AgentId,
  AppError,
  type AppId,
  type ConsentHash,
  DEFAULT_TENANT,
  type TenantId,
} from '../kernel/index.ts'
import { type Action, permissionOf } from './permissions.ts'
import { isAuthenticated, type Principal } from './principal.ts'

type KindOf<A> = A extends `${infer Kind}.${string}` ? Kind : never

/** What is acted upon. */
export interface Resource<A extends Action = Action> {
  /** Of the rows that it was read from, never of the one who asks. */
  readonly tenant: TenantId
  readonly kind: KindOf<A>
  /** Whose it is; null for what is the tenant's. */
  readonly owner: AgentId | AppId | null
}

/** Why not, for the log and for persons; an agent is told no more than that there is no such thing. */
const DENIALS = {
  unauthenticated: 'Nobody has established who asks.',
  other_tenant: 'It belongs to another tenant.',
  installation: 'It reaches beyond this tenant: whoever runs the daemon does it, with oauth3 on its machine.',
  unknown_action: 'There is no such action, or not for such a thing.',
  not_permitted: 'You may not do this.',
  not_yours: 'It belongs to somebody else.',
  step_up_required: 'Prove again who you are, then repeat it.',
  passkey_required:
    'Prove with a passkey who you are, then repeat it; without one: oauth3, on the daemon’s machine.',
} as const

type DenialReason = keyof typeof DENIALS

export type Verdict = { readonly allowed: true } | { readonly allowed: false; readonly reason: DenialReason }

const ALLOWED: Verdict = { allowed: true }
const denied = (reason: DenialReason): Verdict => ({ allowed: false, reason })

/** Access control (against a confused deputy, and tenants that reach for each other): whether the principal may do this to that. The one place that says so. Reads nothing; fails closed. */
export function authorize<A extends Action>(principal: Principal, action: A, resource: Resource<A>): Verdict {
  if (!isAuthenticated(principal)) return denied('unauthenticated')
  if (principal.tenant !== resource.tenant) return denied('other_tenant')
  const permission = permissionOf(action)
  if (permission === undefined || !action.startsWith(`${resource.kind}.`)) return denied('unknown_action')
  const acting = principal.kind === 'session' ? principal.of : principal
  // Whoever signed up owns their tenant.
  const reach = permission.may[acting.kind === 'account' ? 'owner' : acting.kind]
  if (reach === undefined) return denied('not_permitted')
  if (reach === 'own' && !isOwn(acting, resource)) return denied('not_yours')
  if (permission.scope === 'installation' && !isOfInstallation(principal)) return denied('installation')
  if (principal.kind === 'session') {
    if (permission.stepUp === 'passkey' && principal.steppedUpBy !== 'passkey')
      return denied('passkey_required')
    if (permission.stepUp === true && principal.steppedUpBy === null) return denied('step_up_required')
  }
  // A key that a program holds proves nothing about the person.
  if (principal.kind === 'account' && (permission.stepUp === true || permission.stepUp === 'passkey'))
    return denied('step_up_required')
  return ALLOWED
}

/** `if_high_risk`: whether a passkey has signed this very consent, in the request that decides. An assertion over another proves nothing. */
export const hasProved = (principal: Principal, consentHash: ConsentHash): boolean =>
  isAuthenticated(principal) && principal.kind === 'session' && principal.provedFor === consentHash

/** The admin socket names a tenant and stays the host's own; a link to that tenant's console is handed to somebody else. Whoever signed up is never of it. */
function isOfInstallation(principal: Principal): boolean {
  const acting = principal.kind === 'session' ? principal.of : principal
  if (acting.kind === 'account') return false
  return principal.kind === 'owner' || principal.tenant === DEFAULT_TENANT
}

const isOwn = (principal: Principal, { owner }: Resource): boolean =>
  owner !== null &&
  ((principal.kind === 'agent' && principal.agentId === owner) ||
    (principal.kind === 'app' && principal.appId === owner))

/** Throws `refused`, with the reason in `details`. */
export function assertAuthorized<A extends Action>(
  principal: Principal,
  action: A,
  resource: Resource<A>,
): void {
  const verdict = authorize(principal, action, resource)
  if (!verdict.allowed) {
    throw new AppError('refused', DENIALS[verdict.reason], { details: { reason: verdict.reason } })
  }
}

/** All things of the action's kind that the tenant has, or those of them that are one agent's or app's. */
export const resourceOf = <A extends Action>(
  tenant: TenantId,
  action: A,
  owner: AgentId | AppId | null = null,
): Resource<A> => ({ tenant, kind: action.slice(0, action.indexOf('.')) as KindOf<A>, owner })
