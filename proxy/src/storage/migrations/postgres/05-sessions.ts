/** See the migration of SQLite of the same name. */
export const SESSIONS: readonly string[] = [
  `
  CREATE TABLE sign_in_codes (
    tenant_id TEXT COLLATE "C" NOT NULL,
    code_sha256 TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (tenant_id, code_sha256)
  );
  CREATE TABLE sessions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    cookie_sha256 TEXT COLLATE "C" NOT NULL,
    person TEXT COLLATE "C" NOT NULL,
    method TEXT COLLATE "C" NOT NULL CHECK (method IN ('link', 'passkey')),
    signed_in_at BIGINT NOT NULL,
    proved_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
  );
  ALTER TABLE sign_in_codes ENABLE ROW LEVEL SECURITY;
  ALTER TABLE sign_in_codes FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON sign_in_codes USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
  ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON sessions USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
