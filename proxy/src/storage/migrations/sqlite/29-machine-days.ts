/** How long machines ran and held their memory, by days. */
export const MACHINE_DAYS: readonly string[] = [
  `
  CREATE TABLE machine_days (
    tenant_id TEXT NOT NULL,
    day TEXT NOT NULL,
    machine_id TEXT NOT NULL,
    awake_ms INTEGER NOT NULL,
    held_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, day, machine_id)
  ) STRICT;
`,
]
