import type { CardModel } from '../../approvals/index.ts'
import { type Grant, scopeOfGrant } from '../../approvals/trust/index.ts'
import type { GrantView, NetworkView, RequestSummary, RequestView } from '../../contracts/admin/index.ts'
import { describeRefusal, type EgressSummary } from '../../egress/index.ts'
import type { ReadTx } from '../../kernel/index.ts'
import { type Execution, type ExecutionSummary, type Executions, isFinal } from '../index.ts'

/** Requests and grants as the admin socket tells them: no sealed value. */
export const viewSummary = (execution: Execution | ExecutionSummary, agentName: string): RequestSummary => ({
  request_id: execution.requestId,
  skill_id: execution.skillId,
  agent: agentName,
  status: execution.status,
  ended: isFinal(execution.status),
  code_hash: execution.codeHash,
  consent_hash: execution.consentHash,
  created_at: execution.createdAt,
  expires_at: execution.expiresAt,
})

export async function viewRequest(
  tx: ReadTx,
  executions: Pick<Executions, 'consentOf' | 'cardOf'>,
  execution: Execution,
): Promise<RequestView> {
  const consent = executions.consentOf(execution)
  const card = await executions.cardOf(tx, execution)
  return {
    ...viewSummary(execution, consent.agent.name),
    trusted: execution.trusted,
    decision: execution.decision,
    decided_by: execution.decidedBy,
    decided_by_name: execution.decidedByName,
    decided_at: execution.decidedAt,
    deny_reason: execution.denyReason,
    finished_at: execution.finishedAt,
    duration_ms: execution.durationMs,
    failure: execution.failure,
    result: execution.result && {
      stdout: execution.result.stdout,
      stderr: execution.result.stderr,
      exit_code: execution.result.exitCode,
      truncated: execution.result.truncated,
      not_kept: execution.result.notKept === true,
      network: execution.result.network === undefined ? null : viewNetwork(execution.result.network),
    },
    card: viewCard(card),
  }
}

export const viewCard = (card: CardModel): RequestView['card'] => ({
  ...card,
  changes: [...card.changes],
  warnings: [...card.warnings],
  secrets: [...card.secrets],
  provenance: card.provenance && {
    ...card.provenance,
    declaredSecrets: [...card.provenance.declaredSecrets],
    declaredNetwork: [...card.provenance.declaredNetwork],
  },
  choices: card.choices.map((row) => [...row]),
})

const viewNetwork = (network: EgressSummary): NetworkView => ({
  requests: network.requests,
  refused: network.refused.map((refusal) => ({
    rule: refusal.rule,
    origin: refusal.origin,
    secrets: [...refusal.secrets],
    count: refusal.count,
    said: describeRefusal(refusal),
  })),
  more_refused: network.moreRefused,
})

export function viewGrant(grant: Grant): GrantView {
  const scope = scopeOfGrant(grant)
  return {
    id: grant.id,
    skill_id: grant.skillId,
    code_hash: grant.codeHash,
    level: grant.level,
    any_args: grant.anyArgs,
    agent: scope?.agent ?? '',
    secrets: [...(scope?.secrets ?? [])],
    hosts: [...(scope?.hosts ?? [])],
    sends: scope?.sends ?? 'nothing: its consent cannot be read',
    approved_by: grant.approvedBy,
    approved_at: grant.approvedAt,
    expires_at: grant.expiresAt,
    request_id: grant.requestId,
    max_uses: grant.maxUses,
    uses: grant.uses,
    uses_left: grant.maxUses === null ? null : Math.max(0, grant.maxUses - grant.uses),
    last_used_at: grant.lastUsedAt,
    ended_at: grant.endedAt,
    ended_why: grant.endedWhy,
  }
}
