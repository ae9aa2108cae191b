/** See the migration of SQLite of the same name. */
export const CLAUDE_RUNS: readonly string[] = [
  `
  CREATE TABLE apps (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    token_sha256 TEXT COLLATE "C" NOT NULL,
    cidrs TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    tools TEXT COLLATE "C" NOT NULL,
    models TEXT COLLATE "C",
    provider TEXT COLLATE "C" NOT NULL,
    limits TEXT COLLATE "C" NOT NULL,
    keeps_prompts BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    PRIMARY KEY (tenant_id, id)
  );
  CREATE UNIQUE INDEX apps_active_name ON apps (tenant_id, name) WHERE revoked_at IS NULL;
  ALTER TABLE apps ENABLE ROW LEVEL SECURITY;
  ALTER TABLE apps FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON apps USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  CREATE TABLE app_files (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    app_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL,
    blob TEXT COLLATE "C" NOT NULL,
    blob_key TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  );
  CREATE INDEX app_files_of_app ON app_files (tenant_id, app_id);
  CREATE INDEX app_files_end ON app_files (tenant_id, expires_at);
  ALTER TABLE app_files ENABLE ROW LEVEL SECURITY;
  ALTER TABLE app_files FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON app_files USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  CREATE TABLE claude_sessions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    app_id TEXT COLLATE "C" NOT NULL,
    cli_session TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C",
    runs BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    blob TEXT COLLATE "C" NOT NULL,
    blob_key TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  );
  CREATE INDEX claude_sessions_of_app ON claude_sessions (tenant_id, app_id, used_at);
  CREATE INDEX claude_sessions_end ON claude_sessions (tenant_id, expires_at);
  ALTER TABLE claude_sessions ENABLE ROW LEVEL SECURITY;
  ALTER TABLE claude_sessions FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON claude_sessions USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  CREATE TABLE claude_runs (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    app_id TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    code TEXT COLLATE "C",
    message TEXT COLLATE "C",
    model TEXT COLLATE "C" NOT NULL,
    prompt_sha256 TEXT COLLATE "C" NOT NULL,
    prompt_chars BIGINT NOT NULL,
    result_chars BIGINT,
    is_detached BIGINT NOT NULL,
    session_id TEXT COLLATE "C",
    stop_reason TEXT COLLATE "C",
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cache_read_tokens BIGINT NOT NULL,
    cache_write_tokens BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    micro_usd BIGINT,
    created_at BIGINT NOT NULL,
    started_at BIGINT,
    finished_at BIGINT,
    first_byte_ms BIGINT,
    idempotency_key TEXT COLLATE "C",
    body_sha256 TEXT COLLATE "C" NOT NULL,
    blob TEXT COLLATE "C",
    blob_key TEXT COLLATE "C",
    blob_until BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
  );
  CREATE INDEX claude_runs_newest ON claude_runs (tenant_id, created_at, id);
  CREATE INDEX claude_runs_of_app ON claude_runs (tenant_id, app_id, created_at, id);
  CREATE UNIQUE INDEX claude_runs_key ON claude_runs (tenant_id, app_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
  CREATE INDEX claude_runs_open ON claude_runs (tenant_id, created_at) WHERE state IN ('queued', 'running');
  CREATE INDEX claude_runs_blob_end ON claude_runs (tenant_id, blob_until) WHERE blob_until IS NOT NULL;
  CREATE INDEX claude_runs_ended ON claude_runs (tenant_id, finished_at) WHERE finished_at IS NOT NULL;
  ALTER TABLE claude_runs ENABLE ROW LEVEL SECURITY;
  ALTER TABLE claude_runs FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON claude_runs USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
