/** Which run of its agent a turn is, what tools that used (sealed), and of one that nobody asked for what woke it. */
export const TURN_RUNS: readonly string[] = [
  `
  ALTER TABLE machine_turns ADD COLUMN origin TEXT NOT NULL DEFAULT 'person';
  ALTER TABLE machine_turns ADD COLUMN request_id TEXT;
  ALTER TABLE machine_turns ADD COLUMN run TEXT;
  ALTER TABLE machine_turns ADD COLUMN tools TEXT;
`,
]
