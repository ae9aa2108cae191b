/** See the migration of SQLite of the same name. */
export const GRANT_LIMITS: readonly string[] = [
  `
  CREATE INDEX executions_of_grant ON executions (tenant_id, decided_by, id) WHERE trusted = 1;

  ALTER TABLE approvals ADD COLUMN max_uses BIGINT;
  ALTER TABLE approvals ADD COLUMN uses BIGINT NOT NULL DEFAULT 1;
  ALTER TABLE approvals ADD COLUMN last_used_at BIGINT;
  ALTER TABLE approvals NO FORCE ROW LEVEL SECURITY;
  ALTER TABLE executions NO FORCE ROW LEVEL SECURITY;
  UPDATE approvals SET
    uses = 1 + (SELECT count(*) FROM executions AS e WHERE e.tenant_id = approvals.tenant_id AND e.trusted = 1
      AND e.decided_by = 'grant:' || approvals.id),
    last_used_at = coalesce((SELECT max(e.created_at) FROM executions AS e WHERE e.tenant_id = approvals.tenant_id
      AND e.trusted = 1 AND e.decided_by = 'grant:' || approvals.id), approved_at);
  ALTER TABLE executions FORCE ROW LEVEL SECURITY;
  ALTER TABLE approvals FORCE ROW LEVEL SECURITY;

  ALTER TABLE executions ADD COLUMN reminded_at BIGINT;
  ALTER TABLE executions ADD COLUMN again_of TEXT COLLATE "C";
  ALTER TABLE executions ADD COLUMN superseded_by TEXT COLLATE "C";
  ALTER TABLE provider_asks ADD COLUMN reminded_at BIGINT;
  ALTER TABLE provider_asks ADD COLUMN again_of TEXT COLLATE "C";
  ALTER TABLE provider_asks ADD COLUMN superseded_by TEXT COLLATE "C";
`,
]
