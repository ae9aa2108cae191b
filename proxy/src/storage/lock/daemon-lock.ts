import type { Fence } from './fence.ts'

/** What makes a process the one daemon of its files and its database, until disposed or dead. */
export interface DaemonLock extends AsyncDisposable {
  /** Aborted, with an AppError `conflict` as its reason, when another daemon works on the database: this one has to end. */
  readonly taken: AbortSignal
  /** For `openStorage`; undefined of SQLite, whose lock nobody can take from a process that lives. */
  readonly fence: Fence | undefined
}
