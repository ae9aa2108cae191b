import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { createMachineFilesStore } from './machine-files-store.ts'
import type { KeptFiles, Snapshot } from './ports.ts'

const kept = (machine: string, changes: Partial<KeptFiles> = {}): KeptFiles => ({
  ...{ machine, rootKey: 'sealed', attempts: 1, generation: 1, current: null },
  ...changes,
})
const snapshot = (machine: string, number: number, changes: Partial<Snapshot> = {}): Snapshot => ({
  ...{ machine, number, attempt: `${number}-AAAAAAAAAAAAAAAA`, generation: 1, manifestBytes: 10 },
  ...{ manifestHash: 'a'.repeat(64), bytes: 20, files: 2, sentBytes: 30, createdAt: 1_800_000_000_000 },
  ...changes,
})

storeContract('the store of machines’ files', { machineFiles: createMachineFilesStore }, (kit) => {
  const insert = (of: KeptFiles, storage = kit.mine) =>
    storage.transaction((tx) => tx.machineFiles.insert(of))
  const add = (of: Snapshot, storage = kit.mine) =>
    storage.transaction((tx) => tx.machineFiles.insertSnapshot(of))
  const find = (machine: string, storage = kit.mine) => storage.read((tx) => tx.machineFiles.find(machine))
  const numbers = async (machine: string, storage = kit.mine) =>
    (await storage.read((tx) => tx.machineFiles.snapshots(machine))).map(({ number }) => number)

  it('keeps what is kept of a machine, changes all of it but its key, and the key alone', async () => {
    await insert(kept('mch_a'))
    expect(await find('mch_a')).toEqual(kept('mch_a'))
    const changed = kept('mch_a', { attempts: 7, generation: 5, current: 7, rootKey: 'is not written' })
    await kit.mine.transaction((tx) => tx.machineFiles.update(changed))
    expect(await find('mch_a')).toEqual({ ...changed, rootKey: 'sealed' })
    await kit.mine.transaction((tx) => tx.machineFiles.setRootKey('mch_a', 'sealed anew'))
    expect(await find('mch_a')).toEqual({ ...changed, rootKey: 'sealed anew' })
    await expect(insert(kept('mch_a'))).rejects.toThrow()
  })

  it('keeps snapshots with figures beyond 32 bits, the newest first, and each number once', async () => {
    await insert(kept('mch_b'))
    const large = snapshot('mch_b', 2, { bytes: 2 ** 40, sentBytes: 2 ** 41, manifestBytes: 2 ** 33 })
    for (const one of [snapshot('mch_b', 1), large, snapshot('mch_b', 10)]) await add(one)
    expect(await numbers('mch_b')).toEqual([10, 2, 1])
    expect((await kit.mine.read((tx) => tx.machineFiles.snapshots('mch_b')))[1]).toEqual(large)
    await expect(add(snapshot('mch_b', 2))).rejects.toThrow()
    await kit.mine.transaction((tx) => tx.machineFiles.removeSnapshot('mch_b', 2))
    expect(await numbers('mch_b')).toEqual([10, 1])
  })

  it('knows nothing of another tenant’s machine of the same name, and removes one with all of it', async () => {
    for (const storage of [kit.mine, kit.theirs]) {
      await insert(kept('mch_c'), storage)
      await add(snapshot('mch_c', 1), storage)
    }
    await kit.mine.transaction((tx) => tx.machineFiles.setRootKey('mch_c', 'of mine'))
    expect((await find('mch_c', kit.theirs))?.rootKey).toBe('sealed')
    await kit.mine.transaction((tx) => tx.machineFiles.remove('mch_c'))
    expect([await find('mch_c'), await numbers('mch_c')]).toEqual([undefined, []])
    expect(await numbers('mch_c', kit.theirs)).toEqual([1])
    expect(await kit.theirs.read((tx) => tx.machineFiles.rootKeys())).toContainEqual({
      machine: 'mch_c',
      rootKey: 'sealed',
    })
  })

  it('takes a snapshot and what names it together, or neither', async () => {
    await insert(kept('mch_d'))
    const failing = kit.mine.transaction(async (tx) => {
      await tx.machineFiles.insertSnapshot(snapshot('mch_d', 1))
      await tx.machineFiles.update(kept('mch_d', { current: 1 }))
      throw new Error('the power is gone')
    })
    await expect(failing).rejects.toThrow('the power is gone')
    expect([await numbers('mch_d'), (await find('mch_d'))?.current]).toEqual([[], null])
  })
})
