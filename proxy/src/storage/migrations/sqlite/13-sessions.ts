/** Who is signed in at the console, and codes that sign somebody in once. Neither code nor cookie is kept, only their hashes. */
export const SESSIONS: readonly string[] = [
  `
  CREATE TABLE sign_in_codes (
    tenant_id TEXT NOT NULL,
    code_sha256 TEXT NOT NULL,
    person TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (tenant_id, code_sha256)
  ) STRICT;
  CREATE TABLE sessions (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    cookie_sha256 TEXT NOT NULL,
    person TEXT NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('link', 'passkey')),
    signed_in_at INTEGER NOT NULL,
    proved_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
  ) STRICT;
`,
]
