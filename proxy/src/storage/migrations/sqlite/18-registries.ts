/** Registries of skills with the newest index of each, what the owner pinned, and whose signature was accepted for a name. */
export const REGISTRIES: readonly string[] = [
  `
  CREATE TABLE registries (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    index_text TEXT NOT NULL,
    index_hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    fetched_at INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    added_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name)
  ) STRICT;
  CREATE TABLE skill_pins (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    pinned_at INTEGER NOT NULL,
    pinned_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name, version)
  ) STRICT;
  CREATE TABLE skill_publishers (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    accepted_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, name)
  ) STRICT;
`,
]
