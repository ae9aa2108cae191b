/** How far runs of an app reach: the secrets that they may ask for (null: any), and whether and where commands reach hosts. */
export const APP_REACH: readonly string[] = [
  `
  ALTER TABLE apps ADD COLUMN secrets TEXT DEFAULT '[]';
  ALTER TABLE apps ADD COLUMN network TEXT NOT NULL DEFAULT 'off';
  ALTER TABLE apps ADD COLUMN hosts TEXT NOT NULL DEFAULT '[]';
`,
]
