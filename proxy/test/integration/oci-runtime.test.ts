import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EgressEndpoints } from '../../src/egress/index.ts'
import { createIsolationChecks } from '../../src/sandbox/doctor/index.ts'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { VERSION } from '../../src/version.ts'
import { createDaemonKit } from '../support/daemon-kit.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints, testSession } from '../support/egress-endpoints.ts'
import { patience } from '../support/pace.ts'
import { giveImage, type PrivateEngine, startPrivateEngine } from '../support/private-engine.ts'
import { runIn } from '../support/sandbox-run.ts'
import { probeWalls, SHELL_IMAGE, STANDING_WALLS } from '../support/wall-probe.ts'

const CRUN = '/usr/bin/crun'
const INSTANCE = `crun-${process.pid}`
const docker = await dockerOrSkip()
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0
const canRun = docker.available && process.getuid?.() === 0 && has('dockerd') && has(CRUN)
const why = canRun ? '' : ` (skipped: ${docker.reason || 'needs root, dockerd and crun'})`

describe.skipIf(!canRun)(`an OCI runtime chosen by OAUTH3_SANDBOX_RUNTIME${why}`, () => {
  let engine: PrivateEngine
  const opened: Sandbox[] = []
  const open = async (
    ociRuntime: string,
    log: (message: string) => void = () => {},
    endpoints: EgressEndpoints | null = null,
  ): Promise<Sandbox> => {
    const sandbox = await createSandbox({
      kind: 'docker',
      poolSize: 1,
      instanceId: INSTANCE,
      docker: engine.docker,
      ociRuntime,
      endpoints,
      log,
    })
    opened.push(sandbox)
    return sandbox
  }

  beforeAll(async () => {
    engine = await startPrivateEngine({ runtimes: { crun: CRUN } })
    await giveImage(engine.docker, `oauth3-sandbox-deno:${VERSION}`)
    await giveImage(engine.docker, SHELL_IMAGE)
  }, patience(120_000))
  afterAll(async () => {
    for (const sandbox of opened) await sandbox[Symbol.asyncDispose]()
    await engine?.[Symbol.asyncDispose]()
  }, patience(60_000))

  it(
    'runs code with args and a secret under crun',
    async () => {
      const sandbox = await open('crun')
      const code = `console.log('hello', JSON.parse(Deno.env.get('OAUTH3_ARGS')).to, Deno.env.get('DEMO_KEY').length)
      setInterval(() => {}, 1_000)`
      const stop = new AbortController()
      const began = Promise.withResolvers<void>()
      const run = runIn(sandbox, code, {
        args: '{"to":"crun"}',
        secrets: { DEMO_KEY: 'demo-value-crun' },
        signal: stop.signal,
        onOutput: () => began.resolve(),
      })
      await began.promise
      const mine = await engine.docker.listContainers({ filters: { label: [`oauth3.instance=${INSTANCE}`] } })
      const runtimes = await Promise.all(
        mine.map(async ({ Id }) => (await engine.docker.getContainer(Id).inspect()).HostConfig.Runtime),
      )
      expect(new Set(runtimes)).toEqual(new Set(['crun']))
      stop.abort()
      expect(await run).toMatchObject({ end: 'cancelled', stdout: 'hello crun 15\n', stderr: '' })
    },
    patience(60_000),
  )

  it(
    'lets code out through its endpoint under crun',
    async () => {
      await using endpoints = await createTestEndpoints()
      const sandbox = await open('crun', () => {}, endpoints)
      const run = await runIn(
        sandbox,
        `for (const host of ['api.example.com', 'other.example.com']) console.log((await fetch('https://' + host)).status)`,
        { network: ['api.example.com'], egress: testSession(['api.example.com']) },
      )
      expect(run.stdout).toBe('200\n403\n')
      await sandbox[Symbol.asyncDispose]()
      expect(await endpoints.left()).toEqual([])
    },
    patience(60_000),
  )

  it.each([
    ['memory', 'const all = []; for (;;) all.push(new Uint8Array(4194304).fill(1))', 'memory_limit'],
    ['time', 'for (;;) {}', 'timeout'],
  ])(
    'ends code that goes beyond its %s under crun, and the next run is well',
    async (_what, code, end) => {
      const sandbox = await open('crun')
      expect(
        await runIn(sandbox, code, { limits: { timeoutMs: end === 'timeout' ? 800 : 20_000 } }),
      ).toMatchObject({ end })
      expect(await runIn(sandbox, 'console.log("well")')).toMatchObject({ stdout: 'well\n', exitCode: 0 })
    },
    patience(60_000),
  )

  it(
    'raises the same walls under crun',
    async () => {
      const report = await probeWalls(engine.docker, { instanceId: INSTANCE, ociRuntime: 'crun' })
      const wrong = STANDING_WALLS.filter(([name, expected]) => report.get(name) !== expected)
      expect(wrong.map(([name, expected]) => `${name}: ${report.get(name)} instead of ${expected}`)).toEqual(
        [],
      )
    },
    patience(60_000),
  )

  it(
    'that the engine does not know is one clear note, not a loop of failed starts',
    async () => {
      const lines: string[] = []
      const sandbox = await open('demo-runtime', (message) => lines.push(message))
      sandbox.start()
      const note =
        'The Docker engine does not know the runtime demo-runtime of OAUTH3_SANDBOX_RUNTIME; known: crun, io.containerd.runc.v2, io.containerd.runtime.v1.linux, runc'
      for (let look = 0; look < 3; look += 1) {
        const status = await sandbox.status(0)
        expect(status).toMatchObject({ kind: 'unavailable', runtimes: [] })
        expect(status.notes.filter((said) => said.includes('demo-runtime'))).toEqual([note])
      }
      await expect(runIn(sandbox, 'console.log(1)')).rejects.toThrow(note)
      expect(lines).toEqual([])
    },
    patience(60_000),
  )

  it(
    'that the engine lost while the daemon runs is told by health and to an agent',
    async () => {
      await using kit = await createDaemonKit({
        sandbox: () => open('demo-runtime'),
      })
      const health = await kit.get('/health')
      expect(health.body).toMatchObject({ status: 'degraded', sandbox: 'unavailable' })
      expect(health.body.notes[0]).toContain('does not know the runtime demo-runtime')
      const refused = await kit.post({ skill_id: 'demo/runtime', code: 'console.log(1)', secrets: [] })
      expect(refused).toMatchObject({ status: 503, body: { error: { code: 'sandbox_unavailable' } } })
      const doctor = await kit.admin('POST', '/v1/doctor')
      expect(doctor.body.checks).toContainEqual(
        expect.objectContaining({
          name: 'sandbox',
          ok: false,
          said: expect.stringContaining('demo-runtime'),
        }),
      )
    },
    patience(60_000),
  )

  it(
    'is named by the doctor, with the walls of this engine',
    async () => {
      const said = async (ociRuntime: string) => {
        const checks = createIsolationChecks({ docker: engine.docker, ociRuntime })
        const results = checks.map(
          async ({ name, run }) => [name, await run(AbortSignal.timeout(10_000))] as const,
        )
        return new Map(await Promise.all(results))
      }
      const crun = await said('crun')
      expect(crun.get('wall runtime')).toMatchObject({
        ok: true,
        said: expect.stringContaining('crun (set by'),
      })
      expect(crun.get('wall seccomp')).toMatchObject({ ok: true })
      expect(crun.get('wall containerd')?.said).toMatch(/^containerd \d/)
      expect((await said('runc')).get('wall runtime version')?.said).toMatch(/^runc \d+\.\d+/)
      expect((await said('demo-runtime')).get('wall runtime')).toMatchObject({
        ok: false,
        said: expect.stringContaining('known: crun, '),
      })
    },
    patience(60_000),
  )
})
