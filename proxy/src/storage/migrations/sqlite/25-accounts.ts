/**
 * Persons who signed up, each with a tenant of their own: how they sign in, keys of programs of theirs, and what they may have. No password,
 * key or token is kept, only what tells it. What channels, methods and purposes there are grows; those tables are small.
 */
export const ACCOUNTS: readonly string[] = [
  `
  CREATE TABLE new_memberships (
    tenant_id TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('telegram', 'account')),
    person TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('approver', 'owner')),
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, channel, person)
  ) STRICT;
  INSERT INTO new_memberships (tenant_id, channel, person, role, since)
    SELECT tenant_id, channel, person, role, since FROM memberships;
  DROP TABLE memberships;
  ALTER TABLE new_memberships RENAME TO memberships;
  CREATE TABLE new_sessions (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    cookie_sha256 TEXT NOT NULL,
    person TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('link', 'passkey', 'password', 'key')),
    signed_in_at INTEGER NOT NULL,
    proved_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    proved_by TEXT NOT NULL CHECK (proved_by IN ('link', 'passkey', 'password', 'key')),
    PRIMARY KEY (tenant_id, id)
  ) STRICT;
  INSERT INTO new_sessions (tenant_id, id, cookie_sha256, person, method, signed_in_at, proved_at, proved_by, seen_at, expires_at)
    SELECT tenant_id, id, cookie_sha256, person, method, signed_in_at, proved_at,
    CASE WHEN proved_at > signed_in_at THEN 'passkey' ELSE method END, seen_at, expires_at FROM sessions;
  DROP TABLE sessions;
  ALTER TABLE new_sessions RENAME TO sessions;
  CREATE TABLE new_passkey_challenges (
    tenant_id TEXT NOT NULL,
    challenge TEXT NOT NULL,
    purpose TEXT NOT NULL CHECK (purpose IN ('register', 'sign_in', 'sign_up', 'step_up', 'decide')),
    person TEXT NOT NULL,
    session TEXT NOT NULL,
    statement TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant_id, challenge)
  ) STRICT;
  INSERT INTO new_passkey_challenges (tenant_id, challenge, purpose, person, session, statement, created_at, expires_at, used_at)
    SELECT tenant_id, challenge, purpose, person, session, statement, created_at, expires_at, used_at FROM passkey_challenges;
  DROP TABLE passkey_challenges;
  ALTER TABLE new_passkey_challenges RENAME TO passkey_challenges;
  CREATE INDEX passkey_challenges_expiry ON passkey_challenges (tenant_id, expires_at);
  CREATE INDEX passkey_challenges_of_session ON passkey_challenges (tenant_id, session, created_at);

  CREATE TABLE accounts (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    email TEXT,
    name TEXT NOT NULL,
    password TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
  ) STRICT;
  CREATE TABLE sign_in_keys (
    tenant_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    account_id TEXT NOT NULL,
    key_id INTEGER NOT NULL,
    last4 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, fingerprint),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
  ) STRICT;
  CREATE TABLE access_keys (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    name TEXT NOT NULL,
    key_sha256 TEXT NOT NULL,
    last4 TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
  ) STRICT;
  CREATE TABLE refresh_tokens (
    tenant_id TEXT NOT NULL,
    token_sha256 TEXT NOT NULL,
    session_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant_id, token_sha256)
  ) STRICT;
  CREATE TABLE quotas (
    tenant_id TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('tenants', 'machines', 'memory_mib')),
    amount INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, what)
  ) STRICT;
  CREATE INDEX refresh_tokens_of_session ON refresh_tokens (tenant_id, session_id);
`,
]
