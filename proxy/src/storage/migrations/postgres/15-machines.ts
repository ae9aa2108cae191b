/** See the migration of SQLite of the same name. */
export const MACHINES: readonly string[] = [
  `
  CREATE TABLE machines (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    driver TEXT COLLATE "C" NOT NULL,
    image TEXT COLLATE "C" NOT NULL,
    spec TEXT COLLATE "C" NOT NULL,
    desired TEXT COLLATE "C" NOT NULL,
    observed TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    deadline BIGINT,
    failures BIGINT NOT NULL,
    retry_at BIGINT,
    last_error TEXT COLLATE "C",
    active_at BIGINT NOT NULL,
    active_why TEXT COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    created_by TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
  );
  CREATE UNIQUE INDEX machines_live ON machines (tenant_id, name) WHERE observed <> 'deleted';
  CREATE INDEX machines_deleted ON machines (tenant_id, changed_at) WHERE observed = 'deleted';
  ALTER TABLE machines ENABLE ROW LEVEL SECURITY;
  ALTER TABLE machines FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON machines USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
