/**
 * Where in the audit something is named: which terms stand in which block of rows. Made from the rows afterwards, not with them;
 * without it a search looks at every row.
 */
export const AUDIT_INDEX: readonly string[] = [
  `
  CREATE TABLE audit_blocks (
    tenant_id TEXT NOT NULL,
    block INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, block)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE audit_terms (
    tenant_id TEXT NOT NULL,
    term TEXT NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, term, block)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX audit_terms_of_block ON audit_terms (tenant_id, block);
`,
]
