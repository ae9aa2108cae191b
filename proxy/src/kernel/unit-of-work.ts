import type { TenantId } from './ids.ts'

/**
 * The unit of work: what is read and written together, or not at all. Feature modules say which stores there are, by
 * declaration merging into `StorePorts` beside each store's port; `compose-stores.ts` joins what implements them.
 */
export interface StorePorts {
  readonly meta: StorePort<MetaReader, MetaStore>
}

/** A store as a unit that only reads has it, and with what one that writes may do beside. */
export interface StorePort<Reader, Store extends Reader> {
  readonly reader: Reader
  readonly store: Store
}

/** What each store reads. */
type Readers = { readonly [Name in keyof StorePorts]: StorePorts[Name]['reader'] }

/** What each store reads and writes. */
export type Stores = { readonly [Name in keyof StorePorts]: StorePorts[Name]['store'] }

/** Reads of one moment: nothing that is committed meanwhile shows. Only good inside the callback that it was given to. */
export interface ReadTx extends Readers {
  /** Tells a unit that only reads from one that writes. */
  readonly kind: 'read' | 'write'
  /** Whose rows these are: it sees no others. */
  readonly tenant: TenantId
}

/** A unit that writes. Only good inside the callback that it was given to: used later it throws. */
export interface Tx extends Stores {
  readonly kind: 'write'
  readonly tenant: TenantId
  /** For memory that mirrors rows: called once the unit is committed, in the order of commits, before `transaction` resolves. */
  onCommit(work: () => void): void
  /**
   * For what was set aside for the unit: called when it was undone, and when nothing was heard of its commit. In that case
   * `onCommit` may follow, once it is known that it was committed after all.
   */
  onUndo(work: () => void): void
  /** For what goes outside: called soon after the unit is on disk, in the order of commits, and never if it was undone. */
  afterCommit(work: () => void): void
}

/**
 * When a commit is on the disk. `immediate`: when `transaction` resolves, for what a person decides. `grouped`: soon after, with
 * others, without holding up the event loop; a crash of the process loses nothing of it, a power cut may. Whoever acts on it
 * outside waits for `flushed`.
 */
export type Durability = 'immediate' | 'grouped'

export interface Storage {
  /** Whose rows it reads and writes: no others. */
  readonly tenant: TenantId
  /**
   * Runs `work` as one unit: all that it wrote is committed when the promise resolves, or, when `work` or the commit fails,
   * nothing of it happened. Against write skew and lost updates units that write run one after the other (for each tenant), as
   * `SERIALIZABLE` would let them seem to: what one has read cannot change before it commits, and none is repeated. `work` waits
   * for nothing but the stores. An error of a store that `work` caught undoes the unit all the same. Throws `internal` when called
   * inside a unit (no nesting, no savepoints: pass `tx` on), `storage_unavailable` when the engine cannot be reached or does not
   * take it.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, durability?: Durability): Promise<T>
  /** Runs `work` over one state of the database. Does not wait for a unit that writes, nor hold one up. */
  read<T>(work: (tx: ReadTx) => Promise<T>): Promise<T>
  /** Resolves when all that was committed so far is on disk; rejects with `storage_unavailable`. */
  flushed(): Promise<void>
}

/** Single values by name: keys of the installation, settings that the daemon itself keeps. */
export interface MetaReader {
  get(key: string): Promise<string | undefined>
}
export interface MetaStore extends MetaReader {
  set(key: string, value: string): Promise<void>
}
