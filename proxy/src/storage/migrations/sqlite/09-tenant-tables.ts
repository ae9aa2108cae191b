/** The tables of migration 09, under names that do not stand in the way of those they replace. */
export const TABLES = `
  CREATE TABLE tenants (
    id TEXT PRIMARY KEY CHECK (id <> ''),
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    removed_at INTEGER
  ) STRICT, WITHOUT ROWID;

  -- Of the installation as a whole, whoever its tenants are.
  CREATE TABLE installation (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_meta (
    tenant_id TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant_id, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_data_keys (
    tenant_id TEXT NOT NULL,
    id INTEGER NOT NULL,
    wrapped TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_secrets (
    tenant_id TEXT NOT NULL,
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    encrypted_value TEXT NOT NULL,
    version INTEGER NOT NULL,
    hosts TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (tenant_id, name)
  ) STRICT;

  CREATE TABLE new_kept_bindings (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    hosts TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_agents (
    tenant_id TEXT NOT NULL,
    id TEXT UNIQUE NOT NULL,
    name TEXT NOT NULL,
    token_sha256 TEXT UNIQUE NOT NULL,
    previous_token TEXT,
    cidrs TEXT NOT NULL,
    tags TEXT NOT NULL,
    wake TEXT,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    previous_sha256 TEXT AS (CASE WHEN json_valid(previous_token) THEN json_extract(previous_token, '$.sha256') END),
    PRIMARY KEY (tenant_id, id)
  ) STRICT;

  CREATE TABLE new_code (
    tenant_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, hash)
  ) STRICT;

  CREATE TABLE new_code_facts (
    tenant_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    language TEXT NOT NULL,
    version INTEGER NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (tenant_id, hash, language)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_approvals (
    tenant_id TEXT NOT NULL,
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

  CREATE TABLE new_idempotency (
    tenant_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request_id TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_cards (
    tenant_id TEXT NOT NULL,
    token TEXT PRIMARY KEY NOT NULL,
    request_id TEXT NOT NULL,
    chat_id TEXT NOT NULL,
    consent_hash TEXT NOT NULL,
    message_id INTEGER,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant_id, request_id, chat_id)
  ) STRICT;

  CREATE TABLE new_outbox (
    tenant_id TEXT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    request_id TEXT AS (CASE WHEN json_valid(payload) THEN json_extract(payload, '$.requestId') END)
  ) STRICT;

  CREATE TABLE new_wakes (
    tenant_id TEXT NOT NULL,
    request_id TEXT PRIMARY KEY NOT NULL REFERENCES executions (request_id),
    agent_id TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE new_audit_log (
    tenant_id TEXT NOT NULL,
    id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    actor TEXT NOT NULL,
    request_id TEXT,
    data TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_audit_archives (
    tenant_id TEXT NOT NULL,
    first_id INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    previous TEXT NOT NULL,
    head TEXT NOT NULL,
    digest TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    archived_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, first_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_import_files (
    tenant_id TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant_id, sha256)
  ) STRICT;

  CREATE TABLE new_import_locks (
    tenant_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    manifest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, hash)
  ) STRICT;

  CREATE TABLE new_import_lock_files (
    tenant_id TEXT NOT NULL,
    lock TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (tenant_id, lock, sha256)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_content_holders (
    tenant_id TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    imports_lock TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    ran_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, code_hash, agent_id, imports_lock)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_released_content (
    tenant_id TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    imports_lock TEXT NOT NULL,
    PRIMARY KEY (tenant_id, code_hash, imports_lock)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_agent_storage (
    tenant_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, agent_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_providers (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    auth TEXT NOT NULL,
    errors TEXT NOT NULL CHECK (errors IN ('openai', 'anthropic', 'google')),
    private INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name)
  ) STRICT;

  CREATE TABLE new_provider_params (
    tenant_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (tenant_id, provider, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_provider_keys (
    tenant_id TEXT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    tags TEXT NOT NULL,
    weight INTEGER NOT NULL,
    models TEXT,
    encrypted_value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant_id, provider, label)
  ) STRICT;

  CREATE TABLE new_provider_key_users (
    tenant_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    key_id INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, provider, key_id, agent_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_provider_asks (
    tenant_id TEXT NOT NULL,
    id TEXT PRIMARY KEY NOT NULL,
    agent_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT,
    endpoint_group TEXT NOT NULL,
    path TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'granted', 'denied', 'expired')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    decided_by_name TEXT,
    FOREIGN KEY (tenant_id, agent_id) REFERENCES new_agents (tenant_id, id)
  ) STRICT;

  CREATE TABLE new_provider_grants (
    tenant_id TEXT NOT NULL,
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    groups TEXT NOT NULL,
    models TEXT,
    paths TEXT,
    requests_per_minute INTEGER,
    tokens_per_day INTEGER,
    micro_usd_per_day INTEGER,
    granted_by TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    expires_at INTEGER,
    ended_at INTEGER,
    ended_why TEXT CHECK (ended_why IN ('expired', 'revoked', 'replaced')),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES new_agents (tenant_id, id)
  ) STRICT;

  CREATE TABLE new_usage_by_day (
    tenant_id TEXT NOT NULL,
    day TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    key_id INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    untold INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    micro_usd INTEGER NOT NULL,
    unpriced INTEGER NOT NULL,
    assumed_tokens INTEGER NOT NULL DEFAULT 0,
    assumed_micro_usd INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, day, agent_id, provider, model, key_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE new_prices (
    tenant_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER,
    cache_write INTEGER,
    parts TEXT,
    set_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, provider, model)
  ) STRICT, WITHOUT ROWID;
`
