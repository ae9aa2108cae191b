/** See the migration of SQLite of the same name. */
export const REGISTRIES: readonly string[] = [
  `
  CREATE TABLE registries (
    tenant_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    url TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    index_text TEXT COLLATE "C" NOT NULL,
    index_hash TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, name)
  );
  CREATE TABLE skill_pins (
    tenant_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    pinned_at BIGINT NOT NULL,
    pinned_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, name, version)
  );
  CREATE TABLE skill_publishers (
    tenant_id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    accepted_at BIGINT NOT NULL,
    accepted_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, name)
  );
  ALTER TABLE registries ENABLE ROW LEVEL SECURITY;
  ALTER TABLE registries FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON registries USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE skill_pins ENABLE ROW LEVEL SECURITY;
  ALTER TABLE skill_pins FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON skill_pins USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE skill_publishers ENABLE ROW LEVEL SECURITY;
  ALTER TABLE skill_publishers FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON skill_publishers USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
