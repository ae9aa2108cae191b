/** See the migration of SQLite of the same name. */
export const SEATS: readonly string[] = [
  `
  ALTER TABLE provider_keys ADD COLUMN is_seat BIGINT NOT NULL DEFAULT 0;
  ALTER TABLE apps ADD COLUMN uses_seat BIGINT NOT NULL DEFAULT 0;
`,
]
