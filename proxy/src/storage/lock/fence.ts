/**
 * Fencing, against a split brain: keeps a process that is no longer the one daemon of a PostgreSQL database from writing to it. The mirrors in memory follow the
 * units of their own process alone, so two daemons would decide on what the other has changed.
 */
export interface Fence {
  /** What this daemon has written into the database as its sign; another's sign there is the end of this one. */
  readonly sign: string
  /** AppError `storage_unavailable` while it is not known that this process is the one daemon. */
  assertHeld(): void
  /** Puts the sign into the database, after the last unit of an earlier daemon has ended. The tables are there. */
  claim(): Promise<void>
  /** The sign of another was found. */
  taken(): void
}

/** In the table `installation`. */
const SIGN_KEY = 'daemon'
/** First number of the two-number advisory locks of daemons; `lockTenant` has those of one number. */
const DAEMONS = 0x6f617574
/** Held by the daemon's session from its start to its end. */
export const DAEMON_LOCK = `${DAEMONS}, 1`
/** Held by each unit that writes, shared with the others; by a daemon that takes over, alone. */
const WRITERS_LOCK = `${DAEMONS}, 2`

export const claimSql = (sign: string): string => `BEGIN; SELECT pg_advisory_xact_lock(${WRITERS_LOCK});
  INSERT INTO installation (key, value) VALUES ('${SIGN_KEY}', '${sign}') ON CONFLICT (key) DO UPDATE SET value = excluded.value;
  COMMIT`

/** Of a unit that writes: no daemon takes over before its end. */
export const SHARE_WRITING = `SELECT pg_advisory_xact_lock_shared(${WRITERS_LOCK});`
/** The daemon that has put its sign last. */
export const SIGN = `(SELECT value FROM installation WHERE key = '${SIGN_KEY}')`
