import type { AgentId, UnixMs } from '../../kernel/index.ts'

/** One file of a module cache: where it stands in it, and what it holds. */
export interface ImportFile {
  /** Relative, `/` between names, never `..`. */
  readonly path: string
  readonly sha256: string
  readonly bytes: number
}

/** Everything that code imports from elsewhere, fixed by content. */
interface ImportLock {
  /** SHA-256 of the canonical manifest: `{ v, runtime, image, files, modules }`. */
  readonly hash: string
  readonly files: readonly ImportFile[]
  readonly bytes: number
  /** Every module or package version, sorted. */
  readonly modules: readonly string[]
}

/** A lock together with its files' contents, each already checked against its hash. */
export interface LockedImports {
  readonly lock: ImportLock
  /** What they were resolved for. */
  readonly runtime: { readonly name: string; readonly image: string }
  /** By SHA-256. */
  readonly contents: ReadonlyMap<string, Uint8Array>
}

/** Fetches what code imports, without running any of it and without a secret. */
export interface ImportResolver {
  /**
   * Null when the code imports nothing from elsewhere. Throws AppError `import_refused` with the line otherwise. The audit
   * names the agent for every host that is asked or refused.
   */
  resolve(
    code: string,
    runtime: { readonly name: string; readonly image: string },
    signal: AbortSignal,
    agentId: AgentId,
  ): Promise<LockedImports | null>
}

interface ImportReader {
  /** Checked against its hashes; undefined when it is not there or not whole. */
  read(hash: string): Promise<LockedImports | undefined>
}

export interface ImportStore extends ImportReader {
  /** Stores what is new of it, and mends what is not whole; in the unit that stores the request. */
  put(imports: LockedImports, at: UnixMs): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly imports: StorePort<ImportReader, ImportStore>
  }
}
