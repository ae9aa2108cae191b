import { sessionWithProof } from '../../identity/authentication.ts'
import type { SessionPrincipal } from '../../identity/index.ts'
import type { DecisionAsked, Passkeys, ProvenDecision } from '../../identity/passkeys/index.ts'
import { AppError } from '../../kernel/index.ts'
import type { Owner } from '../admin-routes/index.ts'

/**
 * Step-up for one decision: the principal whose passkey has signed just this answer to just this request. It proves nothing for
 * another, nor in another call, and is not accepted before the unit that decides. Throws refused.
 */
export async function proveDecision(
  passkeys: Passkeys,
  { principal, actor, origin }: Owner,
  asked: DecisionAsked,
  assertion: Parameters<Passkeys['verifyDecision']>[2],
): Promise<ProvenDecision & { readonly by: SessionPrincipal }> {
  if (principal.kind !== 'session' || origin === null)
    throw new AppError('invalid_request', 'A proof goes with a decision at the console alone.')
  const holder = { person: actor, session: principal.sessionId, name: principal.of.name, origin }
  const proven = await passkeys.verifyDecision(holder, asked, assertion)
  return { ...proven, by: sessionWithProof(principal, proven.proof) }
}
