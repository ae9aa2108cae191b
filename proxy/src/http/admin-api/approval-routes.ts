import type { Approvals } from '../../approvals/index.ts'
import type { AuditLog } from '../../audit/index.ts'
import type { Passkeys } from '../../identity/passkeys/index.ts'
import { AppError, type Json, type Storage } from '../../kernel/index.ts'
import type { AdminHandlers, Owner } from '../admin-routes/index.ts'
import { viewApproval, viewApprovalSummary } from './approval-views.ts'
import { proveDecision } from './prove-decision.ts'

interface ApprovalRoutesDeps {
  readonly approvals: Approvals
  readonly storage: Storage
  readonly owner: Owner
  readonly passkeys: Passkeys
  readonly audit: Pick<AuditLog, 'append'>
  /** By the name of a kind what versions before told of it, beside what is told of every kind. A new kind has none. */
  readonly details: Readonly<Record<string, (id: string) => Promise<object>>>
}

/** All that waits for an answer, whatever it is for. */
export function approvalRoutes({ approvals, storage, owner, passkeys, audit, details }: ApprovalRoutesDeps) {
  const view = async (id: string) => {
    const found = await storage.read((tx) => approvals.detail(tx, id))
    const before = Object.hasOwn(details, found.kind) ? await details[found.kind]?.(id) : undefined
    return { ...viewApproval(found), details: { ...before } }
  }
  const resolve = (text: string): Promise<string> => storage.read((tx) => approvals.resolve(tx, text))
  return {
    async listApprovals({ query }) {
      const which = query.all === '1' ? 'newest' : 'waiting'
      const found = await storage.read((tx) => approvals.list(tx, { which }))
      return { approvals: found.map(viewApprovalSummary) }
    },
    readApproval: async ({ params }) => await view(await resolve(params.id)),
    async compareApproval({ params }) {
      const id = await resolve(params.id)
      const texts = await storage.read((tx) => approvals.compared(tx, id))
      return { texts: texts.map((text) => ({ ...text })) }
    },
    async decideApproval({ params, body: { choice, consent_hash, reason = null, terms = null, proof } }) {
      const id = await resolve(params.id)
      const given = { reason, terms: terms as Record<string, Json> | null }
      const asked = { approval: id, choice, consent_hash, terms: given.terms }
      const proven = proof && (await proveDecision(passkeys, owner, asked, proof))
      const outcome = await storage.transaction(async (tx) => {
        if (proven) {
          const { requestId = null } = (await approvals.find(tx, id))?.audit ?? {}
          await passkeys.accept(tx, proven)
          const passkey = proven.credentialId
          await audit.append(tx, 'approval.proved', owner.actor, requestId, { approval: id, passkey })
        }
        return await approvals.choose(tx, id, consent_hash, choice, proven?.by ?? owner.principal, given)
      })
      if (outcome === undefined) throw new AppError('invalid_request', `The request has no choice ${choice}.`)
      const decided = await view(id)
      if (!outcome.accepted) {
        throw new AppError('refused', outcome.reason === 'other_consent' ? OTHER : outcome.message, {
          details: { reason: outcome.reason, status: decided.status },
        })
      }
      const { grant = null } = decided.details as { readonly grant?: null }
      return { ...decided, message: outcome.message, grant }
    },
    async askAgain({ params, body: { consent_hash } }) {
      const id = await resolve(params.id)
      const outcome = await storage.transaction((tx) =>
        approvals.askAgain(tx, id, consent_hash, owner.principal),
      )
      if (outcome.accepted) return await view(outcome.id)
      throw new AppError('refused', outcome.reason === 'other_consent' ? OTHER : outcome.message, {
        details: { reason: outcome.reason },
      })
    },
  } satisfies Partial<AdminHandlers>
}

const OTHER = 'The request is by now another than was shown; look at it again.'
