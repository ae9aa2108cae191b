/** Secrets, agents, requests and grants for code, imports. */
export const REQUESTS: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

  CREATE TABLE data_keys (
    id INTEGER PRIMARY KEY,
    wrapped TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE secrets (
    id INTEGER PRIMARY KEY,
    name TEXT UNIQUE NOT NULL,
    encrypted_value TEXT NOT NULL,
    version INTEGER NOT NULL,
    hosts TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE agents (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    token_sha256 TEXT UNIQUE NOT NULL,
    cidrs TEXT NOT NULL,
    wake TEXT,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX agents_active_name ON agents (name) WHERE revoked_at IS NULL;

  CREATE TABLE code (
    hash TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE approvals (
    id INTEGER PRIMARY KEY,
    skill_id TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    trust_level TEXT NOT NULL CHECK (trust_level IN ('once', '24h', 'forever')),
    approved_at INTEGER NOT NULL,
    expires_at INTEGER,
    any_args INTEGER NOT NULL,
    scope_hash TEXT NOT NULL,
    consent TEXT NOT NULL,
    consent_hash TEXT NOT NULL,
    request_id TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    ended_at INTEGER,
    ended_why TEXT CHECK (ended_why IN ('used', 'expired', 'revoked', 'replaced'))
  ) STRICT;
  CREATE UNIQUE INDEX approvals_standing_scope ON approvals (scope_hash) WHERE ended_at IS NULL;
  CREATE INDEX approvals_standing ON approvals (skill_id, code_hash) WHERE ended_at IS NULL;
  CREATE INDEX approvals_ending ON approvals (expires_at) WHERE ended_at IS NULL AND expires_at IS NOT NULL;
  CREATE UNIQUE INDEX approvals_once_per_request ON approvals (request_id);

  CREATE TABLE executions (
    id INTEGER PRIMARY KEY,
    request_id TEXT UNIQUE NOT NULL,
    skill_id TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'awaiting_secrets', 'approved', 'running', 'success',
      'failed', 'denied', 'expired', 'cancelled')),
    approved INTEGER NOT NULL DEFAULT 0,
    executed_at INTEGER,
    duration_ms INTEGER,
    result TEXT,
    created_at INTEGER NOT NULL,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    consent TEXT NOT NULL,
    consent_hash TEXT NOT NULL,
    changes TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    trusted INTEGER NOT NULL,
    decision TEXT,
    decided_by TEXT,
    decided_by_name TEXT,
    decided_at INTEGER,
    finished_at INTEGER,
    failure TEXT,
    seen_at INTEGER,
    acked_at INTEGER
  ) STRICT;
  CREATE INDEX executions_of_agent ON executions (agent_id, id);
  CREATE INDEX executions_of_agent_by_status ON executions (agent_id, status, id);
  CREATE INDEX executions_open ON executions (status, id)
    WHERE status IN ('pending', 'awaiting_secrets', 'approved', 'running');
  CREATE INDEX executions_expiring ON executions (expires_at) WHERE status IN ('pending', 'awaiting_secrets');
  CREATE UNIQUE INDEX executions_waiting_twin ON executions (agent_id, consent_hash)
    WHERE status IN ('pending', 'awaiting_secrets');

  CREATE TABLE idempotency (
    agent_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (agent_id, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_age ON idempotency (created_at);

  CREATE TABLE cards (
    token TEXT PRIMARY KEY,
    request_id TEXT NOT NULL,
    chat_id TEXT NOT NULL,
    consent_hash TEXT NOT NULL,
    message_id INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (request_id, chat_id)
  ) STRICT;

  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outbox_lane ON outbox (lane, id);

  CREATE TABLE wakes (
    request_id TEXT PRIMARY KEY REFERENCES executions (request_id),
    agent_id TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX wakes_due ON wakes (next_at);

  CREATE TABLE audit_log (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    request_id TEXT,
    data TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_of_request ON audit_log (request_id) WHERE request_id IS NOT NULL;
  CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
  CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
  `,

  `
  CREATE INDEX wakes_of_agent ON wakes (agent_id, next_at, request_id);
  `,

  `
  CREATE TABLE import_files (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE import_locks (
    hash TEXT PRIMARY KEY,
    manifest TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  `,
]
