import { describe, expect, it } from 'vitest'
import { sampleMachine } from '../../../test/support/machine-kit.ts'
import { storeContract } from '../../../test/support/store-contract.ts'
import { createAuditLog, createAuditStore } from '../../audit/index.ts'
import { DAY_MS, newMachineId } from '../../kernel/index.ts'
import type { Machine, MachineState } from './machine.ts'
import { createMachineLedger, type MachineLedger } from './machine-ledger.ts'
import { createMachineStore } from './machine-store.ts'
import type { Cause } from './transitions.ts'

const STORES = { machines: createMachineStore, audit: createAuditStore }

storeContract('the store of machines', STORES, (kit) => {
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
      identity: { generation: 12, instance: 'i-1', secretSha256: 'ab', claimedAt: 9 },
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
           CASE WHEN n % 3 = 0 THEN 'running' ELSE 'deleted' END, 1, NULL, 0, NULL, NULL, 1, 'created', n, 1, 'cli:0', NULL
         FROM (${kit.numbers(3_000)}) AS counted`,
      )
    for (const tenant of [kit.me, kit.them])
      await kit.sql(
        `INSERT INTO machine_days SELECT '${tenant}', CAST(10000 + n AS TEXT), 'mch_' || n, 1, 1
         FROM (${kit.numbers(3_000)}) AS counted`,
      )
    await kit.sql('ANALYZE')
    const id = sampleMachine().id
    await kit.expectIndexed('daysSince', (tx) => tx.machines.daysSince(id, '12990'))
    await kit.expectIndexed('addTime', (tx) =>
      tx.machines.addTime(id, [{ day: '12990', awakeMs: 1, heldMs: 1 }]),
    )
    await kit.expectIndexed('byId', (tx) => tx.machines.byId(id))
    await kit.expectIndexed('live', (tx) => tx.machines.live(), ['machines_live'])
    await kit.expectIndexed('dropDeletedBefore', (tx) => tx.machines.dropDeletedBefore(5, 2))
  })

  it('adds time to the day of its machine, and tells what there is since a day', async () => {
    const [one, other] = [sampleMachine(), sampleMachine({ name: 'other' })]
    const day = (day: string, awakeMs: number, heldMs: number) => ({ day, awakeMs, heldMs })
    const add = (id: Machine['id'], ...days: ReturnType<typeof day>[]) =>
      kit.mine.transaction((tx) => tx.machines.addTime(id, days))
    await add(one.id, day('2030-01-01', 1, 2), day('2030-01-02', 3, 4))
    await add(one.id, day('2030-01-02', 10, 20), day('2030-01-03', 5, 6))
    await add(other.id, day('2030-01-02', 100, 100))
    await kit.theirs.transaction((tx) => tx.machines.addTime(one.id, [day('2030-01-02', 7, 7)]))
    const since = (from: string) => kit.mine.read((tx) => tx.machines.daysSince(one.id, from))
    expect(await since('2030-01-02')).toEqual([day('2030-01-02', 13, 24), day('2030-01-03', 5, 6)])
    expect(await since('2030-01-04')).toEqual([])
  })

  describe('who is a machine', () => {
    const told: string[] = []
    const ledger = (): MachineLedger =>
      createMachineLedger({
        ...{ storage: kit.mine, clock: { now: () => 7 }, driver: 'double', memoryBytes: 2 ** 40 },
        audit: createAuditLog({ storage: kit.mine, clock: { now: () => 7 }, auditKey: Buffer.alloc(32, 1) }),
        quota: async () => ({ machines: 9, memoryBytes: 2 ** 40 }),
        changed: () => {},
        identityTaken: async ({ name }) => void told.push(name),
      })
    const CLAIM = { instance: 'i-1', secretSha256: 'aa', isOurs: true }
    const open = async (changes: Partial<Machine> = {}) => {
      told.length = 0
      const machine = sampleMachine({ observed: 'starting', ...changes })
      await insert(machine)
      const ref = { tenant: kit.mine.tenant, machine: machine.id, generation: machine.generation }
      const row = () => kit.mine.read((tx) => tx.machines.byId(machine.id))
      const audited = async () =>
        (await kit.sql('SELECT event, data FROM audit_log ORDER BY id'))
          .filter(({ data }) => String(data).includes(machine.id))
          .map(({ event }) => event)
      return { ref, row, audited, claim: (as = CLAIM, of = ref) => ledger().claim(of, as) }
    }

    it('is who says so first, while it starts, whichever daemon hears it', async () => {
      const { claim, row, audited } = await open()
      expect([await claim(), await claim()]).toEqual(['claimed', 'again'])
      expect(await row()).toMatchObject({
        identity: { generation: 1, instance: 'i-1', secretSha256: 'aa', claimedAt: 7 },
        generation: 1,
      })
      expect(await audited()).toEqual(['machine.identified'])
    })

    it.each([
      ['another secret', { ...CLAIM, secretSha256: 'bb' }],
      ['another instance', { ...CLAIM, instance: 'i-2' }],
    ])('is nobody any more once there is another with %s', async (_what, other) => {
      const { claim, row, audited } = await open()
      await claim()
      expect([await claim(other), await claim(), await claim(other)]).toEqual(['taken', 'refused', 'refused'])
      expect(await row()).toMatchObject({ identity: null, generation: 2, desired: 'asleep' })
      expect([told, await audited()]).toEqual([['name'], ['machine.identified', 'machine.identity_taken']])
    })

    it('is nobody by an instance that its driver does not have', async () => {
      const { claim, row } = await open()
      expect(await claim({ ...CLAIM, isOurs: false })).toBe('taken')
      expect(await row()).toMatchObject({ identity: null, generation: 2, desired: 'asleep' })
    })

    it.each([
      ['runs already', { observed: 'running' }],
      ['sleeps', { observed: 'asleep', desired: 'asleep' }],
      ['is to be deleted', { desired: 'deleted' }],
    ] as const)('is nobody new where it %s', async (_what, changes) => {
      const { claim, row, ref } = await open(changes)
      expect([await claim(), await claim(CLAIM, { ...ref, generation: 2 })]).toEqual(['refused', 'refused'])
      expect(await row()).toMatchObject({ identity: null, generation: 1, ...changes })
      expect(told).toEqual([])
    })
  })

  describe('the time of a machine', () => {
    const NOON = Date.parse('2030-01-01T12:00:00Z')
    let now: number
    const clock = { now: () => now }
    /** As another daemon has it: nothing but the rows is left. */
    const open = (): MachineLedger =>
      createMachineLedger({
        ...{ storage: kit.mine, clock, driver: 'double', memoryBytes: 2 ** 40, changed: () => {} },
        audit: createAuditLog({ storage: kit.mine, clock, auditKey: Buffer.alloc(32, 1) }),
        quota: async () => ({ machines: 9, memoryBytes: 2 ** 40 }),
      })
    const order = async (): Promise<Machine> => {
      now = NOON
      const ordered = await open().order({ name: 'claw', image: 'i', spec: sampleMachine().spec }, 'cli:0')
      if ('denied' in ordered) throw new Error(ordered.denied)
      return ordered.machine
    }
    const walk = async ({ id }: Machine, steps: readonly (readonly [number, MachineState, Cause])[]) => {
      for (const [afterMs, to, cause] of steps) {
        now += afterMs
        await open().move(id, to, cause)
      }
    }
    /** What the rows of the audit say, of the time from `from` on. */
    const audited = async (from: number) => {
      const rows = await kit.sql(
        `SELECT at, data FROM audit_log WHERE tenant_id = '${kit.me}' AND event = 'machine.changed' ORDER BY id`,
      )
      const HELD = ['starting', 'running', 'pausing', 'paused', 'stopping', 'waking']
      let [awakeMs, heldMs] = [0, 0]
      for (const [at, row] of rows.entries()) {
        const { to } = JSON.parse(String(row.data))
        const until = Number(rows[at + 1]?.at ?? now)
        const ms = Math.max(0, until - Math.max(from, Number(row.at)))
        if (to === 'running') awakeMs += ms
        if (HELD.includes(to)) heldMs += ms
      }
      return { awakeMs, heldMs }
    }
    const LIFE = [
      [1_000, 'starting', 'done'],
      [15_000, 'running', 'done'],
      [3_600_000, 'pausing', 'asked'],
      [700, 'paused', 'done'],
      [7_200_000, 'waking', 'asked'],
      [300, 'running', 'done'],
      // Over two midnights.
      [2 * DAY_MS, 'stopping', 'asked'],
      [9_000, 'asleep', 'done'],
      [5_000_000, 'waking', 'asked'],
      [20_000, 'running', 'done'],
    ] as const

    it('is what the rows of the audit say, whichever daemon wrote them', async () => {
      const machine = await order()
      for (const step of LIFE) {
        await walk(machine, [step])
        // In the middle of a state.
        now += 123
        expect(await open().time(machine.id, '2030-01-01'), step[1]).toEqual(await audited(NOON))
      }
      now += 60_000
      expect(await open().time(machine.id, '2030-01-01')).toEqual(await audited(NOON))
      expect(await open().time(machine.id, '2030-01-01')).toEqual({
        awakeMs: 3_600_000 + 2 * DAY_MS + 60_000 + 3 * 123,
        heldMs: 15_000 + 3_600_000 + 700 + 7_200_000 + 300 + 2 * DAY_MS + 9_000 + 20_000 + 60_000 + 9 * 123,
      })
      for (const day of ['2030-01-02', '2030-01-03', '2030-01-04'])
        expect(await open().time(machine.id, day), day).toEqual(await audited(Date.parse(day)))
    })

    it('goes on through a daemon that was killed, and not backwards with the clock', async () => {
      const machine = await order()
      await walk(machine, [
        [0, 'starting', 'done'],
        [0, 'running', 'done'],
      ])
      const ofDay = () => open().time(machine.id, '2030-01-01')
      now += 60_000
      expect(await ofDay()).toEqual({ awakeMs: 60_000, heldMs: 60_000 })
      now = NOON - 60_000
      expect(await ofDay()).toEqual({ awakeMs: 0, heldMs: 0 })
      await walk(machine, [[0, 'pausing', 'asked']])
      await walk(machine, [[5_000, 'paused', 'done']])
      expect(await ofDay()).toEqual({ awakeMs: 0, heldMs: 5_000 })
      await expect(open().time(newMachineId(), '2030-01-01')).rejects.toThrow('No such machine')
    })
  })
})
