/** See the migration of SQLite of the same name. */
export const APP_REACH: readonly string[] = [
  `
  ALTER TABLE apps ADD COLUMN secrets TEXT COLLATE "C" DEFAULT '[]';
  ALTER TABLE apps ADD COLUMN network TEXT COLLATE "C" NOT NULL DEFAULT 'off';
  ALTER TABLE apps ADD COLUMN hosts TEXT COLLATE "C" NOT NULL DEFAULT '[]';
`,
]
