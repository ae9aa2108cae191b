import { INDEXES } from './09-tenant-indexes.ts'
import { TABLES } from './09-tenant-tables.ts'

const COPIED: readonly (readonly [table: string, columns: string])[] = [
  ['data_keys', 'id, wrapped, created_at'],
  ['secrets', 'id, name, encrypted_value, version, hosts, created_at, updated_at'],
  ['kept_bindings', 'name, hosts'],
  ['agents', 'id, name, token_sha256, previous_token, cidrs, tags, wake, created_at, revoked_at'],
  ['code', 'hash, text, created_at'],
  ['code_facts', 'hash, language, version, facts'],
  [
    'approvals',
    `id, skill_id, code_hash, trust_level, approved_at, expires_at, any_args, scope_hash, consent, consent_hash, request_id,
    approved_by, ended_at, ended_why`,
  ],
  ['idempotency', 'agent_id, key, request_id, body_hash, created_at'],
  ['cards', 'token, request_id, chat_id, consent_hash, message_id, created_at'],
  ['outbox', 'id, lane, kind, payload, attempts, next_at, last_error, created_at'],
  ['wakes', 'request_id, agent_id, delivered, next_at, last_error, created_at'],
  ['audit_log', 'id, at, event, actor, request_id, data, prev_hash, hash'],
  ['audit_archives', 'first_id, last_id, name, previous, head, digest, bytes, archived_at'],
  ['import_files', 'sha256, bytes'],
  ['import_locks', 'hash, manifest, created_at'],
  ['import_lock_files', 'lock, sha256'],
  ['content_holders', 'code_hash, agent_id, imports_lock, bytes, ran_at'],
  ['released_content', 'code_hash, imports_lock'],
  ['agent_storage', 'agent_id, bytes'],
  ['providers', 'name, url, auth, errors, private, created_at'],
  ['provider_params', 'provider, name, value'],
  ['provider_keys', 'id, provider, label, tags, weight, models, encrypted_value, created_at'],
  ['provider_key_users', 'provider, key_id, agent_id, first_used_at'],
  [
    'provider_asks',
    `id, agent_id, provider, model, endpoint_group, path, status, created_at, expires_at, decided_at, decided_by,
    decided_by_name`,
  ],
  [
    'provider_grants',
    `id, agent_id, provider, groups, models, paths, requests_per_minute, tokens_per_day, micro_usd_per_day, granted_by,
    granted_at, expires_at, ended_at, ended_why`,
  ],
  [
    'usage_by_day',
    `day, agent_id, provider, model, key_id, requests, failed, untold, input_tokens, output_tokens, cache_read_tokens,
    cache_write_tokens, micro_usd, unpriced, assumed_tokens, assumed_micro_usd`,
  ],
  ['prices', 'provider, model, input, output, cache_read, cache_write, parts, set_at'],
]

/** Ids that are never given twice, also not those of rows that are gone. */
const COUNTED = ['outbox', 'provider_keys', 'provider_grants']

/** Of the one table that stays. */
const OLD_INDEXES = [
  'executions_of_agent',
  'executions_of_agent_by_status',
  'executions_open',
  'executions_expiring',
  'executions_waiting_twin',
  'executions_output_of_agent',
  'executions_undecided_of_agent',
]

const COPY = `
  INSERT INTO tenants (id, name, created_at)
    VALUES ('default', 'default', ifnull((SELECT min(created_at) FROM data_keys), unixepoch() * 1000));
  INSERT INTO installation (key, value)
    SELECT key, value FROM meta WHERE key IN ('instance_id', 'kdf', 'backup');
  INSERT INTO new_meta (tenant_id, key, value)
    SELECT 'default', key, value FROM meta WHERE key NOT IN ('instance_id', 'kdf', 'backup');

  ALTER TABLE executions ADD COLUMN tenant_id TEXT NOT NULL DEFAULT 'default';
${COPIED.map(
  ([table, columns]) => `
  INSERT INTO new_${table} (tenant_id, ${columns})
    SELECT 'default', ${columns} FROM ${table};`,
).join('')}
${COUNTED.map(
  (table) => `
  DELETE FROM sqlite_sequence WHERE name = 'new_${table}';
  INSERT INTO sqlite_sequence (name, seq) SELECT 'new_${table}', seq FROM sqlite_sequence WHERE name = '${table}';`,
).join('')}
${OLD_INDEXES.map((name) => `\n  DROP INDEX ${name};`).join('')}
  DROP TRIGGER executions_stored;
  DROP TRIGGER executions_output_changed;
  DROP TRIGGER executions_dropped;
  PRAGMA secure_delete = OFF;
  DROP TABLE audit_log;
  PRAGMA secure_delete = ON;
${[...COPIED]
  .filter(([table]) => table !== 'audit_log')
  .map(([table]) => `\n  DROP TABLE ${table};`)
  .join('')}
  DROP TABLE meta;
  ALTER TABLE new_meta RENAME TO meta;
${COPIED.map(([table]) => `\n  ALTER TABLE new_${table} RENAME TO ${table};`).join('')}
`

