import type { TenantId, UnixMs } from '../../kernel/index.ts'

export interface FilesKey {
  readonly tenant: TenantId
  readonly machine: string
}
/** One incarnation of a machine: its fencing token grows with each. */
export interface FilesRef extends FilesKey {
  readonly generation: number
}

/** Where a machine's files are while it has a container. Both sides speak tar. */
export interface MachineFiles {
  /** A file or folder at the root of its volume, with all below it; undefined where there is none. Of what does not run. */
  read(ref: FilesRef, name: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>
  /** Into the root of its volume. Links are made and never followed. */
  write(ref: FilesRef, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
}

/** A row of `machine_files`: one for each machine that was ever saved. */
export interface KeptFiles {
  readonly machine: string
  /** What all keys of its objects come from, sealed by the vault. */
  readonly rootKey: string
  /** Number of the last attempt to save; numbers are never used twice. */
  readonly attempts: number
  /** Fence: the newest incarnation that began to save. Older ones are refused. */
  readonly generation: number
  /** Number of the snapshot that is restored; null: none yet. */
  readonly current: number | null
}

/** A row of `machine_snapshots`, written when all of it is in the store. */
export interface Snapshot {
  readonly machine: string
  readonly number: number
  /** Part of the names of the objects that it came with. */
  readonly attempt: string
  readonly generation: number
  /** Of the sealed manifest. */
  readonly manifestBytes: number
  readonly manifestHash: string
  /** Contents of files together. */
  readonly bytes: number
  readonly files: number
  /** What was sent for it. */
  readonly sentBytes: number
  readonly createdAt: UnixMs
}

interface MachineFilesReader {
  find(machine: string): Promise<KeptFiles | undefined>
  /** Newest first. */
  snapshots(machine: string): Promise<readonly Snapshot[]>
  /** On a rotation of the data key. */
  rootKeys(): Promise<readonly { readonly machine: string; readonly rootKey: string }[]>
}

export interface MachineFilesStore extends MachineFilesReader {
  insert(kept: KeptFiles): Promise<void>
  /** Writes every field that can change, the key but for `setRootKey`. */
  update(kept: KeptFiles): Promise<void>
  setRootKey(machine: string, rootKey: string): Promise<void>
  insertSnapshot(snapshot: Snapshot): Promise<void>
  removeSnapshot(machine: string, number: number): Promise<void>
  /** With its snapshots. */
  remove(machine: string): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly machineFiles: StorePort<MachineFilesReader, MachineFilesStore>
  }
}
