/** Who keeps what, how much, and what of the audit is in archives. */
export const RETENTION: readonly string[] = [
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
]
