/** Public keys of persons, and the challenges of WebAuthn ceremonies under way. Times in milliseconds since 1970. */
export const PASSKEYS: readonly string[] = [
  `
  CREATE TABLE passkeys (
    tenant_id TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    person TEXT NOT NULL,
    name TEXT NOT NULL,
    user_handle TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter INTEGER NOT NULL,
    transports TEXT NOT NULL,
    label TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (tenant_id, credential_id)
  ) STRICT;
  CREATE INDEX passkeys_of_person ON passkeys (tenant_id, person);

  CREATE TABLE passkey_challenges (
    tenant_id TEXT NOT NULL,
    challenge TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('register', 'sign_in', 'step_up', 'decide')),
    person TEXT NOT NULL,
    session TEXT NOT NULL,
    statement TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant_id, challenge)
  ) STRICT;
  CREATE INDEX passkey_challenges_expiry ON passkey_challenges (tenant_id, expires_at);
  CREATE INDEX passkey_challenges_of_session ON passkey_challenges (tenant_id, session, created_at);
`,
]
