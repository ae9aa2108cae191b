import type { Database } from 'better-sqlite3'
import { AppError } from '../../kernel/index.ts'

/**
 * Numbered, forward only, each in one transaction; `user_version` is the number of the newest one applied. A
 * migration that has landed is never edited: a database of any landed version opens in every later one.
 */
export const MIGRATIONS: readonly string[] = [
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

  `
  ALTER TABLE executions ADD COLUMN output_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE executions SET output_bytes = octet_length(result) WHERE result IS NOT NULL;
  CREATE INDEX executions_output_of_agent ON executions (agent_id, id) WHERE output_bytes > 0;
  CREATE INDEX approvals_standing_code ON approvals (code_hash) WHERE ended_at IS NULL;
  CREATE INDEX approvals_ended ON approvals (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX provider_asks_settled ON provider_asks (decided_at) WHERE status <> 'pending';
  CREATE INDEX provider_grants_ended ON provider_grants (ended_at) WHERE ended_at IS NOT NULL;
  CREATE INDEX outbox_of_request
    ON outbox (CASE WHEN json_valid(payload) THEN json_extract(payload, '$.requestId') END);

  CREATE TABLE import_lock_files (
    lock TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (lock, sha256)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX import_lock_files_by_file ON import_lock_files (sha256);
  INSERT OR IGNORE INTO import_lock_files (lock, sha256)
    SELECT hash, sha256 FROM (
      SELECT hash, json_extract(CASE file.type WHEN 'object' THEN file.value ELSE '{}' END, '$.sha256') AS sha256
      FROM import_locks, json_each(CASE WHEN json_valid(manifest) THEN manifest ELSE '{}' END, '$.files') AS file
    ) WHERE sha256 IS NOT NULL;

  CREATE TABLE content_holders (
    code_hash TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    imports_lock TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    ran_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (code_hash, agent_id, imports_lock)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX content_holders_of_lock ON content_holders (imports_lock) WHERE imports_lock <> '';
  INSERT INTO content_holders (code_hash, agent_id, imports_lock, bytes, ran_at)
    SELECT code_hash, agent_id, '', octet_length(text),
      ifnull(max(CASE WHEN executed_at IS NOT NULL THEN finished_at END), 0)
    FROM executions JOIN code ON code.hash = executions.code_hash GROUP BY code_hash, agent_id;
  INSERT OR IGNORE INTO content_holders (code_hash, agent_id, imports_lock, bytes)
    SELECT code_hash, agent_id, json_extract(imports, '$.lock'), ifnull(json_extract(imports, '$.bytes'), 0)
    FROM (SELECT code_hash, agent_id,
      CASE WHEN json_valid(consent) THEN json_extract(consent, '$.imports') END AS imports FROM executions)
    WHERE imports IS NOT NULL AND json_extract(imports, '$.lock') IS NOT NULL;

  CREATE TABLE released_content (
    code_hash TEXT NOT NULL,
    imports_lock TEXT NOT NULL,
    PRIMARY KEY (code_hash, imports_lock)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE agent_storage (
    agent_id TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  INSERT INTO agent_storage (agent_id, bytes)
    SELECT agent_id, sum(bytes) FROM (
      SELECT agent_id, octet_length(consent) + octet_length(changes) + output_bytes + 1024 AS bytes FROM executions
      UNION ALL SELECT agent_id, bytes FROM content_holders
      UNION ALL SELECT agent_id, octet_length(key) + 256 FROM idempotency
    ) GROUP BY agent_id;

  CREATE TRIGGER executions_stored AFTER INSERT ON executions BEGIN
    INSERT INTO agent_storage (agent_id, bytes)
      VALUES (NEW.agent_id, octet_length(NEW.consent) + octet_length(NEW.changes) + NEW.output_bytes + 1024)
      ON CONFLICT (agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER executions_output_changed AFTER UPDATE OF output_bytes ON executions
    WHEN OLD.output_bytes <> NEW.output_bytes BEGIN
    UPDATE agent_storage SET bytes = bytes + NEW.output_bytes - OLD.output_bytes WHERE agent_id = NEW.agent_id;
  END;
  CREATE TRIGGER executions_dropped AFTER DELETE ON executions BEGIN
    UPDATE agent_storage SET bytes = bytes
      - (octet_length(OLD.consent) + octet_length(OLD.changes) + OLD.output_bytes + 1024)
      WHERE agent_id = OLD.agent_id;
  END;
  CREATE TRIGGER content_held AFTER INSERT ON content_holders BEGIN
    INSERT INTO agent_storage (agent_id, bytes) VALUES (NEW.agent_id, NEW.bytes)
      ON CONFLICT (agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER content_released AFTER DELETE ON content_holders BEGIN
    UPDATE agent_storage SET bytes = bytes - OLD.bytes WHERE agent_id = OLD.agent_id;
    INSERT OR IGNORE INTO released_content (code_hash, imports_lock)
      SELECT OLD.code_hash, '' WHERE OLD.imports_lock = '' AND NOT EXISTS (
        SELECT 1 FROM content_holders WHERE code_hash = OLD.code_hash AND imports_lock = '');
    INSERT OR IGNORE INTO released_content (code_hash, imports_lock)
      SELECT '', OLD.imports_lock WHERE OLD.imports_lock <> '' AND NOT EXISTS (
        SELECT 1 FROM content_holders WHERE imports_lock = OLD.imports_lock AND imports_lock <> '');
  END;
  CREATE TRIGGER idempotency_stored AFTER INSERT ON idempotency BEGIN
    INSERT INTO agent_storage (agent_id, bytes) VALUES (NEW.agent_id, octet_length(NEW.key) + 256)
      ON CONFLICT (agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER idempotency_forgotten AFTER DELETE ON idempotency BEGIN
    UPDATE agent_storage SET bytes = bytes - (octet_length(OLD.key) + 256) WHERE agent_id = OLD.agent_id;
  END;

  CREATE TABLE audit_archives (
    first_id INTEGER PRIMARY KEY,
    last_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    previous TEXT NOT NULL,
    head TEXT NOT NULL,
    digest TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    archived_at INTEGER NOT NULL
  ) STRICT;
  DROP TRIGGER audit_log_no_delete;
  CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    WHEN OLD.id > ifnull((SELECT last_id FROM audit_archives ORDER BY first_id DESC LIMIT 1), 0)
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
  `,

  // The hosts of names whose value was removed or renamed: a new value under the name is bound to them.
  `
  CREATE TABLE kept_bindings (
    name TEXT PRIMARY KEY,
    hosts TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,

  `
  -- A grant is for groups of endpoints. One that named no paths becomes what its card showed; one whose owner wrote
  -- paths keeps the groups that these name. Asks that wait showed no group: they are asked anew.
  ALTER TABLE provider_grants ADD COLUMN groups TEXT NOT NULL DEFAULT '["inference","models"]';
  UPDATE provider_grants SET groups = '["inference","models"'
    || CASE WHEN paths LIKE '%"/files%' OR paths LIKE '%"/uploads%' THEN ',"files"' ELSE '' END
    || CASE WHEN paths LIKE '%"/batches%' OR paths LIKE '%"/messages/batches%' THEN ',"batches"' ELSE '' END
    || CASE WHEN paths LIKE '%"/fine_tuning%' OR paths LIKE '%"/fine-tunes%' THEN ',"fine_tuning"' ELSE '' END
    || CASE WHEN paths LIKE '%"/assistants%' OR paths LIKE '%"/threads%' OR paths LIKE '%"/vector_stores%' OR paths LIKE '%"/conversations%' OR paths LIKE '%"/containers%' OR paths LIKE '%"/cachedContents%' THEN ',"stored"' ELSE '' END
    || CASE WHEN paths LIKE '%"/realtime%' THEN ',"realtime"' ELSE '' END
    || CASE WHEN paths LIKE '%"/videos%' OR paths LIKE '%"/predictions%' THEN ',"deferred"' ELSE '' END
    || CASE WHEN paths LIKE '%"/organization%' THEN ',"organization"' ELSE '' END
    || ']' WHERE paths IS NOT NULL;
  ALTER TABLE provider_asks ADD COLUMN endpoint_group TEXT NOT NULL DEFAULT 'inference';
  UPDATE provider_asks SET status = 'expired', decided_at = created_at WHERE status = 'pending';
  DROP INDEX provider_asks_waiting_twin;
  CREATE UNIQUE INDEX provider_asks_waiting_twin
    ON provider_asks (agent_id, provider, ifnull(model, ''), endpoint_group) WHERE status = 'pending';

  -- Apart from the books, which may be cut one day: who has ever used a key decides what passes with it.
  CREATE TABLE provider_key_users (
    provider TEXT NOT NULL,
    key_id INTEGER NOT NULL,
    agent_id TEXT NOT NULL,
    first_used_at INTEGER NOT NULL,
    PRIMARY KEY (provider, key_id, agent_id)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO provider_key_users (provider, key_id, agent_id, first_used_at)
    SELECT provider, key_id, agent_id, unixepoch(min(day)) * 1000 FROM usage_by_day GROUP BY provider, key_id, agent_id;
  `,
  // Why a person denied a request.
  'ALTER TABLE executions ADD COLUMN deny_reason TEXT;',

  `
  -- In the order in which they ended. A row stands in one of the two: a run costs no more than it did.
  DROP INDEX executions_output_of_agent;
  CREATE INDEX executions_output_of_agent ON executions (agent_id, finished_at, output_bytes) WHERE output_bytes > 0;
  CREATE INDEX executions_undecided_of_agent ON executions (agent_id, finished_at)
    WHERE output_bytes = 0 AND decision IS NULL AND finished_at IS NOT NULL;

  -- What came before there were holders: a grant's agent keeps what it needs, and what nobody keeps goes.
  INSERT OR IGNORE INTO content_holders (code_hash, agent_id, imports_lock, bytes)
    SELECT code_hash, agent_id, '', octet_length(text) FROM (
      SELECT code_hash, CASE WHEN json_valid(consent) THEN json_extract(consent, '$.agent.id') END AS agent_id
      FROM approvals WHERE ended_at IS NULL) AS granted
    JOIN code ON code.hash = code_hash JOIN agents ON agents.id = agent_id;
  INSERT OR IGNORE INTO content_holders (code_hash, agent_id, imports_lock, bytes)
    SELECT code_hash, json_extract(consent, '$.agent.id'), json_extract(consent, '$.imports.lock'),
      ifnull(json_extract(consent, '$.imports.bytes'), 0)
    FROM (SELECT code_hash, CASE WHEN json_valid(consent) THEN consent ELSE '{}' END AS consent
      FROM approvals WHERE ended_at IS NULL)
    WHERE json_extract(consent, '$.imports.lock') IS NOT NULL AND json_extract(consent, '$.agent.id') IN (SELECT id FROM agents);
  INSERT OR IGNORE INTO released_content (code_hash, imports_lock)
    SELECT hash, '' FROM code WHERE hash NOT IN (SELECT code_hash FROM content_holders WHERE imports_lock = '')
      AND hash NOT IN (SELECT code_hash FROM approvals WHERE ended_at IS NULL);
  INSERT OR IGNORE INTO released_content (code_hash, imports_lock)
    SELECT '', hash FROM import_locks WHERE hash NOT IN (SELECT imports_lock FROM content_holders)
      AND hash NOT IN (SELECT ifnull(CASE WHEN json_valid(consent) THEN json_extract(consent, '$.imports.lock') END, '')
        FROM approvals WHERE ended_at IS NULL);
  DELETE FROM code_facts WHERE hash NOT IN (SELECT hash FROM code);
  DELETE FROM import_files WHERE sha256 NOT IN (SELECT sha256 FROM import_lock_files);
  `,
]

export function migrate(db: Database): void {
  const version = Number(db.pragma('user_version', { simple: true }))
  if (version > MIGRATIONS.length) {
    throw new AppError(
      'storage_unavailable',
      `The database has schema version ${version}; this daemon knows ${MIGRATIONS.length}. Run a newer daemon.`,
    )
  }
  MIGRATIONS.slice(version).forEach((sql, index) => {
    db.transaction(() => {
      db.exec(sql)
      db.pragma(`user_version = ${version + index + 1}`)
    }).immediate()
  })
}
