/** See the migration of SQLite of the same name. */
export const GRANT_REQUESTS: readonly string[] = [
  `
  ALTER TABLE provider_grants ADD COLUMN max_requests BIGINT;
  ALTER TABLE provider_grants ADD COLUMN requests BIGINT NOT NULL DEFAULT 0;
`,
]
