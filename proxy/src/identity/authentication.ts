import {
  type AccountId,
  type AgentId,
  AppError,
  type AppId,
  type ConsentHash,
  DEFAULT_TENANT,
  type DecisionProof,
  type TenantId,
} from '../kernel/index.ts'
import type { Memberships } from './memberships.ts'
import {
  type AccountPrincipal,
  type AgentPrincipal,
  type AppPrincipal,
  type ApproverId,
  type ApproverPrincipal,
  admitPrincipal,
  isAuthenticated,
  type OwnerPrincipal,
  type ProofMethod,
  type SessionId,
  type SessionPerson,
  type SessionPrincipal,
} from './principal.ts'

/**
 * Makes principals, and nothing else does: a rule of the import directions names the files that may import this one. Each
 * calls it right behind the check of a credential.
 */

/** Of whoever could open the admin socket; `uid` is that of the process, which the socket's mode admits alone. */
export const ownerOfSocket = (
  tenant: TenantId,
  { uid, name }: { readonly uid: string; readonly name: string },
): OwnerPrincipal => admitPrincipal<OwnerPrincipal>({ kind: 'owner', tenant, uid, name })

/** Of a Telegram account that Telegram vouches for; undefined for one that is no approver of this tenant. */
export function approverOfAccount(
  memberships: Memberships,
  tenant: TenantId,
  account: { readonly id: string; readonly name: string },
): ApproverPrincipal | undefined {
  const approverId = account.id as ApproverId
  if (!memberships.approversOf(tenant).has(approverId)) return undefined
  return admitPrincipal<ApproverPrincipal>({ kind: 'approver', tenant, approverId, name: account.name })
}

/** Of whoever signed up, by a credential of theirs; undefined for one whose tenant this is not, or no more. */
export function accountOf(
  memberships: Memberships,
  tenant: TenantId,
  account: { readonly id: AccountId; readonly name: string },
): AccountPrincipal | undefined {
  // The installation's own tenant is nobody's who signed up.
  if (tenant === DEFAULT_TENANT || !memberships.hasAccount(tenant, account.id)) return undefined
  return admitPrincipal<AccountPrincipal>({
    kind: 'account',
    tenant,
    accountId: account.id,
    name: account.name,
  })
}

/** Of the holder of this agent's token. */
export const agentOfToken = (tenant: TenantId, agentId: AgentId): AgentPrincipal =>
  admitPrincipal<AgentPrincipal>({ kind: 'agent', tenant, agentId })

/** Of the holder of this app's token. */
export const appOfToken = (tenant: TenantId, appId: AppId): AppPrincipal =>
  admitPrincipal<AppPrincipal>({ kind: 'app', tenant, appId })

/** Of the holder of ADMIN_BOOTSTRAP_TOKEN, which the host's user wrote into the settings; the surface it is taken at serves apps' tokens alone. */
export const ownerOfBootstrapToken = (tenant: TenantId): OwnerPrincipal =>
  ownerOfSocket(tenant, { uid: 'bootstrap-token', name: 'ADMIN_BOOTSTRAP_TOKEN' })

/** Of the holder of a session's cookie; undefined where its person is no approver of this tenant any more. */
export function sessionOfCookie(
  memberships: Memberships,
  tenant: TenantId,
  session: {
    readonly id: SessionId
    readonly person: SessionPerson
    readonly method: ProofMethod
    readonly steppedUpBy: ProofMethod | null
  },
): SessionPrincipal | undefined {
  const { id, person, method, steppedUpBy } = session
  const of = personOf(memberships, tenant, person)
  if (of === undefined) return undefined
  const unproved = { provedFor: null, proof: null }
  return admitPrincipal<SessionPrincipal>({
    ...{ kind: 'session', tenant, sessionId: id, of, signedInBy: method, steppedUpBy },
    ...unproved,
  })
}

function personOf(memberships: Memberships, tenant: TenantId, person: SessionPerson) {
  switch (person.kind) {
    case 'owner':
      return ownerOfSocket(tenant, person)
    case 'approver':
      return approverOfAccount(memberships, tenant, person)
    case 'account':
      return accountOf(memberships, tenant, person)
  }
}

/** The same session, in the one request whose decision its person's passkey has signed. */
export function sessionWithProof(session: SessionPrincipal, proof: DecisionProof): SessionPrincipal {
  if (!isAuthenticated(session)) throw new AppError('internal', 'Nobody has established who asks.')
  const provedFor = proof.statement.consent_hash as ConsentHash
  return admitPrincipal<SessionPrincipal>({ ...session, provedFor, proof })
}
