/** Machines: what is wanted of each, what is there, and until when it may be on its way. */
export const MACHINES: readonly string[] = [
  `
  CREATE TABLE machines (
    tenant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    driver TEXT NOT NULL,
    image TEXT NOT NULL,
    spec TEXT NOT NULL,
    desired TEXT NOT NULL,
    observed TEXT NOT NULL,
    generation INTEGER NOT NULL,
    deadline INTEGER,
    failures INTEGER NOT NULL,
    retry_at INTEGER,
    last_error TEXT,
    active_at INTEGER NOT NULL,
    active_why TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
  ) STRICT;
  CREATE UNIQUE INDEX machines_live ON machines (tenant_id, name) WHERE observed <> 'deleted';
  CREATE INDEX machines_deleted ON machines (tenant_id, changed_at) WHERE observed = 'deleted';
`,
]
