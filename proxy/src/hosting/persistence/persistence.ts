/**
 * Files of machines beyond their hosts. A machine that sleeps has its files here alone, so nothing is given up before all of it is
 * kept: packs, then the manifest, then the row, which alone says what is restored.
 */
import {
  AppError,
  type Clock,
  createOneAtATimeEach,
  type Storage,
  type TenantId,
  type Tx,
} from '../../kernel/index.ts'
import type { Cipher, Vault } from '../../vault/index.ts'
import { admit, type Entry, type FilesQuota, linkWithin, readArchive, writeArchive } from './archive/index.ts'
import type { ChunkSizes } from './chunker.ts'
import { collectGarbage } from './collect-garbage.ts'
import type { Manifest } from './manifest.ts'
import { prefixOf, prefixOfTenant } from './object-names.ts'
import type { FilesKey, FilesRef, KeptFiles, MachineFiles, Snapshot } from './ports.ts'
import { markEntry, readMark } from './restore-mark.ts'
import { altered, createSealing, type Sealing } from './sealing.ts'
import { createSnapshotLedger, type SnapshotLedger } from './snapshot-ledger.ts'
import { readManifest, readSnapshot } from './snapshot-reader.ts'
import { missingPacks, writeSnapshot } from './snapshot-writer.ts'
import { honoursConditions, type ObjectStore } from './stores/index.ts'

/** Where the files stand on a machine's volume, and whose they are there. */
export interface FilesPlace {
  /** The folder at the root of the volume that is the machine's own. */
  readonly home: string
  /** Where the machine finds its volume. */
  readonly mount: string
  /** User and group. */
  readonly owner: number
}

export interface PersistenceOptions {
  readonly objects: ObjectStore
  readonly files: MachineFiles
  readonly place: FilesPlace
  readonly quota: FilesQuota
  readonly cipher: Cipher
  readonly clock: Clock
  /** Snapshots kept of each machine. */
  readonly keep?: number
  readonly sizes?: ChunkSizes
  readonly log?: (message: string, error?: unknown) => void
}

export interface Persistence extends AsyncDisposable {
  /** Before anything of the tenant's. */
  open(of: { readonly storage: Storage; readonly vault: Pick<Vault, 'sealFor' | 'openFor'> }): void
  /**
   * Of a machine that does not run. Resolves when all of its own is kept. Throws `too_large` beyond the quota, `conflict` for an
   * incarnation that is not the newest, a StoreFault where the store does not take it; then what was kept before is still what counts.
   */
  save(ref: FilesRef, signal: AbortSignal): Promise<void>
  /**
   * Into an incarnation that was created and never started. Files that a start has used are left as they are. `unusable`: a half of
   * other files is there; it has to be removed, and created anew. `begun` is awaited once the volume says that it holds a half.
   */
  restore(ref: FilesRef, signal: AbortSignal, begun?: () => Promise<void>): Promise<'ready' | 'unusable'>
  /** Whether its volume says that it holds a half. */
  isHalf(ref: FilesRef, signal: AbortSignal): Promise<boolean>
  /** All that is kept of it, and its key first. */
  forget(key: FilesKey, signal: AbortSignal): Promise<void>
  /** Of a tenant whose keys are destroyed: every object that is kept of its machines. */
  forgetTenant(tenant: TenantId, signal: AbortSignal): Promise<void>
  /** Newest first. */
  snapshots(key: FilesKey): Promise<readonly Snapshot[]>
  kept(key: FilesKey): Promise<readonly (Snapshot & { readonly isCurrent: boolean })[]>
  /** Until disposed of, no later save drops it. Throws `not_found`, `conflict` where the store has not all of it any more. */
  pin(key: FilesKey, number: number, signal: AbortSignal): Promise<Disposable>
  /** What is restored from now on; only of a machine that is asleep. `also` in the same unit of work. Throws `not_found`. */
  rollBack(key: FilesKey, number: number, also?: (tx: Tx) => Promise<void>): Promise<void>
  /** Of what was saved and forgotten until now: garbage is removed. */
  settled(): Promise<void>
}

const KEPT_SNAPSHOTS = 3
const noSuch = (): AppError => new AppError('not_found', 'There is no such generation of its files.')

async function* only(entry: Entry): AsyncGenerator<Entry> {
  yield entry
}

