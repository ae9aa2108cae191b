import type {
  AgentView,
  AuditArchiveView,
  AuditRowView,
  AuditVerdictView,
  GrantView,
  NetworkView,
  RequestSummary,
  RequestView,
  SecretView,
} from '../../contracts/admin/index.ts'
import type { Agent } from '../../domain/agents/index.ts'
import type { CardModel } from '../../domain/approvals/index.ts'
import type { AuditArchive, AuditVerdict, StoredAuditRow } from '../../domain/audit/index.ts'
import { describeRefusal, type EgressSummary } from '../../domain/egress/index.ts'
import {
  type Execution,
  type ExecutionSummary,
  type Executions,
  isFinal,
} from '../../domain/executions/index.ts'
import { type Grant, scopeOfGrant } from '../../domain/trust/index.ts'
import type { SecretRecord } from '../../domain/vault/index.ts'

/** The domain's things as the admin socket tells them: no sealed value, no token hash. */
export const viewSecret = (record: SecretRecord): SecretView => ({
  name: record.name,
  version: record.version,
  hosts: record.hosts === null ? null : [...record.hosts],
  created_at: record.createdAt,
  updated_at: record.updatedAt,
})

export const viewAgent = (agent: Agent): AgentView => ({
  id: agent.id,
  name: agent.name,
  cidrs: [...agent.cidrs],
  tags: [...agent.tags],
  wake: agent.wake && {
    kind: agent.wake.kind,
    target: agent.wake.target,
    session_key: agent.wake.sessionKey,
  },
  created_at: agent.createdAt,
  revoked_at: agent.revokedAt,
  old_token_until: agent.previous?.until ?? null,
})

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

export function viewRequest(
  executions: Pick<Executions, 'consentOf' | 'cardOf'>,
  execution: Execution,
): RequestView {
  const consent = executions.consentOf(execution)
  const card = executions.cardOf(execution)
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
  }
}

export const viewAuditRow = (row: StoredAuditRow): AuditRowView => ({
  id: row.id,
  at: row.at,
  event: row.event,
  actor: row.actor,
  request_id: row.requestId,
  data: row.data,
  prev_hash: row.prevHash,
  hash: row.hash,
})

export const viewArchive = (archive: AuditArchive): AuditArchiveView => ({
  name: archive.name,
  first: archive.first,
  last: archive.last,
  head_hash: archive.head,
  digest: archive.digest,
  bytes: archive.bytes,
  archived_at: archive.archivedAt,
})

export const viewVerdict = (verdict: AuditVerdict): AuditVerdictView =>
  verdict.ok
    ? { ok: true, rows: verdict.rows, archived: verdict.archived, head_hash: verdict.headHash }
    : { ok: false, rows: verdict.rows, broken_id: verdict.brokenId, reason: verdict.reason }
