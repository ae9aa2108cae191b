/** Which instance of a cloud has shown itself as a machine, and by what it is known since. */
export const MACHINE_IDENTITIES: readonly string[] = ['ALTER TABLE machines ADD COLUMN identity TEXT;']
