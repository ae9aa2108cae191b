/** A grant for a provider may be for a number of requests: how many in all, and how many went out. */
export const GRANT_REQUESTS: readonly string[] = [
  `
  ALTER TABLE provider_grants ADD COLUMN max_requests INTEGER;
  ALTER TABLE provider_grants ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
`,
]
