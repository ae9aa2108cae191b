import { agentOfToken, approverOfAccount, ownerOfSocket } from '../../src/identity/authentication.ts'
import {
  type ApproverPrincipal,
  createConfiguredMemberships,
  type OwnerPrincipal,
  type Principal,
} from '../../src/identity/index.ts'
import { admitPrincipal, type SessionId } from '../../src/identity/principal.ts'
import { type AgentId, type ConsentHash, DEFAULT_TENANT, type TenantId } from '../../src/kernel/index.ts'

/** Principals of the default tenant as authentication makes them, without the credential. */
export const owner = (uid = '0', name = 'owner', tenant: TenantId = DEFAULT_TENANT): OwnerPrincipal =>
  ownerOfSocket(tenant, { uid, name })

/** Of a Telegram account that is an approver's. */
export function approver(id: string, name: string): ApproverPrincipal {
  const made = approverOfAccount(createConfiguredMemberships([id]), DEFAULT_TENANT, { id, name })
  if (made === undefined) throw new Error('the account is no approver')
  return made
}

export const asAgent = (id: AgentId, tenant: TenantId = DEFAULT_TENANT) => agentOfToken(tenant, id)

/** Of a person who signed in to the console; `provedFor`: the consent that their passkey has signed in this request. */
export const consoleOf = (
  of: OwnerPrincipal | ApproverPrincipal,
  provedFor: ConsentHash | null = null,
): Principal =>
  admitPrincipal({
    ...{ kind: 'session', tenant: of.tenant, of, provedFor, proof: null },
    ...{ sessionId: `ses_${of.kind}` as SessionId, signedInBy: 'link', steppedUpBy: 'link' },
  })
