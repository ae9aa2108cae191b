/**
 * Single values that belong to the installation, whoever its tenants are: they stand in the table `installation`, all others in
 * `meta` under their tenant. The sign of the one daemon (`lock/fence.ts`) stands beside them, and no store has it.
 */
export const INSTALLATION_KEYS: ReadonlySet<string> = new Set(['instance_id', 'kdf', 'backup', 'copied_from'])
