/**
 * Calls of tools that runs of apps ask a person for, with their arguments, and rules of how many approve what an app asks. The
 * rules' table is made anew, since SQLite changes no CHECK; it has a row for each rule that somebody made by hand.
 */
export const TOOL_CALLS: readonly string[] = [
  `
  CREATE TABLE tool_calls (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    prompt_sha256 TEXT NOT NULL,
    tool TEXT NOT NULL,
    input TEXT NOT NULL,
    effect TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired', 'cancelled')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    choice TEXT,
    deny_reason TEXT,
    ended_at INTEGER,
    decided_by TEXT,
    decided_by_name TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  ) STRICT;
  CREATE INDEX tool_calls_pending ON tool_calls (tenant_id, expires_at) WHERE status = 'pending';
  CREATE INDEX tool_calls_ended ON tool_calls (tenant_id, ended_at) WHERE status <> 'pending';
  CREATE INDEX tool_calls_newest ON tool_calls (tenant_id, created_at);
  CREATE TABLE approval_rules_of_apps (
    tenant_id TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('secret', 'agent', 'app', 'tag')),
    name TEXT NOT NULL,
    approvals INTEGER NOT NULL CHECK (approvals >= 1),
    risk TEXT NOT NULL CHECK (risk IN ('normal', 'high')),
    PRIMARY KEY (tenant_id, scope, name)
  ) STRICT;
  INSERT INTO approval_rules_of_apps SELECT tenant_id, scope, name, approvals, risk FROM approval_rules;
  DROP TABLE approval_rules;
  ALTER TABLE approval_rules_of_apps RENAME TO approval_rules;
`,
]
