/** See the migration of SQLite of the same name. */
export const MACHINE_DAYS: readonly string[] = [
  `
  CREATE TABLE machine_days (
    tenant_id TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    machine_id TEXT COLLATE "C" NOT NULL,
    awake_ms BIGINT NOT NULL,
    held_ms BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, day, machine_id)
  );
  ALTER TABLE machine_days ENABLE ROW LEVEL SECURITY;
  ALTER TABLE machine_days FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON machine_days USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
