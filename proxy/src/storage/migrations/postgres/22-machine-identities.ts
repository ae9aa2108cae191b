/** See the migration of SQLite of the same name. */
export const MACHINE_IDENTITIES: readonly string[] = [
  'ALTER TABLE machines ADD COLUMN identity TEXT COLLATE "C";',
]
