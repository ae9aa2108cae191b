/**
 * Limits on a yes: how often a grant may be used and how often it was. Requests that nobody answered: when a person was
 * reminded, and which request asks the same again.
 */
export const GRANT_LIMITS: readonly string[] = [
  `
  CREATE INDEX executions_of_grant ON executions (tenant_id, decided_by, id) WHERE trusted = 1;

  ALTER TABLE approvals ADD COLUMN max_uses INTEGER;
  ALTER TABLE approvals ADD COLUMN uses INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE approvals ADD COLUMN last_used_at INTEGER;
  UPDATE approvals SET
    uses = 1 + (SELECT count(*) FROM executions AS e WHERE e.tenant_id = approvals.tenant_id AND e.trusted = 1
      AND e.decided_by = 'grant:' || approvals.id),
    last_used_at = coalesce((SELECT max(e.created_at) FROM executions AS e WHERE e.tenant_id = approvals.tenant_id
      AND e.trusted = 1 AND e.decided_by = 'grant:' || approvals.id), approved_at);

  ALTER TABLE executions ADD COLUMN reminded_at INTEGER;
  ALTER TABLE executions ADD COLUMN again_of TEXT;
  ALTER TABLE executions ADD COLUMN superseded_by TEXT;
  ALTER TABLE provider_asks ADD COLUMN reminded_at INTEGER;
  ALTER TABLE provider_asks ADD COLUMN again_of TEXT;
  ALTER TABLE provider_asks ADD COLUMN superseded_by TEXT;
`,
]
