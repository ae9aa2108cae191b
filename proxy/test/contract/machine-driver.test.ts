import { mkdtempSync, rmSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createDockerDriver,
  createEc2Driver,
  filePathIn,
  type MachineDriver,
  type MachineRef,
} from '../../src/hosting/machines/index.ts'
import { LABEL_WAITS } from '../../src/hosting/machines/machine-labels.ts'
import { DEFAULT_TENANT, newMachineId, newTenantId } from '../../src/kernel/index.ts'
import { createEngineClient } from '../../src/sandbox/engine/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { EC2_PLACE, startEc2, withoutBotocore } from '../support/ec2.ts'
import { createMachineDriverDouble } from '../support/machine-driver-double.ts'
import { MACHINE_IMAGE, machineSpec } from '../support/machine-kit.ts'

const docker = await dockerOrSkip()
const INSTANCE = `machine-contract-${process.pid}`
const NEVER = new AbortController().signal
/** Pauses between looks are over at once. */
const HASTE = async (): Promise<void> => {}
const WHAT = { image: MACHINE_IMAGE, spec: machineSpec() }

interface Opened extends AsyncDisposable {
  make(instanceId?: string): MachineDriver
}
interface Case {
  readonly name: string
  readonly skip?: string | undefined
  open(folder: string): Promise<Opened>
}
const nothing = async (): Promise<void> => {}
const CASES: readonly Case[] = [
  {
    name: 'the double',
    open: async () => ({ make: () => createMachineDriverDouble(), [Symbol.asyncDispose]: nothing }),
  },
  {
    name: 'docker',
    ...(!docker.available && { skip: docker.reason }),
    open: async (endpointFolder) => ({
      make: (instanceId = INSTANCE) =>
        createDockerDriver({ docker: createEngineClient(), instanceId, endpointFolder }),
      [Symbol.asyncDispose]: nothing,
    }),
  },
  {
    name: 'ec2',
    skip: withoutBotocore(),
    async open(endpointFolder) {
      const ec2 = await startEc2()
      // Lists come in pages of one, and are two looks behind.
      await ec2.set({ page: 1, behind: 2 })
      const drivers = new AsyncDisposableStack()
      return {
        make: (instanceId = INSTANCE) =>
          drivers.use(
            createEc2Driver({
              access: ec2.access,
              place: EC2_PLACE,
              instanceId,
              endpointFolder,
              wait: HASTE,
            }),
          ),
        async [Symbol.asyncDispose]() {
          await drivers.disposeAsync()
          await ec2[Symbol.asyncDispose]()
        },
      }
    },
  },
]

