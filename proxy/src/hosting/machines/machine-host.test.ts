import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createHostKit,
  type HostKit,
  keyOf,
  MACHINE_IMAGE,
  machineQuota,
  machineSpec,
} from '../../../test/support/machine-kit.ts'
import { owner } from '../../../test/support/principals.ts'
import { AppError, newMachineId, newTenantId } from '../../kernel/index.ts'
import type { Machine } from './machine.ts'

const NEVER = new AbortController().signal
const MIB = 1_048_576

describe('a host of machines', () => {
  let kit: HostKit
  const begin = async (options?: Parameters<typeof createHostKit>[0]): Promise<void> => {
    await kit?.[Symbol.asyncDispose]()
    kit = await createHostKit(options)
  }
  const running = async (spec?: Parameters<HostKit['create']>[0]): Promise<Machine> => {
    const machine = await kit.create(spec)
    await kit.untilState(machine, 'running')
    return machine
  }
  const ask = (machine: Machine, to: Machine['desired']) => kit.machines.ask(machine.id, to, owner())
  const awake = (machine: Machine, signal = NEVER) => kit.machines.ensureAwake(machine.id, 'message', signal)

  beforeEach(() => begin())
  afterEach(async () => {
    expect(kit.driver.violations).toEqual([])
    await kit[Symbol.asyncDispose]()
  })

  it('makes a machine and tells the audit of each state, with who and why', async () => {
    const machine = await running()
    await ask(machine, 'deleted')
    await kit.untilState(machine, 'deleted')
    const rows = (await kit.audit.newest(20)).toReversed()
    expect(rows.map(({ event, actor, data }) => [event, actor, JSON.parse(data).to])).toEqual([
      ['machine.created', expect.stringMatching(/^cli:/), undefined],
      ['machine.changed', 'daemon', 'starting'],
      ['machine.changed', 'daemon', 'running'],
      ['machine.desired', expect.stringMatching(/^cli:/), 'deleted'],
      ['machine.changed', 'daemon', 'deleting'],
      ['machine.changed', 'daemon', 'deleted'],
    ])
    expect(kit.driver.things).toBe(0)
  })

  it('counts all but the deleted ones to the quota, also of orders at once', async () => {
    await begin({ quota: 3 })
    kit.driver.faults = (act) => (act === 'create' ? 'refuse' : 'none')
    const order = (at: number) =>
      kit.machines.create({ name: `m${at}`, image: MACHINE_IMAGE, spec: machineSpec() }, owner())
    const ordered = await Promise.all(Array.from({ length: 10 }, (_, at) => order(at)))
    const made = ordered.flatMap((one) => ('machine' in one ? [one.machine] : []))
    expect(made).toHaveLength(3)
    const [first, second] = made as [Machine, Machine]
    await kit.untilState(first, 'failed', 5_000)
    kit.driver.faults = (act) => (act === 'purge' ? 'refuse' : 'none')
    await ask(second, 'deleted')
    await kit.untilState(second, 'deleting')
    expect(await order(11)).toEqual({ denied: 'quota' })
    kit.driver.faults = () => 'none'
    await kit.untilState(second, 'deleted', 1_000)
    expect(await order(first.name === 'm0' ? 0 : 1)).toEqual({ denied: 'name_taken' })
    expect(await order(12)).toHaveProperty('machine')
  })

  it('refuses what is larger than the host', async () => {
    await begin({ memoryBytes: 100 * MIB })
    expect(
      await kit.machines.create({ name: 'a', image: MACHINE_IMAGE, spec: machineSpec() }, owner()),
    ).toEqual({ denied: 'larger_than_host' })
  })

  it('has what comes to be with one made in its unit, and only where the order is taken', async () => {
    const asked: string[] = []
    const along = async () => {
      asked.push('asked')
      throw new AppError('conflict', 'its name is taken')
    }
    const spec = machineSpec()
    await begin({ quota: 1 })
    const first = await running()
    const of = (name: string, image = MACHINE_IMAGE) =>
      kit.machines.create({ name, image, spec, along }, owner())
    expect(await of('m12')).toEqual({ denied: 'quota' })
    await ask(first, 'deleted')
    await kit.untilState(first, 'deleted')
    kit.driver.hasImage = async (image) => image === MACHINE_IMAGE
    expect(await of('m13', 'nowhere')).toEqual({ denied: 'no_image' })
    expect(asked).toEqual([])
    await expect(of('m13')).rejects.toMatchObject({ code: 'conflict' })
    expect(asked).toEqual(['asked'])
    expect((await kit.machines.list()).map(({ name }) => name)).not.toContain('m13')
  })

  describe('woken by an access', () => {
    it.each([
      ['paused', 'unpause'],
      ['asleep', 'start'],
    ] as const)('is woken once by a hundred at once, all of whom are answered: %s', async (state, act) => {
      const machine = await running()
      await ask(machine, state)
      await kit.untilState(machine, state)
      const before = kit.driver.calls[act]
      const calls = Promise.all(Array.from({ length: 100 }, () => awake(machine)))
      await kit.untilState(machine, 'running')
      expect(await calls).toHaveLength(100)
      expect(kit.driver.calls[act] - before).toBe(1)
      const asked = (await kit.audit.newest(50)).filter(
        ({ event, data }) => event === 'machine.desired' && JSON.parse(data).to === 'awake',
      )
      expect(asked).toHaveLength(1)
    })

    it('is not woken by who looks', async () => {
      const machine = await running()
      await ask(machine, 'asleep')
      await kit.untilState(machine, 'asleep')
      const before = { ...kit.driver.calls }
      await kit.machines.list()
      kit.machines.forecast(machine.id)
      await kit.time.advance(60_000)
      expect(await kit.stateOf(machine)).toBe('asleep')
      expect(kit.driver.calls.start).toBe(before.start)
    })

    it('says plainly where its driver cannot see what runs in it', async () => {
      const machine = await running()
      await expect(kit.machines.processes(machine.id)).rejects.toMatchObject({
        ...{ code: 'refused', message: expect.stringContaining('not on EC2') },
      })
    })

    it('lets go of who gives up, and tells who asks for another tenant’s that there is none', async () => {
      const machine = await running()
      await ask(machine, 'paused')
      await kit.untilState(machine, 'paused')
      kit.driver.faults = (act) => (act === 'unpause' ? 'hang' : 'none')
      const given = new AbortController()
      const call = awake(machine, given.signal)
      given.abort(new Error('enough'))
      await expect(call).rejects.toThrow('enough')
      const storage = kit.database.forTenant(newTenantId())
      const audit = { append: async () => {} }
      const theirs = await kit.host.open({ storage, audit, quota: machineQuota(1) })
      await expect(theirs.ensureAwake(machine.id, 'message', NEVER)).rejects.toMatchObject({
        code: 'not_found',
      })
    })
  })

  describe('on the sleep ladder', () => {
    it('is paused when it was idle for so long, and asleep when it was paused for so long', async () => {
      await begin({ asleepAfterMs: 3_600_000 })
      const machine = await running({ sleepAfterMs: 600_000 })
      const { because } = kit.machines.forecast(machine.id)
      expect(because).toMatch(/^it was made/)
      await kit.time.advance(500_000)
      kit.machines.touch(machine.id, 'message')
      await kit.time.advance(500_000)
      expect(await kit.stateOf(machine)).toBe('running')
      expect(kit.machines.forecast(machine.id)).toMatchObject({
        to: 'paused',
        because: 'a message came 8 min ago',
      })
      await kit.time.advance(110_000)
      await kit.untilState(machine, 'paused')
      expect(kit.driver.phasesOf(keyOf(machine))).toEqual(['paused'])
      await kit.time.advance(3_500_000)
      expect(await kit.stateOf(machine)).toBe('paused')
      await kit.time.advance(200_000)
      await kit.untilState(machine, 'asleep')
      expect(kit.driver.phasesOf(keyOf(machine))).toEqual(['stopped'])
    })

    it('stays awake while a call is in flight, and forever if it never sleeps', async () => {
      const [busy, never] = [await running(), await running({ sleepAfterMs: null })]
      const call = await kit.machines.ensureAwake(busy.id, 'model_call', NEVER)
      await kit.time.advance(10_000_000)
      expect([await kit.stateOf(busy), await kit.stateOf(never)]).toEqual(['running', 'running'])
      expect(kit.machines.forecast(busy.id)).toEqual({
        at: null,
        to: null,
        because: 'it called a model, and it is still at it',
        memoryQueuePosition: null,
      })
      await ask(busy, 'paused')
      await kit.time.advance(60_000)
      expect(await kit.stateOf(busy)).toBe('running')
      call[Symbol.dispose]()
      await kit.untilState(busy, 'paused')
    })

    it('wakes when an access comes while the ladder is writing that it shall go down', async () => {
      const machine = await running({ sleepAfterMs: 60_000 })
      await kit.time.advance(55_000)
      const { promise: written, resolve: write } = Promise.withResolvers<void>()
      // Units run one after the other: the ladder waits behind this one.
      const before = kit.storage.transaction(() => written)
      await kit.time.advance(10_000)
      expect(kit.driver.calls.pause).toBe(0)
      const call = awake(machine)
      write()
      await before
      await kit.until(async () =>
        (await kit.audit.newest(9)).some(({ data }) => JSON.parse(data).to === 'paused'),
      )
      await kit.untilState(machine, 'running')
      await call
    })

    it('wakes when an access comes while it is being paused', async () => {
      const machine = await running()
      let isPausing = false
      kit.driver.faults = (act) => {
        isPausing ||= act === 'pause'
        return 'none'
      }
      await ask(machine, 'paused')
      await kit.until(() => isPausing)
      const call = awake(machine)
      await kit.until(async () => (await kit.rowOf(machine)).desired === 'awake')
      await kit.untilState(machine, 'running')
      await call
    })
  })

  describe('that fails', () => {
    it('has a way out: by its owner at once, by an access after a rest', async () => {
      const machine = await running()
      await ask(machine, 'asleep')
      await kit.untilState(machine, 'asleep')
      kit.driver.faults = (act) => (act === 'start' ? 'hang' : 'none')
      const call = awake(machine).catch((error: unknown) => error)
      await kit.untilState(machine, 'failed', 5_000)
      expect(await call).toMatchObject({ code: 'sandbox_unavailable', retryAfterSeconds: 10 })
      await expect(awake(machine)).rejects.toMatchObject({ code: 'sandbox_unavailable' })
      kit.driver.faults = () => 'none'
      await kit.time.advance(11_000)
      const again = awake(machine)
      await kit.untilState(machine, 'running')
      ;(await again)[Symbol.dispose]()
      kit.driver.faults = (act) => (act === 'start' ? 'refuse' : 'none')
      kit.driver.outside('kill', keyOf(machine))
      await kit.untilState(machine, 'failed', 5_000)
      kit.driver.faults = () => 'none'
      await ask(machine, 'awake')
      await kit.untilState(machine, 'running')
    })

    it('is ended if it runs all the same, and gives its memory back', async () => {
      await begin({ memoryBytes: 200 * MIB, isReady: async () => false })
      const machine = await kit.create()
      await kit.untilState(machine, 'failed', 5_000)
      await kit.until(() => kit.driver.phasesOf(keyOf(machine))[0] === 'stopped')
      const other = await kit.create()
      await kit.untilState(other, 'starting')
    })

    it('waits for memory asleep once it is asked for again, and rises when there is some', async () => {
      await begin({ memoryBytes: 200 * MIB })
      const machine = await running()
      await ask(machine, 'asleep')
      await kit.untilState(machine, 'asleep')
      kit.driver.faults = (act) => (act === 'start' ? 'hang' : 'none')
      await ask(machine, 'awake')
      await kit.untilState(machine, 'failed', 5_000)
      kit.driver.faults = () => 'none'
      const other = await running({ sleepAfterMs: null })
      await ask(machine, 'awake')
      await kit.untilState(machine, 'asleep')
      expect(await kit.rowOf(machine)).toMatchObject({ desired: 'awake' })
      await ask(other, 'deleted')
      await kit.untilState(machine, 'running')
    })

    it('fails when it ends by itself again and again, and starts over when it ran for long', async () => {
      const machine = await running()
      for (let crash = 0; crash < 5; crash += 1) {
        kit.driver.outside('kill', keyOf(machine))
        await kit.until(async () => (await kit.rowOf(machine)).failures === crash + 1)
        await kit.untilState(machine, 'running')
      }
      await kit.time.advance(61_000)
      kit.driver.outside('kill', keyOf(machine))
      await kit.until(async () => (await kit.rowOf(machine)).failures === 1)
      for (let failures = 2; failures <= 6; failures += 1) {
        await kit.untilState(machine, 'running')
        kit.driver.outside('kill', keyOf(machine))
        await kit.until(async () => (await kit.rowOf(machine)).failures === failures)
      }
      await kit.untilState(machine, 'failed')
      expect((await kit.rowOf(machine)).lastError).toBe('it ended by itself')
    })

    it('is deleted whatever it hangs at, and however long deletion takes', async () => {
      const machine = await kit.create()
      kit.driver.faults = () => 'hang'
      await kit.time.advance(1_000)
      await ask(machine, 'deleted')
      // Not when the act that hangs has had its time.
      await kit.time.advance(1_000)
      await kit.untilState(machine, 'deleting', 0)
      await kit.untilState(machine, 'failed', 5_000)
      await expect(ask(machine, 'awake')).rejects.toMatchObject({ code: 'conflict' })
      kit.driver.faults = () => 'none'
      await kit.untilState(machine, 'deleted', 1_000)
      expect(kit.driver.things).toBe(0)
    })
  })

  describe('compared with its driver', () => {
    it('is made anew when it is gone, or is left asleep, as it is wanted', async () => {
      const [awakened, lowered] = [await running(), await running()]
      await ask(lowered, 'paused')
      await kit.untilState(lowered, 'paused')
      for (const machine of [awakened, lowered]) kit.driver.outside('remove', keyOf(machine))
      await kit.untilState(lowered, 'asleep')
      await kit.until(async () => (await kit.rowOf(awakened)).generation === 2)
      await kit.untilState(awakened, 'running')
      const call = awake(lowered)
      await kit.untilState(lowered, 'running')
      await call
    })

    it('loses what no row knows, and what is of another generation', async () => {
      const machine = await running()
      const orphan = { tenant: newTenantId(), machine: newMachineId(), generation: 1 }
      const old = { ...keyOf(machine), generation: 7 }
      const what = { image: MACHINE_IMAGE, spec: machineSpec() }
      await kit.driver.create(orphan, what, NEVER)
      await kit.driver.create(old, what, NEVER)
      await kit.until(() => kit.driver.things === 2)
      expect(kit.driver.phasesOf(keyOf(machine))).toEqual(['running'])
    })

    it('is never two, also when its row is older than what the driver has', async () => {
      const machine = await running()
      await kit.host[Symbol.asyncDispose]()
      await kit.driver.remove({ ...keyOf(machine), generation: 1 }, NEVER)
      const later = { ...keyOf(machine), generation: 5 }
      await kit.driver.create(later, { image: MACHINE_IMAGE, spec: machineSpec() }, NEVER)
      await kit.driver.start(later, NEVER)
      // The sweep would come to it as well, at its own time.
      const list = kit.driver.list
      kit.driver.list = (signal, key) => (key === undefined ? Promise.resolve([]) : list(signal, key))
      await kit.restart()
      await kit.until(async () => (await kit.rowOf(machine)).generation === 2)
      await kit.untilState(machine, 'running')
      expect(kit.driver.phasesOf(keyOf(machine))).toEqual(['running'])
    })

    it('is found as it was by the next daemon, with time anew for what was on its way', async () => {
      const machine = await running()
      await ask(machine, 'asleep')
      await kit.untilState(machine, 'asleep')
      kit.driver.faults = (act) => (act === 'start' ? 'hang' : 'none')
      void awake(machine).catch(() => {})
      await kit.untilState(machine, 'waking')
      await kit.host[Symbol.asyncDispose]()
      await kit.time.advance(10_000_000)
      kit.driver.faults = () => 'none'
      await kit.restart()
      await kit.untilState(machine, 'running')
      expect((await kit.audit.newest(30)).some(({ data }) => JSON.parse(data).to === 'failed')).toBe(false)
    })
  })
})
