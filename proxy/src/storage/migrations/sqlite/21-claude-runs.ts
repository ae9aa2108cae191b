/** Apps that have prompts run by Claude Code, their files and sessions, and the runs. Bodies are files beside the database, whose keys stand here sealed. */
export const CLAUDE_RUNS: readonly string[] = [
  `
  CREATE TABLE apps (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    token_sha256 TEXT NOT NULL,
    cidrs TEXT NOT NULL,
    scopes TEXT NOT NULL,
    tools TEXT NOT NULL,
    models TEXT,
    provider TEXT NOT NULL,
    limits TEXT NOT NULL,
    keeps_prompts INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, id)
  ) STRICT;
  CREATE UNIQUE INDEX apps_active_name ON apps (tenant_id, name) WHERE revoked_at IS NULL;
  CREATE TABLE app_files (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    name TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    blob TEXT NOT NULL,
    blob_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  ) STRICT;
  CREATE INDEX app_files_of_app ON app_files (tenant_id, app_id);
  CREATE INDEX app_files_end ON app_files (tenant_id, expires_at);
  CREATE TABLE claude_sessions (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    cli_session TEXT NOT NULL,
    parent TEXT,
    runs INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    blob TEXT NOT NULL,
    blob_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  ) STRICT;
  CREATE INDEX claude_sessions_of_app ON claude_sessions (tenant_id, app_id, used_at);
  CREATE INDEX claude_sessions_end ON claude_sessions (tenant_id, expires_at);
  CREATE TABLE claude_runs (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    code TEXT,
    message TEXT,
    model TEXT NOT NULL,
    prompt_sha256 TEXT NOT NULL,
    prompt_chars INTEGER NOT NULL,
    result_chars INTEGER,
    is_detached INTEGER NOT NULL,
    session_id TEXT,
    stop_reason TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    micro_usd INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    first_byte_ms INTEGER,
    idempotency_key TEXT,
    body_sha256 TEXT NOT NULL,
    blob TEXT,
    blob_key TEXT,
    blob_until INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  ) STRICT;
  CREATE INDEX claude_runs_newest ON claude_runs (tenant_id, created_at, id);
  CREATE INDEX claude_runs_of_app ON claude_runs (tenant_id, app_id, created_at, id);
  CREATE UNIQUE INDEX claude_runs_key ON claude_runs (tenant_id, app_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX claude_runs_open ON claude_runs (tenant_id, created_at) WHERE state IN ('queued', 'running');
  CREATE INDEX claude_runs_blob_end ON claude_runs (tenant_id, blob_until) WHERE blob_until IS NOT NULL;
  CREATE INDEX claude_runs_ended ON claude_runs (tenant_id, finished_at) WHERE finished_at IS NOT NULL;
`,
]
