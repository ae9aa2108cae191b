import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createAuditLog } from '../../src/audit/index.ts'
import {
  createEc2Driver,
  type DriverFault,
  type MachineDriver,
  type MachineRef,
} from '../../src/hosting/machines/index.ts'
import { DEFAULT_TENANT, newMachineId, systemClock } from '../../src/kernel/index.ts'
import { EC2_PLACE, type Ec2Double, startEc2, withoutBotocore } from '../support/ec2.ts'
import { engineKits } from '../support/engines.ts'
import { MACHINE_STORES, machineQuota, machineSpec, openHost } from '../support/machine-kit.ts'
import { patience } from '../support/pace.ts'
import { owner } from '../support/principals.ts'

const skip = withoutBotocore()
const NEVER = new AbortController().signal
const IMAGE = 'ami-0123456789abcdef0'
const WHAT = { image: IMAGE, spec: machineSpec() }

describe.skipIf(skip)(`machines on EC2 ${skip ?? ''}`, () => {
  const drivers = new AsyncDisposableStack()
  let folder: string
  let ec2: Ec2Double
  let driver: MachineDriver
  let pauses: number[] = []
  /** Of a daemon that knows nothing of what an earlier one did. */
  const make = (): MachineDriver =>
    drivers.use(
      createEc2Driver({
        ...{ access: ec2.access, place: EC2_PLACE, instanceId: 'this-daemon', endpointFolder: folder },
        random: () => 0.5,
        wait: async (ms) => void pauses.push(ms),
      }),
    )
  const newRef = (): MachineRef => ({ tenant: DEFAULT_TENANT, machine: newMachineId(), generation: 1 })
  const started = async (): Promise<MachineRef> => {
    const ref = newRef()
    await driver.create(ref, WHAT, NEVER)
    expect(await driver.start(ref, NEVER)).toBe('running')
    return ref
  }
  const faultOf = (act: Promise<unknown>): Promise<DriverFault> =>
    act.then(
      () => expect.unreachable(),
      (error: DriverFault) => error,
    )

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ec2-'))
    ec2 = await startEc2()
    driver = make()
  })
  afterEach(async () => {
    for (const { tenant, machine } of await driver.list(NEVER)) await driver.purge({ tenant, machine }, NEVER)
    expect(await ec2.state()).toMatchObject({ templates: 0, volumes: 0, faults: [] })
    await ec2.set({ behind: 0, slow: 1 })
    pauses = []
  })
  afterAll(async () => {
    await drivers.disposeAsync()
    await ec2[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  it('have no role, key or public address, a sealed disk, and user data that says no more than which one it is', async () => {
    const ref = await started()
    const { instances, bodies } = await ec2.state()
    const data = instances.at(-1)?.data as Record<string, unknown>
    expect(Object.keys(data).sort()).toEqual([
      'ImageId',
      'InstanceInitiatedShutdownBehavior',
      'InstanceType',
      'MetadataOptions',
      'NetworkInterfaces',
      'TagSpecifications',
      'UserData',
    ])
    expect(data).toMatchObject({
      ImageId: IMAGE,
      NetworkInterfaces: [{ AssociatePublicIpAddress: false, SubnetId: EC2_PLACE.subnet }],
      MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    })
    expect(JSON.parse(Buffer.from(String(data.UserData), 'base64').toString())).toEqual({
      machine: ref.machine,
      generation: 1,
    })
    expect(bodies.filter((body) => body.includes('Action=CreateVolume')).at(-1)).toContain('Encrypted=true')
    expect(bodies.join('\n')).not.toContain(ec2.access.secret.open())
  })

  it('are run once, whatever gets lost, also by a daemon that comes after, and with lists that are far behind', async () => {
    await ec2.set({ behind: 6 })
    const ref = newRef()
    await driver.create(ref, WHAT, NEVER)
    for (const action of ['RunInstances', 'AttachVolume']) await ec2.fail({ action, done: true })
    const before = (await ec2.state()).instances.length
    const cut = new AbortController()
    const first = driver.start(ref, cut.signal)
    await expect
      .poll(async () => (await ec2.state()).asked, { timeout: patience(10_000) })
      .toContain('RunInstances')
    cut.abort(new Error('killed'))
    await first.catch(() => {})
    const second = make()
    // As a reconciler repeats it: lists may not have the template for a while either.
    await expect
      .poll(() => second.start(ref, NEVER).catch(() => 'failed'), { timeout: patience(30_000) })
      .toBe('running')
    const { instances } = await ec2.state()
    expect(instances.slice(before).map(({ state }) => state)).toEqual(['running'])
  })

  it('that EC2 is too busy for are asked for again, with longer pauses', async () => {
    const ref = newRef()
    await driver.create(ref, WHAT, NEVER)
    pauses = []
    await ec2.fail(
      { action: 'RunInstances', code: 'RequestLimitExceeded', status: 503, times: 2 },
      { action: 'RunInstances', code: 'InternalError', status: 500 },
    )
    expect(await driver.start(ref, NEVER)).toBe('running')
    expect(pauses.slice(0, 3)).toEqual([500, 1_000, 2_000])
  })

  it.each([
    ['VcpuLimitExceeded', 'quota', 1],
    ['InsufficientInstanceCapacity', 'capacity', 1],
    ['UnauthorizedOperation', 'denied', 1],
    ['InvalidAMIID.NotFound', 'refused', 1],
    ['RequestLimitExceeded', 'throttled', 5],
  ])('that cannot be run for %s say so', async (code, kind, times) => {
    const ref = newRef()
    await driver.create(ref, WHAT, NEVER)
    await ec2.fail({ action: 'RunInstances', code, times })
    const fault = await faultOf(driver.start(ref, NEVER))
    expect(fault).toMatchObject({ name: 'DriverFault', kind })
    expect(fault.message).toContain(`(${code})`)
    expect(fault.message).not.toContain('as the test says')
    expect(await driver.observe(ref, NEVER)).toBe('created')
  })

  it('that are gone behind the daemon’s back are absent, and never run out of their template again', async () => {
    const ref = newRef()
    await driver.create(ref, WHAT, NEVER)
    // Killed between the act and what follows it.
    await ec2.fail({ action: 'DeleteLaunchTemplate', code: 'UnauthorizedOperation' })
    expect((await faultOf(driver.start(ref, NEVER))).kind).toBe('denied')
    await ec2.outside(ref.machine, 'terminated')
    expect(await driver.observe(ref, NEVER)).toBe('absent')
    expect(await driver.list(NEVER, ref)).toContainEqual({ ...ref, phase: 'stopped' })
    const later = make()
    expect(await later.start(ref, NEVER)).toBe('absent')
    expect((await later.list(NEVER, ref)).map(({ generation }) => generation)).toEqual([null])
    const { instances } = await ec2.state()
    expect(instances.filter(({ tags }) => tags.some(({ Value }) => Value === ref.machine))).toHaveLength(1)
  })

  it('that just end are up until they have, and are ended by force when their time is over', async () => {
    const ref = await started()
    await ec2.set({ slow: 40 })
    const stopping = driver.stop(ref, 0, NEVER)
    expect(await stopping).toBe('stopped')
    await ec2.set({ slow: 1 })
    const { bodies } = await ec2.state()
    const stops = bodies.filter((body) => body.includes('Action=StopInstances')).slice(-2)
    expect(stops.map((body) => body.includes('Force=true'))).toEqual([false, true])
    await ec2.outside(ref.machine, 'shutting-down')
    expect(await driver.observe(ref, NEVER)).toBe('changing')
  })

  it('go through a host of machines, and no row goes while one of them is there', async () => {
    await using database = await engineKits.sqlite.fresh({ stores: MACHINE_STORES })
    const { storage } = database
    const audit = createAuditLog({ storage, clock: systemClock, auditKey: Buffer.alloc(32, 1) })
    const { host, machines } = await openHost({ storage, audit, quota: machineQuota(5) }, driver, {
      stopGraceMs: 0,
      tickMs: 50,
    })
    await using _host = host
    const ordered = await machines.create({ name: 'cloud', image: IMAGE, spec: machineSpec() }, owner())
    if ('denied' in ordered) throw new Error(ordered.denied)
    const { id } = ordered.machine
    const state = async () => (await machines.list())[0]?.observed
    const reaches = (to: string | undefined) => expect.poll(state, { timeout: patience(30_000) }).toBe(to)
    ;(await machines.ensureAwake(id, 'message', NEVER))[Symbol.dispose]()
    // It cannot be paused, so it sleeps.
    expect(machines.forecast(id).to).toBe('asleep')
    await machines.ask(id, 'paused', owner())
    await reaches('asleep')
    expect((await ec2.state()).instances.at(-1)?.state).toBe('stopped')
    ;(await machines.ensureAwake(id, 'message', NEVER))[Symbol.dispose]()
    await ec2.fail({ action: 'TerminateInstances', code: 'UnauthorizedOperation', times: 1_000 })
    await machines.ask(id, 'deleted', owner())
    await expect
      .poll(async () => (await machines.list())[0]?.lastError, { timeout: patience(30_000) })
      .toContain('(UnauthorizedOperation)')
    await ec2.heal()
    await reaches(undefined)
    expect((await ec2.state()).instances.at(-1)?.state).toBe('terminated')
  })

  it('load nothing of AWS before there is one', () => {
    const index = new URL('../../src/hosting/machines/index.ts', import.meta.url).href
    const program = `
      const { registerHooks } = await import('node:module')
      const seen = []
      registerHooks({ resolve: (name, context, next) => (seen.push(name), next(name, context)) })
      await import(${JSON.stringify(index)})
      console.log(JSON.stringify([seen.length > 5, seen.filter((name) => name.startsWith('@aws-sdk'))]))`
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    expect(JSON.parse(out.toString())).toEqual([true, []])
  })
})
