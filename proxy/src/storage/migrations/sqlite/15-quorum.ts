/**
 * What a yes to a request takes: rules by secret, agent or tag, and the yeses given so far. A rule of a name outlives what
 * the name stands for, so that a secret which is removed and stored anew is of the same risk.
 */
export const QUORUM: readonly string[] = [
  `
  CREATE TABLE approval_rules (
    tenant_id TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('secret', 'agent', 'tag')),
    name TEXT NOT NULL,
    approvals INTEGER NOT NULL CHECK (approvals >= 1),
    risk TEXT NOT NULL CHECK (risk IN ('normal', 'high')),
    PRIMARY KEY (tenant_id, scope, name)
  ) STRICT;
  CREATE TABLE approval_votes (
    tenant_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    person TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT,
    channel TEXT NOT NULL CHECK (channel IN ('telegram', 'terminal', 'console')),
    consent_hash TEXT NOT NULL,
    answer TEXT NOT NULL,
    label TEXT NOT NULL,
    proved INTEGER NOT NULL CHECK (proved IN (0, 1)),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, request_id, person)
  ) STRICT;
`,
]