export function createPersistence(options: PersistenceOptions): Persistence {
  const { objects: store, files, place, quota, cipher, clock, log = () => {} } = options
  const ledgers = new Map<TenantId, SnapshotLedger>()
  const closing = new AbortController()
  const turns = createOneAtATimeEach<string>()
  /** Each pin a name of its own: two may hold the same one. */
  const pins = new Set<{ readonly machine: string; readonly number: number }>()
  let collecting: Promise<unknown> = Promise.resolve()
  let probed: Promise<boolean> | undefined

  const ledgerOf = ({ tenant }: FilesKey): SnapshotLedger => {
    const ledger = ledgers.get(tenant)
    if (ledger === undefined) throw new AppError('internal', 'Files of a tenant that was not opened.')
    return ledger
  }
  /** One act after the other on one machine's objects. */
  const inTurn = <T>(key: FilesKey, act: () => Promise<T>): Promise<T> => turns(prefixOf(key), act)
  const isConditional = (signal: AbortSignal): Promise<boolean> => {
    probed ??= honoursConditions(store, signal).catch((error: unknown) => {
      probed = undefined
      throw error
    })
    return probed
  }
  async function withSealing<T>(
    key: FilesKey,
    kept: KeptFiles,
    use: (sealing: Sealing) => Promise<T>,
  ): Promise<T> {
    const root = ledgerOf(key).rootOf(kept)
    const sealing = createSealing(cipher, root, `${key.tenant}/${key.machine}`)
    cipher.wipe(root)
    try {
      return await use(sealing)
    } finally {
      sealing.wipe()
    }
  }

  /** What cannot be read any more is not shared: then all is sent again. */
  async function baseOf(
    base: Snapshot | undefined,
    of: Parameters<typeof readManifest>[1],
  ): Promise<Manifest | undefined> {
    if (base === undefined) return undefined
    try {
      return await readManifest(base, of)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      log(`what is kept of machine ${of.key.machine} cannot be read; all of it is kept anew`, error)
      return undefined
    }
  }

  async function save(ref: FilesRef, signal: AbortSignal): Promise<void> {
    const ledger = ledgerOf(ref)
    const conditional = await isConditional(signal)
    // Half of what is kept already, which no start has used.
    if ((await readMark(files, ref, signal))?.isWhole === false) return
    const begun = await ledger.begin(ref)
    await withSealing(ref, begun.kept, async (sealing) => {
      const { attempt } = begun
      const base = await baseOf(begun.base, { store, sealing, key: ref, signal })
      const archive = await files.read(ref, place.home, signal)
      if (archive === undefined) throw new AppError('internal', 'The machine has no files.')
      const { entries, counted } = admit(readArchive(archive), place.home, quota)
      const source = writeArchive(entries)
      const written = await writeSnapshot(source, {
        ...{ store, conditional, sealing, key: ref, attempt, base, signal },
        sizes: options.sizes,
      })
      signal.throwIfAborted()
      await ledger.commit(ref, begun, { ...written, ...counted })
    })
    const collected = inTurn(ref, () => collect(ref)).catch((error: unknown) => {
      if (!closing.signal.aborted)
        log(`what is not needed of machine ${ref.machine} could not be removed`, error)
    })
    collecting = Promise.all([collecting, collected])
  }

  async function collect(key: FilesKey): Promise<void> {
    const { signal } = closing
    const ledger = ledgerOf(key)
    const found = await ledger.find(key.machine)
    if (found === undefined) return
    const snapshots = await ledger.snapshots(key.machine)
    await withSealing(key, found.kept, async (sealing) => {
      const kept = []
      for (const snapshot of snapshots)
        kept.push({ snapshot, manifest: await readManifest(snapshot, { store, sealing, key, signal }) })
      await collectGarbage({ store, key, kept, signal })
    })
  }

  async function restore(
    ref: FilesRef,
    signal: AbortSignal,
    begun?: () => Promise<void>,
  ): Promise<'ready' | 'unusable'> {
    const mark = await readMark(files, ref, signal)
    if (mark?.isWhole === true) return 'ready'
    const found = await ledgerOf(ref).find(ref.machine)
    // A row that names a snapshot that there is no row of: nothing is put in the place of files that once were.
    if (found !== undefined && found.kept.current !== null && found.current === undefined) throw altered()
    const current = found?.current
    const attempt = current?.attempt ?? ''
    if (mark !== undefined && mark.attempt !== attempt) return 'unusable'
    if (current === undefined || found === undefined)
      await files.write(ref, writeArchive(only(markEntry({ attempt, isWhole: true }))), signal)
    else {
      if (begun !== undefined) {
        await files.write(ref, writeArchive(only(markEntry({ attempt, isWhole: false }))), signal)
        await begun()
      }
      await withSealing(ref, found.kept, (sealing) => bring(ref, current, sealing, signal))
    }
    return 'ready'
  }

  async function assertWhole(key: FilesKey, number: number, signal: AbortSignal): Promise<void> {
    const ledger = ledgerOf(key)
    const [found, snapshots] = [await ledger.find(key.machine), await ledger.snapshots(key.machine)]
    const snapshot = snapshots.find((one) => one.number === number)
    if (found === undefined || snapshot === undefined) throw noSuch()
    await withSealing(key, found.kept, async (sealing) => {
      const of = { store, sealing, key, signal }
      if ((await missingPacks(await readManifest(snapshot, of), of)).size > 0) throw altered()
    }).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'internal') throw error
      throw new AppError('conflict', 'The store has not all of these files any more.')
    })
  }

  async function bring(
    ref: FilesRef,
    current: Snapshot,
    sealing: Sealing,
    signal: AbortSignal,
  ): Promise<void> {
    const of = { store, sealing, key: ref, signal }
    const content = readSnapshot(await readManifest(current, of), of)
    const { entries, counted } = admit(readArchive(content), place.home, {
      bytes: current.bytes,
      files: current.files,
    })
    // One archive, unpacked in its order: what stands between the marks is a half until the second one is there.
    const marked = async function* (): AsyncGenerator<Entry> {
      yield markEntry({ attempt: current.attempt, isWhole: false })
      for await (const entry of entries) yield { ...linkWithin(entry, place.mount), owner: place.owner }
      if (counted.files !== current.files || counted.bytes !== current.bytes) throw altered()
      yield markEntry({ attempt: current.attempt, isWhole: true })
    }
    await files.write(ref, writeArchive(marked()), signal)
  }

  return {
    open({ storage, vault }) {
      ledgers.set(
        storage.tenant,
        createSnapshotLedger({
          ...{ storage, vault, clock, keep: options.keep ?? KEPT_SNAPSHOTS },
          isPinned: (machine, number) =>
            [...pins].some((pin) => pin.machine === machine && pin.number === number),
        }),
      )
    },
    save: (ref, signal) => inTurn(ref, () => save(ref, AbortSignal.any([signal, closing.signal]))),
    restore: (ref, signal, begun) =>
      inTurn(ref, () => restore(ref, AbortSignal.any([signal, closing.signal]), begun)),
    isHalf: async (ref, signal) => (await readMark(files, ref, signal))?.isWhole === false,
    forget: (key, signal) =>
      inTurn(key, async () => {
        // Without its key the rest is noise, however long it takes to be removed.
        await ledgerOf(key).remove(key.machine)
        for await (const name of store.list(prefixOf(key), signal)) await store.remove(name, signal)
      }),
    async forgetTenant(tenant, signal) {
      ledgers.delete(tenant)
      for await (const name of store.list(prefixOfTenant(tenant), signal)) await store.remove(name, signal)
    },
    snapshots: (key) => ledgerOf(key).snapshots(key.machine),
    async kept(key) {
      const ledger = ledgerOf(key)
      const found = await ledger.find(key.machine)
      const all = await ledger.snapshots(key.machine)
      return all.map((one) => ({ ...one, isCurrent: one.number === found?.kept.current }))
    },
    async pin(key, number, signal) {
      const pin = { machine: key.machine, number }
      pins.add(pin)
      try {
        // In turn: what a save drops is dropped before, or it is pinned.
        await inTurn(key, () => assertWhole(key, number, AbortSignal.any([signal, closing.signal])))
      } catch (error) {
        pins.delete(pin)
        throw error
      }
      return { [Symbol.dispose]: () => void pins.delete(pin) }
    },
    rollBack: (key, number, also) => inTurn(key, () => ledgerOf(key).choose(key.machine, number, also)),
    async settled() {
      await collecting
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new AppError('shutting_down', 'The daemon is stopping.'))
      await collecting
      await store[Symbol.asyncDispose]()
    },
  }
}
