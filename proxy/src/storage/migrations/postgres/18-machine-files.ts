/** See the migration of SQLite of the same name. */
export const MACHINE_FILES: readonly string[] = [
  `
  CREATE TABLE machine_files (
    tenant_id TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    root_key TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    current BIGINT,
    PRIMARY KEY (tenant_id, machine_id)
  );
  CREATE TABLE machine_snapshots (
    tenant_id TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    number BIGINT NOT NULL,
    attempt TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    manifest_bytes BIGINT NOT NULL,
    manifest_hash TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL,
    files BIGINT NOT NULL,
    sent_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, machine_id, number),
    FOREIGN KEY (tenant_id, machine_id) REFERENCES machine_files (tenant_id, machine_id)
  );
  ALTER TABLE machine_files ENABLE ROW LEVEL SECURITY;
  ALTER TABLE machine_files FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON machine_files USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE machine_snapshots ENABLE ROW LEVEL SECURITY;
  ALTER TABLE machine_snapshots FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON machine_snapshots USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
