import type { AppId, UnixMs } from '../../kernel/index.ts'

/** A conversation that an app's runs may continue: what the CLI needs to go on, sealed. */
export interface RunSessionRow {
  /** `ses_` and 32 hex digits. */
  readonly id: string
  readonly appId: AppId
  /** The CLI's own id of it. */
  readonly cliSession: string
  /** The one that it was forked from; null for none. */
  readonly parent: string | null
  readonly runs: number
  readonly bytes: number
  readonly blob: string
  readonly blobKey: string
  readonly createdAt: UnixMs
  readonly usedAt: UnixMs
  readonly expiresAt: UnixMs
}

interface RunSessionReader {
  byId(id: string): Promise<RunSessionRow | undefined>
  /** The last used first. */
  listOf(appId: AppId, limit: number): Promise<readonly RunSessionRow[]>
  sumOf(appId: AppId): Promise<{ readonly count: number; readonly bytes: number }>
  expired(before: UnixMs, limit: number): Promise<readonly RunSessionRow[]>
  blobs(): Promise<readonly { readonly id: string; readonly blob: string; readonly blobKey: string }[]>
}

export interface RunSessionStore extends RunSessionReader {
  /** In place of the row of this id, if there is one. */
  put(row: RunSessionRow): Promise<void>
  remove(id: string): Promise<void>
  setBlobKey(id: string, blobKey: string): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly runSessions: StorePort<RunSessionReader, RunSessionStore>
  }
}
