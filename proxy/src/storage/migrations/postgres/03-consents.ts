/** See the migration of SQLite of the same name. */
export const CONSENTS: readonly string[] = [
  `
  CREATE TABLE consents (
    tenant_id TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    agent_id TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL CHECK (text <> ''),
    uses BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, hash)
  );
  ALTER TABLE consents ENABLE ROW LEVEL SECURITY;
  ALTER TABLE consents FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON consents USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());

  CREATE FUNCTION consents_stored() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_store(NEW.tenant_id, NEW.agent_id, octet_length(NEW.text));
    RETURN NULL;
  END $$;
  CREATE TRIGGER consents_stored AFTER INSERT ON consents FOR EACH ROW EXECUTE FUNCTION consents_stored();
  CREATE FUNCTION consents_dropped() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM app_unstore(OLD.tenant_id, OLD.agent_id, octet_length(OLD.text));
    RETURN NULL;
  END $$;
  CREATE TRIGGER consents_dropped AFTER DELETE ON consents FOR EACH ROW EXECUTE FUNCTION consents_dropped();
  CREATE FUNCTION consents_no_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'a consent does not change';
  END $$;
  CREATE TRIGGER consents_no_update BEFORE UPDATE OF tenant_id, hash, agent_id, text ON consents
    FOR EACH ROW EXECUTE FUNCTION consents_no_update();

  CREATE FUNCTION executions_consent_used() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE consents SET uses = uses + 1 WHERE tenant_id = NEW.tenant_id AND hash = NEW.consent_hash;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the consent of an execution is not stored';
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER executions_consent_used AFTER INSERT ON executions FOR EACH ROW
    WHEN (NEW.consent = '') EXECUTE FUNCTION executions_consent_used();
  CREATE FUNCTION executions_consent_released() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE consents SET uses = uses - 1 WHERE tenant_id = OLD.tenant_id AND hash = OLD.consent_hash;
    DELETE FROM consents WHERE tenant_id = OLD.tenant_id AND hash = OLD.consent_hash AND uses <= 0;
    RETURN NULL;
  END $$;
  CREATE TRIGGER executions_consent_released AFTER DELETE ON executions FOR EACH ROW
    WHEN (OLD.consent = '') EXECUTE FUNCTION executions_consent_released();

  DROP INDEX audit_of_request;
`,
]
