import { randomBytes } from 'node:crypto'
import { AppError, type Clock, SecretValue, type Storage, type Tx } from '../../kernel/index.ts'
import type { Vault } from '../../vault/index.ts'
import { newAttempt } from './object-names.ts'
import type { FilesRef, KeptFiles, Snapshot } from './ports.ts'

interface Begun {
  readonly kept: KeptFiles
  readonly attempt: string
  /** What is restored until this one is kept. */
  readonly base: Snapshot | undefined
}

/** The rows of one tenant's machines: which attempt is under way, and which snapshot counts. */
export interface SnapshotLedger {
  find(
    machine: string,
  ): Promise<{ readonly kept: KeptFiles; readonly current: Snapshot | undefined } | undefined>
  snapshots(machine: string): Promise<readonly Snapshot[]>
  /** Throws `conflict` where a newer incarnation has begun to save. */
  begin(ref: FilesRef): Promise<Begun>
  /** Throws `conflict` where another attempt was kept, or a newer incarnation began, since `begin`. */
  commit(
    ref: FilesRef,
    begun: Begun,
    of: Pick<Snapshot, 'manifestBytes' | 'manifestHash' | 'bytes' | 'files' | 'sentBytes'>,
  ): Promise<void>
  /** What is restored from now on, and `also` in the same unit of work. Throws `not_found`. */
  choose(machine: string, number: number, also?: (tx: Tx) => Promise<void>): Promise<void>
  remove(machine: string): Promise<void>
  rootOf(kept: KeptFiles): Buffer
}

const ROOT_BYTES = 32
const rootPurpose = (machine: string): string => `machine-files:${machine}`
const superseded = (): AppError =>
  new AppError('conflict', 'Newer files of the machine are kept, or being kept.')
const snapshotOf = (all: readonly Snapshot[], number: number | null): Snapshot | undefined =>
  all.find((each) => each.number === number)

export function createSnapshotLedger(deps: {
  readonly storage: Storage
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>
  readonly clock: Clock
  /** Snapshots of a machine. */
  readonly keep: number
  /** Whether it stays, however old it is. */
  readonly isPinned: (machine: string, number: number) => boolean
}): SnapshotLedger {
  const { storage, vault, clock, keep, isPinned } = deps

  const newKept = ({ machine, generation }: FilesRef): KeptFiles => {
    const root = new SecretValue(randomBytes(ROOT_BYTES).toString('base64url'))
    return {
      machine,
      rootKey: vault.sealFor(rootPurpose(machine), root),
      attempts: 1,
      generation,
      current: null,
    }
  }
  const dropOld = async (tx: Tx, { machine, current }: KeptFiles): Promise<void> => {
    const old = (await tx.machineFiles.snapshots(machine)).slice(keep)
    for (const { number } of old)
      if (number !== current && !isPinned(machine, number))
        await tx.machineFiles.removeSnapshot(machine, number)
  }

  return {
    find: (machine) =>
      storage.read(async (tx) => {
        const kept = await tx.machineFiles.find(machine)
        return kept && { kept, current: snapshotOf(await tx.machineFiles.snapshots(machine), kept.current) }
      }),
    snapshots: (machine) => storage.read((tx) => tx.machineFiles.snapshots(machine)),

    begin: (ref) =>
      storage.transaction(async (tx) => {
        const before = await tx.machineFiles.find(ref.machine)
        if (before !== undefined && before.generation > ref.generation) throw superseded()
        const kept =
          before === undefined
            ? newKept(ref)
            : { ...before, attempts: before.attempts + 1, generation: ref.generation }
        await (before === undefined ? tx.machineFiles.insert(kept) : tx.machineFiles.update(kept))
        const base = snapshotOf(await tx.machineFiles.snapshots(ref.machine), kept.current)
        return { kept, attempt: newAttempt(kept.attempts), base }
      }),

    commit: (ref, { kept: begun, attempt }, of) =>
      storage.transaction(async (tx) => {
        const now = await tx.machineFiles.find(ref.machine)
        if (now === undefined || now.generation !== ref.generation || now.current !== begun.current)
          throw superseded()
        const { machine, generation } = ref
        const kept = { ...now, current: begun.attempts }
        await tx.machineFiles.insertSnapshot({
          ...{ machine, generation, attempt, number: begun.attempts, createdAt: clock.now() },
          ...of,
        })
        await tx.machineFiles.update(kept)
        await dropOld(tx, kept)
      }),

    choose: (machine, number, also) =>
      storage.transaction(async (tx) => {
        const kept = await tx.machineFiles.find(machine)
        const chosen = snapshotOf(await tx.machineFiles.snapshots(machine), number)
        if (kept === undefined || chosen === undefined)
          throw new AppError('not_found', 'There is no such generation of its files.')
        await also?.(tx)
        await tx.machineFiles.update({ ...kept, current: number })
      }),
    remove: (machine) => storage.transaction((tx) => tx.machineFiles.remove(machine)),
    rootOf: ({ machine, rootKey }) =>
      Buffer.from(vault.openFor(rootPurpose(machine), rootKey).open(), 'base64url'),
  }
}

/** In the unit that replaces the data key: what is in the store stays as it is. */
export async function resealMachineKeys(
  tx: Tx,
  reseal: (purpose: string, sealed: string) => string,
): Promise<void> {
  for (const { machine, rootKey } of await tx.machineFiles.rootKeys())
    await tx.machineFiles.setRootKey(machine, reseal(rootPurpose(machine), rootKey))
}
