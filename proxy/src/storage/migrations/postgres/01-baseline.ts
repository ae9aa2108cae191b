import { INDEXES } from '../sqlite/09-tenant-indexes.ts'
import { FUNCTIONS } from './01-functions.ts'
import { TABLES } from './01-tables.ts'

/** Sums of each agent, the queue of what nobody keeps, and the audit's protection: no writer can forget them. */
const TRIGGERS = `
  CREATE FUNCTION app_store(tenant text, agent text, difference bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO agent_storage AS sums (tenant_id, agent_id, bytes) VALUES (tenant, agent, difference)
      ON CONFLICT (tenant_id, agent_id) DO UPDATE SET bytes = sums.bytes + excluded.bytes
  $$;
  CREATE FUNCTION app_unstore(tenant text, agent text, difference bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE agent_storage SET bytes = bytes - difference WHERE tenant_id = tenant AND agent_id = agent
  $$;

  CREATE FUNCTION executions_stored() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_store(NEW.tenant_id, NEW.agent_id,
      octet_length(NEW.consent) + octet_length(NEW.changes) + NEW.output_bytes + 1024);
    RETURN NULL;
  END $$;
  CREATE TRIGGER executions_stored AFTER INSERT ON executions FOR EACH ROW EXECUTE FUNCTION executions_stored();
  CREATE FUNCTION executions_output_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_unstore(NEW.tenant_id, NEW.agent_id, OLD.output_bytes - NEW.output_bytes);
    RETURN NULL;
  END $$;
  CREATE TRIGGER executions_output_changed AFTER UPDATE OF output_bytes ON executions FOR EACH ROW
    WHEN (OLD.output_bytes <> NEW.output_bytes) EXECUTE FUNCTION executions_output_changed();
  CREATE FUNCTION executions_dropped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_unstore(OLD.tenant_id, OLD.agent_id,
      octet_length(OLD.consent) + octet_length(OLD.changes) + OLD.output_bytes + 1024);
    RETURN NULL;
  END $$;
  CREATE TRIGGER executions_dropped AFTER DELETE ON executions FOR EACH ROW EXECUTE FUNCTION executions_dropped();

  CREATE FUNCTION content_held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_store(NEW.tenant_id, NEW.agent_id, NEW.bytes);
    RETURN NULL;
  END $$;
  CREATE TRIGGER content_held AFTER INSERT ON content_holders FOR EACH ROW EXECUTE FUNCTION content_held();
  CREATE FUNCTION content_released() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_unstore(OLD.tenant_id, OLD.agent_id, OLD.bytes);
    INSERT INTO released_content (tenant_id, code_hash, imports_lock)
      SELECT OLD.tenant_id, OLD.code_hash, '' WHERE OLD.imports_lock = '' AND NOT EXISTS (
        SELECT 1 FROM content_holders
        WHERE tenant_id = OLD.tenant_id AND code_hash = OLD.code_hash AND imports_lock = '')
      ON CONFLICT DO NOTHING;
    INSERT INTO released_content (tenant_id, code_hash, imports_lock)
      SELECT OLD.tenant_id, '', OLD.imports_lock WHERE OLD.imports_lock <> '' AND NOT EXISTS (
        SELECT 1 FROM content_holders
        WHERE tenant_id = OLD.tenant_id AND imports_lock = OLD.imports_lock AND imports_lock <> '')
      ON CONFLICT DO NOTHING;
    RETURN NULL;
  END $$;
  CREATE TRIGGER content_released AFTER DELETE ON content_holders FOR EACH ROW EXECUTE FUNCTION content_released();

  CREATE FUNCTION idempotency_stored() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_store(NEW.tenant_id, NEW.agent_id, octet_length(NEW.key) + 256);
    RETURN NULL;
  END $$;
  CREATE TRIGGER idempotency_stored AFTER INSERT ON idempotency FOR EACH ROW EXECUTE FUNCTION idempotency_stored();
  CREATE FUNCTION idempotency_forgotten() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_unstore(OLD.tenant_id, OLD.agent_id, octet_length(OLD.key) + 256);
    RETURN NULL;
  END $$;
  CREATE TRIGGER idempotency_forgotten AFTER DELETE ON idempotency FOR EACH ROW EXECUTE FUNCTION idempotency_forgotten();

  CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'audit_log is append-only';
  END $$;
  CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_append_only();
  CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log EXECUTE FUNCTION audit_log_append_only();
  -- What is in archives may go.
  CREATE FUNCTION audit_log_no_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF OLD.id > coalesce((SELECT last_id FROM audit_archives WHERE tenant_id = OLD.tenant_id
      ORDER BY first_id DESC LIMIT 1), 0) THEN
      RAISE EXCEPTION 'audit_log is append-only';
    END IF;
    RETURN OLD;
  END $$;
  CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_no_delete();
`

const OF_TENANTS = [
  'meta',
  'data_keys',
  'secrets',
  'kept_bindings',
  'agents',
  'code',
  'code_facts',
  'approvals',
  'executions',
  'idempotency',
  'cards',
  'outbox',
  'wakes',
  'audit_log',
  'audit_archives',
  'import_files',
  'import_locks',
  'import_lock_files',
  'content_holders',
  'released_content',
  'agent_storage',
  'providers',
  'provider_params',
  'provider_keys',
  'provider_key_users',
  'provider_asks',
  'provider_grants',
  'usage_by_day',
  'prices',
]

/**
 * Row-level security, what a statement that forgets the tenant meets: rows of the transaction's tenant alone, also for the owner of
 * the tables, and an error where none is set. The function stands bare in the policy: wrapped in a sub-select it would not be asked on empty tables.
 */
const POLICIES = OF_TENANTS.map(
  (table) => `
  ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY;
  ALTER TABLE ${table} FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON ${table} USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());`,
).join('')

const FIRST_TENANT = `
  INSERT INTO tenants (id, name, created_at)
    VALUES ('default', 'default', (extract(epoch FROM now()) * 1000)::bigint);
`

export const BASELINE: readonly string[] = [FUNCTIONS + TABLES + INDEXES + TRIGGERS + POLICIES + FIRST_TENANT]
