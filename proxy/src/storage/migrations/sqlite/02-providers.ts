/** Providers of LLMs and their books; facts of code. */
export const PROVIDERS: readonly string[] = [
  `
  ALTER TABLE agents ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';

  CREATE TABLE providers (
    name TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    auth TEXT NOT NULL,
    errors TEXT NOT NULL CHECK (errors IN ('openai', 'anthropic', 'google')),
    private INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE provider_params (
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (provider, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE provider_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    tags TEXT NOT NULL,
    weight INTEGER NOT NULL,
    models TEXT,
    encrypted_value TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (provider, label)
  ) STRICT;

  CREATE TABLE provider_asks (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    provider TEXT NOT NULL,
    model TEXT,
    path TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'granted', 'denied', 'expired')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    decided_by_name TEXT
  ) STRICT;
  CREATE UNIQUE INDEX provider_asks_waiting_twin ON provider_asks (agent_id, provider, ifnull(model, ''))
    WHERE status = 'pending';
  CREATE INDEX provider_asks_denied ON provider_asks (agent_id, provider, decided_at) WHERE status = 'denied';

  CREATE TABLE provider_grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    agent_id TEXT NOT NULL REFERENCES agents (id),
    provider TEXT NOT NULL,
    models TEXT,
    paths TEXT,
    requests_per_minute INTEGER,
    tokens_per_day INTEGER,
    micro_usd_per_day INTEGER,
    granted_by TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    expires_at INTEGER,
    ended_at INTEGER,
    ended_why TEXT CHECK (ended_why IN ('expired', 'revoked', 'replaced'))
  ) STRICT;
  CREATE INDEX provider_grants_standing ON provider_grants (agent_id, provider) WHERE ended_at IS NULL;

  CREATE TABLE usage_by_day (
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
    PRIMARY KEY (day, agent_id, provider, model, key_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE prices (
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER NOT NULL,
    cache_read INTEGER,
    cache_write INTEGER,
    set_at INTEGER NOT NULL,
    PRIMARY KEY (provider, model)
  ) STRICT, WITHOUT ROWID;
  `,

  `
  CREATE TABLE code_facts (
    hash TEXT NOT NULL,
    language TEXT NOT NULL,
    version INTEGER NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (hash, language)
  ) STRICT, WITHOUT ROWID;
  `,

  `
  ALTER TABLE usage_by_day ADD COLUMN assumed_tokens INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE usage_by_day ADD COLUMN assumed_micro_usd INTEGER NOT NULL DEFAULT 0;
  `,
]