describe.each(CASES)('a driver of machines: $name', ({ name, skip, open }) => {
  const made: MachineRef[] = []
  let folder: string
  let opened: Opened
  let driver: MachineDriver
  const newRef = (generation = 1): MachineRef => {
    const ref = { tenant: DEFAULT_TENANT, machine: newMachineId(), generation }
    made.push(ref)
    return ref
  }
  const create = (ref: MachineRef) => driver.create(ref, WHAT, NEVER)
  const started = async (): Promise<MachineRef> => {
    const ref = newRef()
    await create(ref)
    expect(await driver.start(ref, NEVER)).toBe('running')
    return ref
  }

  beforeAll(async () => {
    if (skip !== undefined) return
    folder = mkdtempSync(join(tmpdir(), 'mch-'))
    opened = await open(folder)
    driver = opened.make()
  })
  afterEach(async () => {
    for (const ref of made.splice(0)) await driver.purge(ref, NEVER)
  })
  afterAll(async () => {
    if (skip !== undefined) return
    await opened[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  it.skipIf(skip)('takes a machine through its life, and tells where it stands after each act', async () => {
    const ref = newRef()
    expect(await create(ref)).toBe('created')
    expect(await driver.start(ref, NEVER)).toBe('running')
    expect(await driver.pause(ref, NEVER)).toBe(driver.capabilities.pauses ? 'paused' : 'running')
    expect(await driver.unpause(ref, NEVER)).toBe('running')
    expect(await driver.stop(ref, 0, NEVER)).toBe('stopped')
    expect(await driver.start(ref, NEVER)).toBe('running')
    expect(await driver.observe(ref, NEVER)).toBe('running')
    expect(await driver.remove(ref, NEVER)).toBe('absent')
    await driver.purge(ref, NEVER)
    expect(await driver.list(NEVER, ref)).toEqual([])
  })

  it.skipIf(skip)('does each act twice as it does it once', async () => {
    const ref = newRef()
    expect([await create(ref), await create(ref)]).toEqual(['created', 'created'])
    for (const [act, phase] of [
      ['start', 'running'],
      ['pause', driver.capabilities.pauses ? 'paused' : 'running'],
      ['unpause', 'running'],
    ] as const)
      expect([act, await driver[act](ref, NEVER), await driver[act](ref, NEVER)]).toEqual([act, phase, phase])
    expect(await create(ref)).toBe('running')
    expect([await driver.stop(ref, 0, NEVER), await driver.stop(ref, 0, NEVER)]).toEqual([
      'stopped',
      'stopped',
    ])
    expect([await driver.remove(ref, NEVER), await driver.remove(ref, NEVER)]).toEqual(['absent', 'absent'])
    await driver.purge(ref, NEVER)
    await driver.purge(ref, NEVER)
    expect(await driver.list(NEVER, ref)).toEqual([])
  })

  it.skipIf(skip)('answers for what is not there', async () => {
    const ref = newRef()
    for (const act of ['start', 'pause', 'unpause', 'observe', 'remove'] as const)
      expect([act, await driver[act](ref, NEVER)]).toEqual([act, 'absent'])
    expect(await driver.stop(ref, 0, NEVER)).toBe('absent')
    await driver.purge(ref, NEVER)
    expect(await driver.list(NEVER, ref)).toEqual([])
  })

  it.skipIf(skip)('refuses what its phase does not allow by telling the phase', async () => {
    const ref = newRef()
    await create(ref)
    expect(await driver.pause(ref, NEVER)).toBe('created')
    expect(await driver.unpause(ref, NEVER)).toBe('created')
    expect(await driver.stop(ref, 0, NEVER)).toBe('created')
    await driver.start(ref, NEVER)
    await driver.pause(ref, NEVER)
    expect(await driver.start(ref, NEVER)).toBe(driver.capabilities.pauses ? 'paused' : 'running')
    // A frozen process hears of its end all the same.
    expect(await driver.stop(ref, 0, NEVER)).toBe('stopped')
  })

  it.skipIf(skip)('makes one of two creations at once', async () => {
    const ref = newRef()
    const results = await Promise.allSettled([create(ref), create(ref), create(ref)])
    // One that was in another's way may say so, and is right when it is repeated.
    expect(results.some(({ status }) => status === 'fulfilled')).toBe(true)
    expect(await create(ref)).toBe('created')
    const held = await driver.list(NEVER, ref)
    expect(held.filter(({ generation }) => generation !== null)).toEqual([{ ...ref, phase: 'created' }])
  })

  it.skipIf(skip)('tells machines, generations and tenants apart, and lists what outlives them', async () => {
    const one = await started()
    const next = { ...one, generation: 2 }
    await driver.remove(one, NEVER)
    expect(await driver.observe(next, NEVER)).toBe('absent')
    expect(await driver.list(NEVER, one)).toEqual([
      { tenant: one.tenant, machine: one.machine, generation: null, phase: 'absent' },
    ])
    await create(next)
    const other = newRef()
    await create(other)
    const generations = async (ref: MachineRef) =>
      (await driver.list(NEVER, ref)).map(({ generation }) => generation).sort()
    expect(await generations(one)).toEqual([2, null].sort())
    expect(await driver.list(NEVER, { ...one, tenant: newTenantId() })).toEqual([])
    const all = (await driver.list(NEVER)).map(({ machine }) => machine)
    expect(new Set(all)).toEqual(new Set([one.machine, other.machine]))
    await driver.purge(one, NEVER)
    expect(await generations(one)).toEqual([])
    expect(await generations(other)).toEqual([1, null].sort())
  })

  it.skipIf(skip)('sees what runs in it from outside, by the names of programs, if it can', async (test) => {
    const { processes } = driver
    if (processes === undefined) test.skip('it cannot look in')
    else {
      const ref = newRef()
      expect(await processes(ref, NEVER)).toEqual([])
      await create(ref)
      expect(await processes(ref, NEVER)).toEqual([])
      await driver.start(ref, NEVER)
      const first = {
        pid: expect.any(Number),
        args: expect.stringMatching(/^(?:\/\S*\/)?deno\b/),
        memoryBytes: expect.any(Number),
      }
      // At first it may be the engine's own, which becomes that program.
      await expect.poll(() => processes(ref, NEVER)).toMatchObject([first])
      await driver.pause(ref, NEVER)
      expect(await processes(ref, NEVER)).toMatchObject([first])
      expect(await processes({ ...ref, generation: 2 }, NEVER)).toEqual([])
      await driver.stop(ref, 0, NEVER)
      expect(await processes(ref, NEVER)).toEqual([])
    }
  })

  it.skipIf(skip)('reaches its files whatever it does, one incarnation’s alone, if it can', async (test) => {
    const ref = newRef()
    const files = driver.files?.(ref)
    if (files === undefined) return test.skip('it cannot reach them')
    const [text, path] = [Buffer.from('a note'), filePathIn('work', 'a/note')]
    const how = { replace: false, now: 1_700_000_000_000 }
    await expect(files.find(path, NEVER)).rejects.toMatchObject({ code: 'sandbox_unavailable' })
    const acts = [
      () => create(ref),
      () => driver.start(ref, NEVER),
      () => driver.pause(ref, NEVER),
      () => driver.stop(ref, 0, NEVER),
    ]
    for (const act of acts) {
      const phase = await act()
      const replace = phase !== 'created'
      await files.write(path, text, { ...how, replace }, NEVER)
      await expect(files.write(path, text, how, NEVER)).rejects.toMatchObject({ code: 'conflict' })
      expect([phase, Buffer.from(await files.read(path, text.length, NEVER))]).toEqual([phase, text])
      await expect(files.read(path, text.length - 1, NEVER)).rejects.toMatchObject({ code: 'conflict' })
      expect(await files.list(filePathIn('work', 'a'), NEVER)).toEqual({
        entries: [{ name: Buffer.from('note'), kind: 'file', bytes: text.length, modifiedAt: how.now }],
        isCut: false,
      })
      expect(await files.find(filePathIn('work', 'a'), NEVER)).toMatchObject({ kind: 'folder' })
      expect(await files.find(filePathIn('work', 'b'), NEVER)).toBeUndefined()
    }
    const next = driver.files?.({ ...ref, generation: 2 })
    await expect(next?.read(path, 9, NEVER)).rejects.toMatchObject({ code: 'sandbox_unavailable' })
  })

  it.skipIf(skip)('lets go of an act that is aborted', async () => {
    const ref = newRef()
    const aborted = AbortSignal.abort(new Error('enough'))
    await expect(driver.create(ref, WHAT, aborted)).rejects.toThrow()
    await expect(driver.observe(ref, aborted)).rejects.toThrow()
  })

  it.skipIf(skip)('tells of what happens behind its back, if it can', async (test) => {
    if (!driver.capabilities.tells) test.skip('it tells nothing')
    const ref = await started()
    const { promise, resolve } = Promise.withResolvers<void>()
    using _watch = driver.watch((key) => {
      if (key?.machine === ref.machine) resolve()
    })
    // Without a stream yet nothing is told, so it goes on until something is.
    let isTold = false
    void promise.then(() => {
      isTold = true
    })
    while (!isTold) {
      await driver.pause(ref, NEVER)
      await driver.unpause(ref, NEVER)
    }
  })

  describe.skipIf(skip !== undefined || name !== 'docker')('as a container', () => {
    const engine = createEngineClient()
    const inspect = async (ref: MachineRef) => {
      const [found] = await engine.listContainers({
        all: true,
        filters: { label: [`oauth3.machine=${ref.machine}`] },
      })
      return engine.getContainer(found?.Id ?? '').inspect()
    }

    it('stands behind walls of its own: no network, no capability, read-only but for its files, limits', async () => {
      const ref = await started()
      const { HostConfig, Config, NetworkSettings, Mounts } = await inspect(ref)
      expect(HostConfig).toMatchObject({
        NetworkMode: 'none',
        PortBindings: {},
        PublishAllPorts: false,
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        Privileged: false,
        PidsLimit: WHAT.spec.pids,
        Memory: WHAT.spec.memoryBytes,
        MemorySwap: WHAT.spec.memoryBytes,
        NanoCpus: WHAT.spec.cpuMillis * 1_000_000,
      })
      expect(HostConfig.SecurityOpt?.[0]).toBe('no-new-privileges:true')
      expect(HostConfig.SecurityOpt?.[1]).toContain('seccomp={"defaultAction":"SCMP_ACT_ERRNO"')
      expect(Config.User).toBe('65532:65532')
      expect(Object.keys(NetworkSettings.Ports ?? {})).toEqual([])
      expect(Mounts.map(({ Destination, RW }) => [Destination, RW]).sort()).toEqual([
        ['/run/oauth3', false],
        ['/state', true],
      ])
    })

    it('speaks through its own socket, and finds its files again in its next incarnation', async () => {
      const ref = newRef()
      await create(ref)
      const { socketPath } = driver.address(ref)
      const said: string[] = []
      const peers = new Set<Socket>()
      const server = createServer((socket) => {
        peers.add(socket)
        socket.setEncoding('utf8').on('data', (text) => said.push(String(text)))
        socket.on('error', () => {})
      })
      await new Promise<void>((resolve) => server.listen(socketPath, resolve))
      await chmod(socketPath, 0o666)
      await driver.start(ref, NEVER)
      await expect.poll(() => said.join('')).toBe('life 1\n')
      await driver.stop(ref, 0, NEVER)
      await driver.start(ref, NEVER)
      await expect.poll(() => said.join('')).toBe('life 1\nlife 2\n')
      await driver.remove(ref, NEVER)
      const next = { ...ref, generation: 2 }
      await driver.create(next, WHAT, NEVER)
      await driver.start(next, NEVER)
      await expect.poll(() => said.join('')).toBe('life 1\nlife 2\nlife 3\n')
      for (const peer of peers) peer.destroy()
      server.close()
    })

    it('knows which images are here', async () => {
      expect(await driver.hasImage?.(MACHINE_IMAGE, NEVER)).toBe(true)
      expect(await driver.hasImage?.('oauth3-no-such-image:0', NEVER)).toBe(false)
    })

    it('waits for its configuration where its image says so, and no other does', async () => {
      const base = await engine.createContainer({ Image: MACHINE_IMAGE })
      await using made = new AsyncDisposableStack()
      made.defer(() => base.remove({ force: true }))
      const said = [MACHINE_IMAGE]
      for (const tag of ['0', '1']) {
        const { Id } = await base.commit({ changes: `LABEL ${LABEL_WAITS}=${tag}` })
        made.defer(async () => void (await engine.getImage(Id).remove({ force: true })))
        said.push(Id)
      }
      const refs = said.map(() => newRef())
      for (const [at, ref] of refs.entries())
        await driver.create(ref, { ...WHAT, image: said[at] ?? '' }, NEVER)
      expect(await Promise.all(refs.map((ref) => driver.waits?.(ref, NEVER)))).toEqual([false, false, true])
      for (const ref of refs) await driver.purge(ref, NEVER)
    })

    it('is asked to end again where its first process missed the first word', async () => {
      const ref = newRef()
      const command = [
        '/bin/deno',
        'eval',
        "let asked = 0; Deno.addSignalListener('SIGTERM', () => { if (++asked === 2) Deno.exit(7) }); setInterval(() => {}, 1e6)",
      ]
      await driver.create(ref, { ...WHAT, spec: machineSpec({ command }) }, NEVER)
      await driver.start(ref, NEVER)
      expect(await driver.stop(ref, 330_000, NEVER)).toBe('stopped')
      expect((await inspect(ref)).State.ExitCode).toBe(7)
    })

    it('is left alone by the sweep of the sandbox, and by a driver of another instance', async () => {
      const { sweepLeftovers } = await import('../../src/sandbox/runner/docker/sweep.ts')
      const ref = await started()
      const removeSlot = <T>(work: () => Promise<T>) => work()
      await sweepLeftovers(engine, INSTANCE, { names: () => new Set(), removeSlot })
      expect(await driver.observe(ref, NEVER)).toBe('running')
      const stranger = opened.make(`${INSTANCE}-other`)
      expect(await stranger.observe(ref, NEVER)).toBe('absent')
      expect(await stranger.list(NEVER)).toEqual([])
      await stranger.purge(ref, NEVER)
      expect(await driver.observe(ref, NEVER)).toBe('running')
    })

    it('is finished by a creation that finds the half of one', async () => {
      const ref = newRef()
      await create(ref)
      await driver.remove(ref, NEVER)
      expect((await driver.list(NEVER, ref)).map(({ generation }) => generation)).toEqual([null])
      expect(await create(ref)).toBe('created')
      expect(await driver.start(ref, NEVER)).toBe('running')
    })
  })
})
