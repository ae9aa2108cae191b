/** See the migration of SQLite of the same name. */
export const PASSKEYS: readonly string[] = [
  `
  CREATE TABLE passkeys (
    tenant_id TEXT COLLATE "C" NOT NULL,
    credential_id TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    user_handle TEXT COLLATE "C" NOT NULL,
    public_key BYTEA NOT NULL,
    counter BIGINT NOT NULL,
    transports TEXT COLLATE "C" NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (tenant_id, credential_id)
  );
  CREATE INDEX passkeys_of_person ON passkeys (tenant_id, person);
  ALTER TABLE passkeys ENABLE ROW LEVEL SECURITY;
  ALTER TABLE passkeys FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON passkeys USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());

  CREATE TABLE passkey_challenges (
    tenant_id TEXT COLLATE "C" NOT NULL,
    challenge TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL CHECK (purpose IN ('register', 'sign_in', 'step_up', 'decide')),
    person TEXT COLLATE "C" NOT NULL,
    session TEXT COLLATE "C" NOT NULL,
    statement TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (tenant_id, challenge)
  );
  CREATE INDEX passkey_challenges_expiry ON passkey_challenges (tenant_id, expires_at);
  CREATE INDEX passkey_challenges_of_session ON passkey_challenges (tenant_id, session, created_at);
  ALTER TABLE passkey_challenges ENABLE ROW LEVEL SECURITY;
  ALTER TABLE passkey_challenges FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON passkey_challenges USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
