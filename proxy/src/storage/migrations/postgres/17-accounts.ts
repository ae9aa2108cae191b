/** See the migration of SQLite of the same name. */
export const ACCOUNTS: readonly string[] = [
  `
  ALTER TABLE memberships DROP CONSTRAINT memberships_channel_check, DROP CONSTRAINT memberships_role_check,
    ADD CONSTRAINT memberships_channel_check CHECK (channel IN ('telegram', 'account')),
    ADD CONSTRAINT memberships_role_check CHECK (role IN ('approver', 'owner'));
  ALTER TABLE sessions DROP CONSTRAINT sessions_method_check,
    ADD CONSTRAINT sessions_method_check CHECK (method IN ('link', 'passkey', 'password', 'key'));
  ALTER TABLE sessions ADD COLUMN proved_by TEXT COLLATE "C" CHECK (proved_by IN ('link', 'passkey', 'password', 'key'));
  ALTER TABLE sessions NO FORCE ROW LEVEL SECURITY;
  UPDATE sessions SET proved_by = CASE WHEN proved_at > signed_in_at THEN 'passkey' ELSE method END;
  ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
  ALTER TABLE sessions ALTER COLUMN proved_by SET NOT NULL;
  ALTER TABLE passkey_challenges DROP CONSTRAINT passkey_challenges_purpose_check,
    ADD CONSTRAINT passkey_challenges_purpose_check
      CHECK (purpose IN ('register', 'sign_in', 'sign_up', 'step_up', 'decide'));

  CREATE TABLE accounts (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    email TEXT COLLATE "C",
    name TEXT COLLATE "C" NOT NULL,
    password TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
  );
  CREATE TABLE sign_in_keys (
    tenant_id TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    key_id BIGINT NOT NULL,
    last4 TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, fingerprint),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
  );
  CREATE TABLE access_keys (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    account_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    key_sha256 TEXT COLLATE "C" NOT NULL,
    last4 TEXT COLLATE "C" NOT NULL,
    scopes TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
  );
  CREATE TABLE refresh_tokens (
    tenant_id TEXT COLLATE "C" NOT NULL,
    token_sha256 TEXT COLLATE "C" NOT NULL,
    session_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (tenant_id, token_sha256)
  );
  CREATE TABLE quotas (
    tenant_id TEXT COLLATE "C" NOT NULL,
    what TEXT COLLATE "C" NOT NULL CHECK (what IN ('tenants', 'machines', 'memory_mib')),
    amount BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, what)
  );
  CREATE INDEX refresh_tokens_of_session ON refresh_tokens (tenant_id, session_id);
  ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
  ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON accounts USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE sign_in_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE sign_in_keys FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON sign_in_keys USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE access_keys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE access_keys FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON access_keys USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
  ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON refresh_tokens USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE quotas ENABLE ROW LEVEL SECURITY;
  ALTER TABLE quotas FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON quotas USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
