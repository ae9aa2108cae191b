/**
 * A consent stands once, however many executions have it: where `executions.consent` is '', its text is here, under its hash. Rows of
 * before keep theirs, so that no large table is rewritten. Its agent keeps it, and the last execution that has it takes it along.
 *
 * No statement looks the audit up by request, and its index was as large as a fifth of its rows. It is dropped without being written
 * over: no secret is in it.
 */
export const CONSENTS: readonly string[] = [
  `
  CREATE TABLE consents (
    tenant_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    text TEXT NOT NULL CHECK (text <> ''),
    uses INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, hash)
  ) STRICT;
  CREATE TRIGGER consents_stored AFTER INSERT ON consents BEGIN
    INSERT INTO agent_storage (tenant_id, agent_id, bytes) VALUES (NEW.tenant_id, NEW.agent_id, octet_length(NEW.text))
      ON CONFLICT (tenant_id, agent_id) DO UPDATE SET bytes = bytes + excluded.bytes;
  END;
  CREATE TRIGGER consents_dropped AFTER DELETE ON consents BEGIN
    UPDATE agent_storage SET bytes = bytes - octet_length(OLD.text)
      WHERE tenant_id = OLD.tenant_id AND agent_id = OLD.agent_id;
  END;
  CREATE TRIGGER consents_no_update BEFORE UPDATE OF tenant_id, hash, agent_id, text ON consents
    BEGIN SELECT RAISE(ABORT, 'a consent does not change'); END;
  CREATE TRIGGER executions_have_consent BEFORE INSERT ON executions
    WHEN NEW.consent = ''
      AND NOT EXISTS (SELECT 1 FROM consents WHERE tenant_id = NEW.tenant_id AND hash = NEW.consent_hash)
    BEGIN SELECT RAISE(ABORT, 'the consent of an execution is not stored'); END;
  CREATE TRIGGER executions_consent_used AFTER INSERT ON executions WHEN NEW.consent = '' BEGIN
    UPDATE consents SET uses = uses + 1 WHERE tenant_id = NEW.tenant_id AND hash = NEW.consent_hash;
  END;
  CREATE TRIGGER executions_consent_released AFTER DELETE ON executions WHEN OLD.consent = '' BEGIN
    UPDATE consents SET uses = uses - 1 WHERE tenant_id = OLD.tenant_id AND hash = OLD.consent_hash;
    DELETE FROM consents WHERE tenant_id = OLD.tenant_id AND hash = OLD.consent_hash AND uses <= 0;
  END;

  PRAGMA secure_delete = OFF;
  DROP INDEX audit_of_request;
  PRAGMA secure_delete = ON;
`,
]
