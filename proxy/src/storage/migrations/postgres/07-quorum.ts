/** See the migration of SQLite of the same name. */
export const QUORUM: readonly string[] = [
  `
  CREATE TABLE approval_rules (
    tenant_id TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL CHECK (scope IN ('secret', 'agent', 'tag')),
    name TEXT COLLATE "C" NOT NULL,
    approvals BIGINT NOT NULL CHECK (approvals >= 1),
    risk TEXT COLLATE "C" NOT NULL CHECK (risk IN ('normal', 'high')),
    PRIMARY KEY (tenant_id, scope, name)
  );
  ALTER TABLE approval_rules ENABLE ROW LEVEL SECURITY;
  ALTER TABLE approval_rules FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON approval_rules USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  CREATE TABLE approval_votes (
    tenant_id TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    channel TEXT COLLATE "C" NOT NULL CHECK (channel IN ('telegram', 'terminal', 'console')),
    consent_hash TEXT COLLATE "C" NOT NULL,
    answer TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    proved BIGINT NOT NULL CHECK (proved IN (0, 1)),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, request_id, person)
  );
  ALTER TABLE approval_votes ENABLE ROW LEVEL SECURITY;
  ALTER TABLE approval_votes FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON approval_votes USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
