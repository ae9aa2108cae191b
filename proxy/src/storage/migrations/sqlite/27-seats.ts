/** Tokens of subscriptions' seats among the keys of providers, and apps whose runs go by one. */
export const SEATS: readonly string[] = [
  `
  ALTER TABLE provider_keys ADD COLUMN is_seat INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE apps ADD COLUMN uses_seat INTEGER NOT NULL DEFAULT 0;
`,
]
