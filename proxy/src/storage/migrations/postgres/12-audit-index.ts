/** See the migration of SQLite of the same name. */
export const AUDIT_INDEX: readonly string[] = [
  `
  CREATE TABLE audit_blocks (
    tenant_id TEXT COLLATE "C" NOT NULL,
    block BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, block)
  );
  CREATE TABLE audit_terms (
    tenant_id TEXT COLLATE "C" NOT NULL,
    term TEXT COLLATE "C" NOT NULL,
    block BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, term, block)
  );
  CREATE INDEX audit_terms_of_block ON audit_terms (tenant_id, block);
  ALTER TABLE audit_blocks ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit_blocks FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON audit_blocks USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
  ALTER TABLE audit_terms ENABLE ROW LEVEL SECURITY;
  ALTER TABLE audit_terms FORCE ROW LEVEL SECURITY;
  CREATE POLICY of_tenant ON audit_terms USING (tenant_id = app_tenant()) WITH CHECK (tenant_id = app_tenant());
`,
]
