/** See the migration of SQLite of the same name. */
export const TURN_RUNS: readonly string[] = [
  `
  ALTER TABLE machine_turns ADD COLUMN origin TEXT COLLATE "C" NOT NULL DEFAULT 'person';
  ALTER TABLE machine_turns ADD COLUMN request_id TEXT COLLATE "C";
  ALTER TABLE machine_turns ADD COLUMN run TEXT COLLATE "C";
  ALTER TABLE machine_turns ADD COLUMN tools TEXT COLLATE "C";
`,
]
