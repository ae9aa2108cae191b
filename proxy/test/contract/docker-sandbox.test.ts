import Docker from 'dockerode'
import { afterAll, describe, expect, it } from 'vitest'
import { SandboxUnavailable } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints, testSession } from '../support/egress-endpoints.ts'
import { containersOf, untilSettled, warm } from '../support/engine-faults.ts'
import { runIn, TEST_LIMITS } from '../support/sandbox-run.ts'

const docker = await dockerOrSkip()
const INSTANCE = `contract-${process.pid}`
const MIB = 1_048_576
const endpoints = await createTestEndpoints()
/** A run that may reach these, through its endpoint. */
const reaching = (...network: readonly string[]) => ({ network, egress: testSession(network) })

afterAll(async () => {
  await endpoints[Symbol.asyncDispose]()
})

describe.skipIf(!docker.available)('the docker sandbox, besides', () => {
  it('takes waiting containers, one run each, and replaces them', async () => {
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 2,
      instanceId: `${INSTANCE}-pool`,
      endpoints,
    })
    sandbox.start()
    await untilSettled(
      async () => (await containersOf(`${INSTANCE}-pool`)).length === 2 && (await warm(sandbox)) === 2,
    )
    const before = await containersOf(`${INSTANCE}-pool`)
    const run = await runIn(sandbox, 'console.log(1)')
    expect(run.exitCode).toBe(0)
    await untilSettled(
      async () => (await containersOf(`${INSTANCE}-pool`)).length === 2 && (await warm(sandbox)) === 2,
    )
    const after = await containersOf(`${INSTANCE}-pool`)
    expect(after.filter((id) => before.includes(id))).toHaveLength(1)
  })

  it('runs when the waiting containers were killed by somebody else', async () => {
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 2,
      instanceId: `${INSTANCE}-dead`,
      endpoints,
    })
    sandbox.start()
    await untilSettled(async () => (await warm(sandbox)) === 2)
    const killed = await containersOf(`${INSTANCE}-dead`)
    for (const id of killed) await new Docker().getContainer(id).kill()
    // The engine answers a moment before it closes their connections, and a run that was handed over is not repeated.
    await untilSettled(async () =>
      (await containersOf(`${INSTANCE}-dead`)).every((id) => !killed.includes(id)),
    )
    expect(await runIn(sandbox, 'console.log(1)')).toMatchObject({ exitCode: 0, stdout: '1\n', starts: 1 })
  })

  it('tells of a run whose container was killed from outside', async () => {
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 0,
      instanceId: `${INSTANCE}-lost`,
      endpoints,
    })
    const run = await runIn(sandbox, 'console.log("up"); setInterval(() => {}, 1000)', {
      onOutput: () => {
        void containersOf(`${INSTANCE}-lost`).then(([id]) => id && new Docker().getContainer(id).kill())
      },
    })
    expect(run).toMatchObject({ end: 'sandbox_lost', exitCode: null, stdout: 'up\n' })
  })

  it('removes the leftovers of its own instance and nothing of another', async () => {
    const engine = new Docker()
    const image = await imageId()
    const leftover = (instance: string) =>
      engine.createContainer({
        Image: image,
        Labels: { 'oauth3.instance': instance, 'oauth3.role': 'sandbox' },
        HostConfig: { NetworkMode: 'none' },
      })
    const network = await engine.createNetwork({
      Name: `oauth3-run-left-${process.pid}`,
      Labels: { 'oauth3.instance': `${INSTANCE}-sweep`, 'oauth3.role': 'sandbox' },
    })
    const mine = await leftover(`${INSTANCE}-sweep`)
    const foreign = await leftover(`${INSTANCE}-sweep-of-another`)
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 1,
      instanceId: `${INSTANCE}-sweep`,
      endpoints,
    })
    sandbox.start()
    await untilSettled(async () => (await warm(sandbox)) === 1)
    try {
      expect(await sandbox.sweep()).toBe(2)
      await expect(mine.inspect()).rejects.toMatchObject({ statusCode: 404 })
      await expect(network.inspect()).rejects.toMatchObject({ statusCode: 404 })
      expect((await foreign.inspect()).Id).toBe(foreign.id)
      expect(await runIn(sandbox, 'console.log(1)')).toMatchObject({ exitCode: 0 })
    } finally {
      await foreign.remove({ force: true })
    }
  })

  it('has removed the container of a run that was stopped when it tells of its end, and waits for no other', async () => {
    const instanceId = `${INSTANCE}-stopped`
    await using sandbox = await createSandbox({ ...{ kind: 'docker', poolSize: 0, instanceId, endpoints } })
    const stop = new AbortController()
    const begun: Promise<void>[] = []
    const running = Array.from({ length: 3 }, () => {
      const up = Promise.withResolvers<void>()
      begun.push(up.promise)
      return runIn(sandbox, 'console.log(1); setInterval(() => {}, 1000)', {
        signal: stop.signal,
        onOutput: () => up.resolve(),
      })
    })
    await Promise.all(begun)
    expect(await containersOf(instanceId)).toHaveLength(3)
    stop.abort()
    for (const { end } of await Promise.all(running)) expect(end).toBe('cancelled')
    expect(await containersOf(instanceId)).toEqual([])
  })

  it('leaves no container and no network behind when it is disposed of', async () => {
    const sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 3,
      instanceId: `${INSTANCE}-gone`,
      endpoints,
    })
    sandbox.start()
    const up = Promise.withResolvers<void>()
    const running = runIn(sandbox, 'console.log(1); setInterval(() => {}, 1000)', {
      ...reaching('api.example.com'),
      onOutput: () => up.resolve(),
    })
    await up.promise
    await runIn(sandbox, 'console.log(1)')
    await sandbox[Symbol.asyncDispose]()
    expect((await running).end).toBe('cancelled')
    expect(await containersOf(`${INSTANCE}-gone`)).toEqual([])
    const networks = await new Docker().listNetworks({
      filters: { label: [`oauth3.instance=${INSTANCE}-gone`] },
    })
    expect(networks).toEqual([])
  })

  it('keeps a waiting container for whoever claims it, and has it wait again when it was not used', async () => {
    const instanceId = `${INSTANCE}-claim`
    await using sandbox = await createSandbox({ kind: 'docker', poolSize: 1, instanceId, endpoints })
    sandbox.start()
    await untilSettled(async () => (await warm(sandbox)) === 1)
    const image = (await sandbox.status()).runtimes[0]?.image ?? ''
    const kind = { runtime: 'deno', image, limits: TEST_LIMITS, dynamicCode: false, hasImports: false }
    const [waiting] = await containersOf(instanceId)
    const claim = sandbox.claim(kind)
    expect(claim).toBeDefined()
    expect(sandbox.claim(kind)).toBeUndefined()
    claim?.[Symbol.dispose]()
    for (const other of [
      { image: `sha256:${'0'.repeat(64)}` },
      { runtime: 'none' },
      { hasImports: true },
      { dynamicCode: true },
      { limits: { ...TEST_LIMITS, tmpBytes: MIB } },
    ])
      expect(sandbox.claim({ ...kind, ...other })).toBeUndefined()
    const again = sandbox.claim(kind)
    if (again === undefined) throw new Error('it does not wait again')
    expect(await containersOf(instanceId)).toContain(waiting)
    const claimed = { run: again.run, status: () => sandbox.status() }
    expect(await runIn(claimed, 'console.log(1)')).toMatchObject({ end: 'exited', stdout: '1\n' })
    // Given back after its run it is nobody's.
    again[Symbol.dispose]()
    await untilSettled(async () => !(await containersOf(instanceId)).includes(waiting ?? ''))
  })

  it('is unavailable, not broken, while no engine answers', async () => {
    const nowhere = new Docker({ socketPath: '/nonexistent/docker.sock' })
    const options = { poolSize: 1, instanceId: `${INSTANCE}-away`, endpoints, docker: nowhere }
    await using sandbox = await createSandbox({ kind: 'docker', ...options })
    sandbox.start()
    const status = await sandbox.status()
    expect(status).toMatchObject({ kind: 'unavailable', runtimes: [], warm: 0 })
    expect(status.notes.join()).toContain('does not answer')
    await expect(runIn(sandbox, 'console.log(1)')).rejects.toThrow(SandboxUnavailable)
    await using chosen = await createSandbox({ kind: 'auto', ...options })
    expect(chosen.kind).toBe('embedded')
  })
})

async function imageId(): Promise<string> {
  await using sandbox = await createSandbox({
    kind: 'docker',
    poolSize: 0,
    instanceId: `${INSTANCE}-image`,
    endpoints,
  })
  return (await sandbox.status()).runtimes[0]?.image ?? ''
}
