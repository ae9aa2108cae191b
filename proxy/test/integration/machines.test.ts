import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createAuditLog } from '../../src/audit/index.ts'
import {
  createDockerDriver,
  type Machine,
  type MachineHost,
  type Machines,
} from '../../src/hosting/machines/index.ts'
import { systemClock } from '../../src/kernel/index.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { engineKits, type TestDatabase } from '../support/engines.ts'
import {
  createHostKit,
  keyOf,
  MACHINE_IMAGE,
  MACHINE_STORES,
  machineQuota,
  machineSpec,
  openHost,
} from '../support/machine-kit.ts'
import { patience } from '../support/pace.ts'
import { owner } from '../support/principals.ts'

/** `MACHINE_LIVES=1000 npx vitest run …` lives more of them on the engine. */
const LIVES = { double: 1_000, docker: Number(process.env.MACHINE_LIVES ?? 30) }
const docker = await dockerOrSkip()
const NEVER = new AbortController().signal

it(
  `${LIVES.double} lives leave nothing behind`,
  async () => {
    await using kit = await createHostKit({ quota: 20 })
    for (let life = 0; life < LIVES.double; life += 20) {
      const batch: Machine[] = []
      for (let at = 0; at < 20; at += 1) batch.push(await kit.create())
      const awake = batch.map((machine) => kit.machines.ensureAwake(machine.id, 'message', NEVER))
      const calls = Promise.all(awake)
      await kit.until(async () => (await kit.machines.list()).every(({ observed }) => observed === 'running'))
      for (const call of await calls) call[Symbol.dispose]()
      for (const [at, { id }] of batch.entries())
        if (at % 3 > 0) await kit.machines.ask(id, at % 3 === 1 ? 'paused' : 'asleep', owner())
      for (const { id } of batch) await kit.machines.ask(id, 'deleted', owner())
      await kit.until(async () => (await kit.machines.list()).length === 0)
    }
    expect(kit.driver.things).toBe(0)
    expect(kit.driver.violations).toEqual([])
    expect(kit.driver.calls.create).toBe(LIVES.double)
  },
  patience(120_000),
)

