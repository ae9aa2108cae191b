import { dirname, join, resolve } from 'node:path'

/** The socket of `oauth3` commands: beside the database. Daemon and CLI find it by this one rule. */
export const adminSocketPath = (dbPath: string): string => join(dirname(resolve(dbPath)), 'admin.sock')