const TRIGGERS = `
  CREATE TRIGGER executions_of_its_agent BEFORE INSERT ON executions
    WHEN NOT EXISTS (SELECT 1 FROM agents WHERE tenant_id = NEW.tenant_id AND id = NEW.agent_id)
    BEGIN SELECT RAISE(ABORT, 'the agent is of another tenant'); END;
  CREATE TRIGGER executions_stored AFTER INSERT ON executions BEGIN
    INSERT INTO agent_storage (tenant_id, agent_id, bytes) VALUES (NEW.tenant_id, NEW.agent_id,
      octet_length(NEW.consent) + octet_length(NEW.changes) + NEW.output_bytes + 1024)
      ON CONFLICT (tenant_id, agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER executions_output_changed AFTER UPDATE OF output_bytes ON executions
    WHEN OLD.output_bytes <> NEW.output_bytes BEGIN
    UPDATE agent_storage SET bytes = bytes + NEW.output_bytes - OLD.output_bytes
      WHERE tenant_id = NEW.tenant_id AND agent_id = NEW.agent_id;
  END;
  CREATE TRIGGER executions_dropped AFTER DELETE ON executions BEGIN
    UPDATE agent_storage SET bytes = bytes
      - (octet_length(OLD.consent) + octet_length(OLD.changes) + OLD.output_bytes + 1024)
      WHERE tenant_id = OLD.tenant_id AND agent_id = OLD.agent_id;
  END;
  CREATE TRIGGER content_held AFTER INSERT ON content_holders BEGIN
    INSERT INTO agent_storage (tenant_id, agent_id, bytes) VALUES (NEW.tenant_id, NEW.agent_id, NEW.bytes)
      ON CONFLICT (tenant_id, agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER content_released AFTER DELETE ON content_holders BEGIN
    UPDATE agent_storage SET bytes = bytes - OLD.bytes WHERE tenant_id = OLD.tenant_id AND agent_id = OLD.agent_id;
    INSERT OR IGNORE INTO released_content (tenant_id, code_hash, imports_lock)
      SELECT OLD.tenant_id, OLD.code_hash, '' WHERE OLD.imports_lock = '' AND NOT EXISTS (
        SELECT 1 FROM content_holders
        WHERE tenant_id = OLD.tenant_id AND code_hash = OLD.code_hash AND imports_lock = '');
    INSERT OR IGNORE INTO released_content (tenant_id, code_hash, imports_lock)
      SELECT OLD.tenant_id, '', OLD.imports_lock WHERE OLD.imports_lock <> '' AND NOT EXISTS (
        SELECT 1 FROM content_holders
        WHERE tenant_id = OLD.tenant_id AND imports_lock = OLD.imports_lock AND imports_lock <> '');
  END;
  CREATE TRIGGER idempotency_stored AFTER INSERT ON idempotency BEGIN
    INSERT INTO agent_storage (tenant_id, agent_id, bytes) VALUES (NEW.tenant_id, NEW.agent_id, octet_length(NEW.key) + 256)
      ON CONFLICT (tenant_id, agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER idempotency_forgotten AFTER DELETE ON idempotency BEGIN
    UPDATE agent_storage SET bytes = bytes - (octet_length(OLD.key) + 256)
      WHERE tenant_id = OLD.tenant_id AND agent_id = OLD.agent_id;
  END;

  CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
  CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    WHEN OLD.id > ifnull((SELECT last_id FROM audit_archives WHERE tenant_id = OLD.tenant_id
      ORDER BY first_id DESC LIMIT 1), 0)
    BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
`

/**
 * Every row belongs to a tenant; what there was belongs to the one named `default`.
 *
 * Keys, unique keys and indexes begin with the tenant, so that a query costs what its tenant has and a conflict tells nothing of
 * another's rows. Ids that are long random numbers (of requests, agents, asks, tokens of cards) are unique over all tenants. Ids
 * that the database counts are, too; they tell how many rows there are altogether.
 *
 * What is looked up within JSON is a generated column: PostgreSQL uses no index over a function under row-level security.
 *
 * Tables are made anew, filled, and take the old one's name, the way SQLite prescribes; foreign keys are off meanwhile and checked
 * before the commit. Only `executions` stays where it is, since there may be gigabytes: a column of its own says the tenant, by
 * default the first one, and a trigger refuses a row whose agent is of another, which such a default could make.
 *
 * The log of the audit is dropped without being written over: the same rows go on in its successor, and no secret is in them.
 */
export const TENANTS: readonly string[] = [TABLES + COPY + INDEXES + TRIGGERS]