describe.skipIf(!docker.available)(`machines of the engine ${docker.reason}`, () => {
  const engine = createEngineClient()
  const instanceId = `machines-test-${process.pid}`
  let folder: string
  let database: TestDatabase
  let host: MachineHost
  let machines: Machines

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mi-'))
    database = await engineKits.sqlite.fresh({ stores: MACHINE_STORES })
    const { storage } = database
    const audit = createAuditLog({ storage, clock: systemClock, auditKey: Buffer.alloc(32, 1) })
    const driver = createDockerDriver({ docker: engine, instanceId, endpointFolder: folder })
    ;({ host, machines } = await openHost({ storage, audit, quota: machineQuota(5) }, driver, {
      stopGraceMs: 0,
    }))
  })
  afterAll(async () => {
    for (const { id } of await machines.list()) await machines.ask(id, 'deleted', owner())
    await vi.waitFor(async () => expect(await machines.list()).toEqual([]), patience(30_000))
    await host[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const create = async (name: string): Promise<Machine> => {
    const ordered = await machines.create({ name, image: MACHINE_IMAGE, spec: machineSpec() }, owner())
    if ('denied' in ordered) throw new Error(ordered.denied)
    return ordered.machine
  }
  const rowOf = async ({ id }: Machine) => (await machines.list()).find((row) => row.id === id)
  const reaches = (machine: Machine, state: Machine['observed']) =>
    expect.poll(async () => (await rowOf(machine))?.observed, { timeout: patience(30_000) }).toBe(state)
  const containersOf = (machine?: Machine) =>
    engine.listContainers({
      all: true,
      filters: {
        label: machine === undefined ? [`oauth3.instance=${instanceId}`] : [`oauth3.machine=${machine.id}`],
      },
    })
  const awake = async (machine: Machine): Promise<void> =>
    (await machines.ensureAwake(machine.id, 'message', NEVER))[Symbol.dispose]()

  it('are right again soon after an operator removed, ended, paused or started them', async () => {
    const machine = await create('operated')
    await awake(machine)
    const [first] = await containersOf(machine)
    await engine.getContainer(first?.Id ?? '').remove({ force: true })
    await expect
      .poll(async () => (await containersOf(machine)).map(({ Id, State }) => [Id !== first?.Id, State]), {
        timeout: patience(10_000),
      })
      .toEqual([[true, 'running']])
    await reaches(machine, 'running')
    const container = engine.getContainer((await containersOf(machine))[0]?.Id ?? '')
    const isIn = (state: string) =>
      expect
        .poll(async () => (await container.inspect()).State.Status, { timeout: patience(10_000) })
        .toBe(state)
    await container.kill({ signal: 'SIGKILL' })
    await isIn('running')
    await reaches(machine, 'running')
    await container.pause()
    await isIn('running')
    await machines.ask(machine.id, 'asleep', owner())
    await reaches(machine, 'asleep')
    await container.start()
    await isIn('exited')
  })

  it('are woken once by a hundred at once', async () => {
    const machine = await create('visited')
    await awake(machine)
    for (const state of ['paused', 'asleep'] as const) {
      await machines.ask(machine.id, state, owner())
      await reaches(machine, state)
      const calls = await Promise.all(
        Array.from({ length: 100 }, () => machines.ensureAwake(machine.id, 'message', NEVER)),
      )
      for (const call of calls) call[Symbol.dispose]()
    }
    const audit = await database.storage.read((tx) => tx.audit.newest(500))
    const wakes = audit.filter(
      ({ event, data }) =>
        event === 'machine.changed' && data.includes(machine.id) && JSON.parse(data).to === 'waking',
    )
    expect(wakes).toHaveLength(2)
  })

  it('have the memory of the host in turn, tenant by tenant, and never more of it', async () => {
    const own = `${instanceId}-small`
    const driver = createDockerDriver({ docker: engine, instanceId: own, endpointFolder: folder })
    const tenant = (name: string) => {
      const storage = database.forTenant(name)
      const audit = createAuditLog({ storage, clock: systemClock, auditKey: Buffer.alloc(32, 2) })
      return { storage, audit, quota: machineQuota(5) }
    }
    const memory = { stopGraceMs: 0, memoryBytes: machineSpec().memoryBytes }
    const opened = await openHost(tenant('many'), driver, memory)
    await using _host = opened.host
    const ofOne = await opened.host.open(tenant('one'))
    const turns = async (): Promise<readonly number[]> => {
      const found: number[] = []
      for (const of of [opened.machines, ofOne])
        for (const { id } of await of.list()) found.push(of.forecast(id).memoryQueuePosition ?? 0)
      return found.filter((turn) => turn > 0).sort()
    }
    const wait = (expected: readonly number[]) =>
      expect.poll(turns, { timeout: patience(30_000) }).toEqual(expected)
    const order: string[] = []
    const use = async (of: Machines, name: string, until: Promise<void>): Promise<void> => {
      const ordered = await of.create({ name, image: MACHINE_IMAGE, spec: machineSpec() }, owner())
      if ('denied' in ordered) throw new Error(ordered.denied)
      const { id } = ordered.machine
      const call = await of.ensureAwake(id, 'message', NEVER)
      order.push(name)
      await until
      const filters = { label: [`oauth3.instance=${own}`], status: ['running', 'paused'] }
      expect((await engine.listContainers({ filters })).length).toBeLessThanOrEqual(1)
      await of.ask(id, 'deleted', owner())
      call[Symbol.dispose]()
    }
    const { promise: allWait, resolve: go } = Promise.withResolvers<void>()
    const storm = ['many0', 'many1', 'many2', 'many3'].map((name) => use(opened.machines, name, allWait))
    await wait([1, 2, 3])
    const one = use(ofOne, 'one', allWait)
    await wait([1, 2, 3, 4])
    const [{ id } = { id: undefined }] = await ofOne.list()
    // Behind the next and one of each turn, and not behind all that came before.
    expect(id && ofOne.forecast(id).memoryQueuePosition).toBe(3)
    go()
    await Promise.all([...storm, one])
    expect(order.slice(1).indexOf('one'), order.join()).toBe(2)
    for (const of of [opened.machines, ofOne])
      await expect.poll(() => of.list(), { timeout: patience(30_000) }).toEqual([])
  })

  it(
    `live ${LIVES.docker} lives and leave nothing behind`,
    async () => {
      const lives = Array.from({ length: LIVES.docker }, (_, life) => life)
      const liveOne = async (): Promise<void> => {
        for (let life = lives.shift(); life !== undefined; life = lives.shift()) {
          const machine = await create(`life${life}`)
          await awake(machine)
          if (life % 3 > 0) await machines.ask(machine.id, life % 3 === 1 ? 'paused' : 'asleep', owner())
          if (life % 3 > 0) await reaches(machine, life % 3 === 1 ? 'paused' : 'asleep')
          if (life % 2 === 0) await awake(machine)
          await machines.ask(machine.id, 'deleted', owner())
          await expect.poll(() => rowOf(machine), { timeout: patience(30_000) }).toBeUndefined()
          const volumes = await engine.listVolumes({ filters: { label: [`oauth3.machine=${machine.id}`] } })
          expect([await containersOf(machine), volumes.Volumes ?? []]).toEqual([[], []])
          expect(readdirSync(folder)).not.toContain(keyOf(machine).machine)
        }
      }
      await Promise.all([liveOne(), liveOne()])
      const others = new Set((await machines.list()).map(({ id }) => id))
      const left = (await containersOf()).filter(
        ({ Labels }) => ![...others].includes(Labels['oauth3.machine'] as Machine['id']),
      )
      expect(left).toEqual([])
    },
    patience(120_000 + 2_000 * LIVES.docker),
  )
})
