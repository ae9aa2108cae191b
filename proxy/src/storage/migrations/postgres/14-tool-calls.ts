/** See the migration of SQLite of the same name. */
export const TOOL_CALLS: readonly string[] = [
  `
  CREATE TABLE tool_calls (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    app_id TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    prompt_sha256 TEXT COLLATE "C" NOT NULL,
    tool TEXT COLLATE "C" NOT NULL,
    input TEXT COLLATE "C" NOT NULL,
    effect TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'cancelled')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    choice TEXT COLLATE "C",
    deny_reason TEXT COLLATE "C",
    ended_at BIGINT,
    decided_by TEXT COLLATE "C",
    decided_by_name TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  );
  CREATE INDEX tool_calls_pending ON tool_calls (tenant_id, expires_at) WHERE status = 'pending';
  CREATE INDEX tool_calls_ended ON tool_calls (tenant_id, ended_at) WHERE status <> 'pending';
  CREATE INDEX tool_calls_newest ON tool_calls (tenant_id, created_at);
  ALTER TABLE tool_calls ENABLE ROW LEVEL SECURITY;
  ALTER TABLE tool_calls FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON tool_calls USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE approval_rules DROP CONSTRAINT approval_rules_scope_check;
  ALTER TABLE approval_rules ADD CONSTRAINT approval_rules_scope_check CHECK (scope IN ('secret', 'agent', 'app', 'tag'));
`,
]
