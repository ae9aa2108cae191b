import { expect, it } from 'vitest'
import { sampleMachine } from '../../../test/support/machine-kit.ts'
import { storeContract } from '../../../test/support/store-contract.ts'
import type { Machine } from './machine.ts'
import { createMachineStore } from './machine-store.ts'

storeContract('the store of machines', { machines: createMachineStore }, (kit) => {
  const insert = (machine: Machine, storage = kit.mine) =>
    storage.transaction((tx) => tx.machines.insert(machine))
  const live = (storage = kit.mine) => storage.read((tx) => tx.machines.live())

  it('keeps a machine as it is, and what changes of it', async () => {
    const machine = sampleMachine({ deadline: 7, retryAt: 8, lastError: 'no' })
    await insert(machine)
    const byId = () => kit.mine.read((tx) => tx.machines.byId(machine.id))
    expect(await byId()).toEqual(machine)
    const changed: Machine = {
      ...machine,
      spec: { ...machine.spec, egress: ['api.demo.test'] },
      desired: 'paused',
      observed: 'waking',
      generation: 12,
      deadline: null,
      failures: 3,
      retryAt: null,
      lastError: null,
      activeAt: 99,
      activeWhy: 'message',
      changedAt: 98,
    }
    await kit.mine.transaction((tx) => tx.machines.update(changed))
    expect(await byId()).toEqual(changed)
  })

  it('keeps an error that no database takes as it is', async () => {
    const machine = sampleMachine({ lastError: 'a\0b\ud800' })
    await insert(machine)
    expect((await live())[0]?.lastError).toBe('a\ufffdb\ufffd')
  })

  it('lists all but the deleted ones, of one tenant, by name; a name is free again then', async () => {
    const [b, a] = [sampleMachine({ name: 'b' }), sampleMachine({ name: 'a' })]
    await insert(b)
    await insert(a)
    await insert(sampleMachine({ name: 'c', observed: 'deleted' }))
    await insert(sampleMachine({ name: 'a' }), kit.theirs)
    expect((await live()).map(({ id }) => id)).toEqual([a.id, b.id])
    await expect(insert(sampleMachine({ name: 'a' }))).rejects.toThrow()
    await kit.mine.transaction((tx) => tx.machines.update({ ...a, observed: 'deleted' }))
    await insert(sampleMachine({ name: 'a' }))
    expect(await kit.theirs.read((tx) => tx.machines.byId(b.id))).toBeUndefined()
  })

  it('drops the oldest of what was deleted before, so many at most, and nothing that lives', async () => {
    const deleted = [10, 30, 20, 40].map((changedAt, at) =>
      sampleMachine({ name: `d${at}`, observed: 'deleted', changedAt }),
    )
    for (const one of deleted) await insert(one)
    const alive = sampleMachine({ name: 'alive', changedAt: 1 })
    await insert(alive)
    await insert(sampleMachine({ name: 'd', observed: 'deleted', changedAt: 1 }), kit.theirs)
    const left = async () =>
      (
        await kit.sql(`SELECT changed_at FROM machines WHERE tenant_id = '${kit.me}' ORDER BY changed_at`)
      ).map((row) => row.changed_at)
    await kit.mine.transaction((tx) => tx.machines.dropDeletedBefore(40, 2))
    expect(await left()).toEqual([1, 30, 40])
    await kit.mine.transaction((tx) => tx.machines.dropDeletedBefore(40, 2))
    expect(await left()).toEqual([1, 40])
    expect(await kit.sql(`SELECT name FROM machines WHERE tenant_id = '${kit.them}'`)).toHaveLength(1)
  })

  it('reads no table from end to end', async () => {
    for (const tenant of [kit.me, kit.them])
      await kit.sql(
        `INSERT INTO machines SELECT '${tenant}', 'mch_' || n, 'name' || n, 'd', 'i', '{}', 'awake',
           CASE WHEN n % 3 = 0 THEN 'running' ELSE 'deleted' END, 1, NULL, 0, NULL, NULL, 1, 'created', n, 1, 'cli:0'
         FROM (${kit.numbers(3_000)}) AS counted`,
      )
    await kit.sql('ANALYZE')
    const id = sampleMachine().id
    await kit.expectIndexed('byId', (tx) => tx.machines.byId(id))
    await kit.expectIndexed('live', (tx) => tx.machines.live(), ['machines_live'])
    await kit.expectIndexed('dropDeletedBefore', (tx) => tx.machines.dropDeletedBefore(5, 2))
  })
})
