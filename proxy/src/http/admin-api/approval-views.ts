import { type ApprovalDetail, type ApprovalView, plainLine } from '../../approvals/index.ts'
import type { ApprovalSummary, ApprovalView as WireView } from '../../contracts/admin/index.ts'
import { viewCard } from '../../executions/owner-routes/index.ts'

export const viewApprovalSummary = (approval: ApprovalView): ApprovalSummary => ({
  id: approval.id,
  kind: approval.kind,
  agent: approval.requester.name,
  requester_id: approval.requester.id,
  asked_by: approval.requester.kind,
  summary: plainLine(approval.summary),
  state: approval.state,
  status: approval.status,
  waiting: approval.isWaiting,
  ended: approval.hasEnded,
  can_stop: approval.canStop,
  failure: approval.failure,
  consent_hash: approval.contentHash,
  created_at: approval.createdAt,
  expires_at: approval.expiresAt,
  risk: approval.risk,
  approvals_needed: approval.approvalsNeeded,
  approvals_given: approval.approvalsGiven,
  approvals: [...approval.approvals],
  reminded_at: approval.followUp.remindedAt,
  can_ask_again: approval.canAskAgain,
  again_of: approval.followUp.againOf,
  superseded_by: approval.followUp.supersededBy,
})

export function viewApproval(approval: ApprovalDetail): Omit<WireView, 'details'> {
  const { card, outcome, awaited } = approval
  return {
    ...viewApprovalSummary(approval),
    shown:
      card.form === 'program'
        ? { form: 'program', card: viewCard(card.model) }
        : {
            ...{ form: 'lines', lines: card.lines.map((line) => [...line]), question: card.question },
            text: card.text ?? null,
          },
    notes: card.notes.map((line) => [...line]),
    choices: card.choices.flat().map(({ choice, label, holds, scope, gives, takesReason, terms }) => ({
      ...{ choice, label, holds },
      ...{ scope: scope ?? null, gives: gives ?? null, takes_reason: takesReason === true },
      ...{ terms: [...(terms?.names ?? [])], needs_terms: terms?.areNeeded === true },
    })),
    awaited,
    outcome: {
      lines: outcome.lines.map((line) => [...line]),
      tone: outcome.tone ?? null,
      note: outcome.note ?? '',
      decided: outcome.decided ?? null,
      rows: (outcome.rows ?? []).map(({ label, value, tone = null }) => ({ label, value, tone })),
      texts: (outcome.texts ?? []).map(({ label, text }) => ({ label, text })),
    },
  }
}
