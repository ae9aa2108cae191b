/** Who may decide for a tenant: a person by the account of a channel. Filled from the settings at each start. */
export const MEMBERSHIPS: readonly string[] = [
  `
  CREATE TABLE memberships (
    tenant_id TEXT NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('telegram')),
    person TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('approver')),
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, channel, person)
  ) STRICT;
`,
]
