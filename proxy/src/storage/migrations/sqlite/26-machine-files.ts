/** Files of machines that sleep: whose key opens them, and which snapshots of them are in the object store. */
export const MACHINE_FILES: readonly string[] = [
  `
  CREATE TABLE machine_files (
    tenant_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    root_key TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    current INTEGER,
    PRIMARY KEY (tenant_id, machine_id)
  ) STRICT;
  CREATE TABLE machine_snapshots (
    tenant_id TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    generation INTEGER NOT NULL,
    manifest_bytes INTEGER NOT NULL,
    manifest_hash TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    files INTEGER NOT NULL,
    sent_bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, number),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machine_files (tenant_id, machine_id)
  ) STRICT;
`,
]
