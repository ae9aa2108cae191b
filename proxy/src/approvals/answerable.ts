import { authorize, type Principal, resourceOf } from '../identity/index.ts'
import type { TenantId } from '../kernel/index.ts'
import type { ApprovalKind, ApprovalSubject, RefusalReason } from './kind.ts'

interface Unanswerable {
  readonly reason: Extract<RefusalReason, 'not_permitted' | 'other_consent'>
  readonly message: string
}

/** SSRF: a tenant that was handed to somebody gives no way into the network of the host. */
export const mayReachHost = (tenant: TenantId, by: Principal): boolean =>
  authorize(by, 'approval.reach_host', resourceOf(tenant, 'approval.reach_host')).allowed

/** What stands before every answer of a person, whichever it is; undefined: it may be given. */
export function whyUnanswerable<Row extends ApprovalSubject>(
  kind: Pick<ApprovalKind<Row, never>, 'contentHash' | 'requesterOf'>,
  tenant: TenantId,
  row: Row,
  shownHash: string,
  by: Principal,
): Unanswerable | undefined {
  const resource = resourceOf(tenant, 'approval.decide', kind.requesterOf(row).id)
  if (!authorize(by, 'approval.decide', resource).allowed)
    return { reason: 'not_permitted', message: 'You may not decide this.' }
  // TOCTOU between looking and answering: what is answered is what was shown, or nothing.
  if (kind.contentHash(row) !== shownHash)
    return { reason: 'other_consent', message: 'This card is for another request.' }
  return undefined
}
