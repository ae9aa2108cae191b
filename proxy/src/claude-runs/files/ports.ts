import type { AppId, UnixMs } from '../../kernel/index.ts'

/** What an app uploaded for its runs. Nobody but that app can name it. */
export interface AppFile {
  /** `ff_` and 32 hex digits. */
  readonly id: string
  readonly appId: AppId
  /** One name without folders. */
  readonly name: string
  readonly bytes: number
  readonly blob: string
  readonly blobKey: string
  readonly createdAt: UnixMs
  readonly expiresAt: UnixMs
}

interface AppFileReader {
  byId(id: string): Promise<AppFile | undefined>
  listOf(appId: AppId): Promise<readonly AppFile[]>
  /** How many, and how many bytes. */
  sumOf(appId: AppId): Promise<{ readonly count: number; readonly bytes: number }>
  expired(before: UnixMs, limit: number): Promise<readonly AppFile[]>
  /** All of them: on a rotation of the data key, and of the folder's sweep. */
  blobs(): Promise<readonly { readonly id: string; readonly blob: string; readonly blobKey: string }[]>
}

export interface AppFileStore extends AppFileReader {
  insert(file: AppFile): Promise<void>
  remove(id: string): Promise<void>
  setBlobKey(id: string, blobKey: string): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly appFiles: StorePort<AppFileReader, AppFileStore>
  }
}
