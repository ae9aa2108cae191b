/** See the migration of SQLite of the same name. */
export const MEMBERSHIPS: readonly string[] = [
  `
  CREATE TABLE memberships (
    tenant_id TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL CHECK (channel IN ('telegram')),
    person TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('approver')),
    since BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, channel, person)
  );
  ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
  ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON memberships USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
