import Docker from 'dockerode'
import { afterAll, describe, expect, it } from 'vitest'
import { SandboxUnavailable } from '../../src/sandbox/index.ts'
import { DockerSandbox } from '../../src/sandbox/runner/docker/docker-sandbox.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints } from '../support/egress-endpoints.ts'
import { containersOf, createCable, createMuteEngine, untilSettled, warm } from '../support/engine-faults.ts'
import { runIn } from '../support/sandbox-run.ts'

const docker = await dockerOrSkip()
const INSTANCE = `contract-${process.pid}`
const endpoints = await createTestEndpoints()
afterAll(async () => {
  await endpoints[Symbol.asyncDispose]()
})

describe.skipIf(!docker.available)('the docker sandbox when the engine goes away and comes back', () => {
  it('loses the run that was under way, refuses others, and recovers with nothing left behind', async () => {
    const instance = `${INSTANCE}-cut`
    const cable = await createCable()
    await using sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 1,
      instanceId: instance,
      endpoints,
      docker: new Docker({ socketPath: cable.path }),
    })
    sandbox.start()
    await untilSettled(async () => (await warm(sandbox)) === 1)
    const image = (await sandbox.status()).runtimes[0]?.image ?? ''
    const lost = await runIn(sandbox, 'console.log("up"); setInterval(() => {}, 1000)', {
      image,
      onOutput: () => cable.cut(),
    })
    expect(lost).toMatchObject({ end: 'sandbox_lost', exitCode: null, starts: 1 })
    await expect(runIn(sandbox, 'console.log(1)', { image })).rejects.toThrow(SandboxUnavailable)
    await untilSettled(async () => (await sandbox.status()).kind === 'unavailable')
    await cable.mend()
    await untilSettled(async () => (await warm(sandbox)) === 1)
    expect(await runIn(sandbox, 'console.log(1)', { image })).toMatchObject({ exitCode: 0, stdout: '1\n' })
    await untilSettled(async () => (await warm(sandbox)) === 1 && (await containersOf(instance)).length === 1)
    await cable.end()
  })
})

describe('the docker sandbox on an engine that takes calls and never answers', () => {
  it('is unavailable in bounded time, sweeps nothing, and lets itself be disposed of', {
    timeout: 60_000,
  }, async () => {
    const mute = await createMuteEngine(() => false)
    const sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 1,
      instanceId: `${INSTANCE}-mute`,
      endpoints,
      docker: new Docker({ socketPath: mute.path }),
    })
    try {
      sandbox.start()
      const began = performance.now()
      expect((await sandbox.status()).kind).toBe('unavailable')
      expect(performance.now() - began).toBeLessThan(5_000)
      await expect(runIn(sandbox, 'console.log(1)', { image: 'none' })).rejects.toThrow(SandboxUnavailable)
      await expect(sandbox.sweep()).rejects.toThrow('no answer')
      expect(performance.now() - began).toBeLessThan(25_000)
    } finally {
      const disposing = performance.now()
      await sandbox[Symbol.asyncDispose]()
      expect(performance.now() - disposing).toBeLessThan(7_000)
      await mute.end()
    }
  })

  it.skipIf(!docker.available).each(['/containers/create', '/start', '/attach'])(
    'gives up a launch that hangs at %s, and removes its container when it appears',
    async (call) => {
      const instanceId = `${INSTANCE}-late${call.replaceAll('/', '-')}`
      let hangs = true
      const engine = await createMuteEngine((head) => !(hangs && head.includes(call)))
      const sandbox = new DockerSandbox({
        docker: new Docker({ socketPath: engine.path }),
        instanceId,
        endpoints,
        poolSize: 0,
        launchTimeoutMs: 1_500,
      })
      try {
        const began = performance.now()
        await expect(runIn(sandbox, 'console.log(1)')).rejects.toThrow(SandboxUnavailable)
        expect(performance.now() - began).toBeLessThan(8_000)
        hangs = false
        engine.release()
        await untilSettled(async () => (await containersOf(instanceId)).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 300))
        expect(await containersOf(instanceId)).toEqual([])
      } finally {
        await sandbox[Symbol.asyncDispose]()
        await engine.end()
      }
    },
  )
})
