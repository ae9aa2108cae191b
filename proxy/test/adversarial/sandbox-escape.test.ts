/** Attack families 28 (what leaks), 31 (what exhausts) and 32 (what escapes), on the real Docker sandbox. */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sandbox } from '../../src/sandbox/index.ts'
import { hostConfig } from '../../src/sandbox/runner/docker/container-config.ts'
import { createSandbox } from '../../src/sandbox/runner/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { createTestEndpoints, type TestEndpoints } from '../support/egress-endpoints.ts'
import { patience } from '../support/pace.ts'
import { lookAtRunning } from '../support/running-containers.ts'
import { runIn, TEST_LIMITS } from '../support/sandbox-run.ts'
import { probeWalls, STANDING_WALLS } from '../support/wall-probe.ts'

const availability = await dockerOrSkip()
const INSTANCE = `escape-${process.pid}`
const MIB = 1_048_576

describe.skipIf(!availability.available)('the walls of the docker sandbox', () => {
  const docker = new Docker()
  let sandbox: Sandbox
  let endpoints: TestEndpoints

  beforeAll(async () => {
    endpoints = await createTestEndpoints()
    sandbox = await createSandbox({ kind: 'docker', poolSize: 2, instanceId: INSTANCE, endpoints })
    sandbox.start()
  })
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]()
    await endpoints[Symbol.asyncDispose]()
  })

  const nextRunIsWell = async () => {
    expect(await runIn(sandbox, 'console.log("well")')).toMatchObject({
      end: 'exited',
      exitCode: 0,
      stdout: 'well\n',
    })
  }

  it('shows no secret, argument or line of code in inspect, ps or /proc while a run uses them', async () => {
    const needles = ['demo-value-inspect-7f3a', 'demo-argument-7f3a', 'demoCodeMarker7f3a']
    const up = Promise.withResolvers<void>()
    const abort = new AbortController()
    const run = runIn(
      sandbox,
      'const demoCodeMarker7f3a = Deno.env.get("NEEDLE"); console.log(demoCodeMarker7f3a?.length); setInterval(() => {}, 1000)',
      {
        secrets: { NEEDLE: needles[0] ?? '' },
        args: JSON.stringify({ a: needles[1] }),
        signal: abort.signal,
        onOutput: () => up.resolve(),
      },
    )
    await up.promise
    const views: string[] = []
    const looked = await lookAtRunning(INSTANCE, async (container, details) => {
      views.push(JSON.stringify(details), JSON.stringify(await container.top({ ps_args: 'auxeww' })))
    })
    expect(looked).toBeGreaterThan(0)
    views.push(execFileSync('ps', ['auxeww'], { encoding: 'utf8', maxBuffer: 64 * MIB }))
    for (const pid of readdirSync('/proc').filter(
      (name) => /^[0-9]+$/.test(name) && Number(name) !== process.pid,
    )) {
      for (const file of ['environ', 'cmdline']) {
        try {
          views.push(readFileSync(`/proc/${pid}/${file}`, 'utf8'))
        } catch {
          // The process has gone, or is not ours to read.
        }
      }
    }
    abort.abort()
    expect((await run).stdout).toBe('23\n')
    for (const needle of needles) expect(views.filter((view) => view.includes(needle))).toEqual([])
  })

  it('keeps no logs of the output', async () => {
    const config = hostConfig({ limits: TEST_LIMITS, endpoint: null, ociRuntime: undefined })
    expect(config.LogConfig).toEqual({ Type: 'none', Config: {} })
  })

  it('mounts its own endpoint and nothing else, read-only, on no network', async () => {
    const abort = new AbortController()
    const up = Promise.withResolvers<void>()
    const run = runIn(sandbox, 'console.log(1); setInterval(() => {}, 1000)', {
      signal: abort.signal,
      onOutput: () => up.resolve(),
    })
    await up.promise
    const all = await docker.listContainers({ filters: { label: [`oauth3.instance=${INSTANCE}`] } })
    expect(all.length).toBeGreaterThan(0)
    const sources: string[] = []
    for (const { Id } of all) {
      const { HostConfig, Mounts, NetworkSettings } = await docker.getContainer(Id).inspect()
      const at = new Map(Mounts.map((mount) => [mount.Destination, mount]))
      expect([...at.keys()].sort()).toEqual(['/etc/resolv.conf', '/run/oauth3'])
      for (const mount of Mounts) expect(mount).toMatchObject({ Type: 'bind', RW: false })
      const endpoint = at.get('/run/oauth3')?.Source ?? ''
      expect(at.get('/etc/resolv.conf')?.Source).toBe(`${endpoint}/resolv.conf`)
      sources.push(endpoint)
      expect(HostConfig.NetworkMode).toBe('none')
      expect(HostConfig.Binds ?? []).toEqual([])
      expect(Object.values(NetworkSettings.Networks).filter(({ IPAddress }) => IPAddress !== '')).toEqual([])
    }
    expect(new Set(sources).size).toBe(sources.length)
    abort.abort()
    await run
  })

  it('lets code change nothing in its endpoint', async () => {
    const run = await runIn(
      sandbox,
      `for (const [name, attempt] of Object.entries({
         write: () => Deno.writeTextFileSync('/run/oauth3/x', 'x'),
         overwrite: () => Deno.writeTextFileSync('/run/oauth3/ca.pem', 'x'),
         remove: () => Deno.removeSync('/run/oauth3/gateway.sock'),
         rename: () => Deno.renameSync('/run/oauth3/ca.pem', '/run/oauth3/b.pem'),
         link: () => Deno.symlinkSync('/tmp', '/run/oauth3/link'),
         chmod: () => Deno.chmodSync('/run/oauth3/gateway.sock', 0o777),
         above: () => [...Deno.readDirSync('/run')],
       })) {
         try { attempt(); console.log(name, 'worked') } catch (error) { console.log(name, 'refused') }
       }`,
    )
    expect(run.stdout).toBe(
      ['write', 'overwrite', 'remove', 'rename', 'link', 'chmod', 'above']
        .map((name) => `${name} refused\n`)
        .join(''),
    )
  })

  it.each([
    [
      'workers without end',
      'for (;;) { try { new Worker("data:text/javascript,for(;;){}", { type: "module" }) } catch {} await 0 }',
      { timeoutMs: 3_000 },
      ['timeout', 'exited', 'memory_limit'],
    ],
    ['a spinning loop', 'for (;;) {}', { timeoutMs: 800 }, ['timeout']],
    [
      'sleep',
      'await new Promise((r) => setTimeout(r, 1e9)); await new Promise(() => {}); setInterval(() => {}, 1e6)',
      { timeoutMs: 800 },
      ['timeout', 'exited'],
    ],
    [
      'a gigabyte of output',
      'const b = new Uint8Array(1048576).fill(65); for (let i = 0; i < 1024; i++) { Deno.stdout.writeSync(b); Deno.stderr.writeSync(b) }',
      {},
      ['output_limit'],
    ],
    [
      'memory without end',
      'const all: Uint8Array[] = []; for (;;) { all.push(new Uint8Array(4194304).fill(1)) }',
      {},
      ['memory_limit'],
    ],
    [
      'strings without end',
      'const all: string[] = []; for (let i = 0; ; i++) all.push("x".repeat(1000) + i + Math.random())',
      {},
      ['memory_limit'],
    ],
  ] as const)('cuts off %s, and the next run is well', async (_what, code, limits, ends) => {
    const run = await runIn(sandbox, code, {
      limits: { timeoutMs: 20_000, ...limits },
      dynamicCode: code.includes('new Worker'),
    })
    expect(ends).toContain(run.end)
    await nextRunIsWell()
  })

  it('ends a disk filled to the brim at the size of /tmp, and the next run has an empty one', async () => {
    const run = await runIn(
      sandbox,
      `let bytes = 0
       try { for (let i = 0; i < 400; i++) { Deno.writeFileSync('/tmp/fill' + i, new Uint8Array(1048576)); bytes += 1048576 } }
       catch (error) { console.log(bytes, error.message) }`,
    )
    const [bytes] = run.stdout.split(' ')
    expect(run.stdout).toContain('No space left')
    expect(Number(bytes)).toBeLessThanOrEqual(TEST_LIMITS.tmpBytes)
    expect(
      (
        await runIn(
          sandbox,
          'console.log([...Deno.readDirSync("/tmp")].filter((e) => e.name.startsWith("fill")).length)',
        )
      ).stdout,
    ).toBe('0\n')
  })

  it('honours a smaller /tmp and fewer processes than the waiting containers have', async () => {
    const small = await runIn(
      sandbox,
      `try { Deno.writeFileSync('/tmp/fill', new Uint8Array(8 * 1048576)); console.log('fits') } catch (error) { console.log(error.message) }`,
      { limits: { tmpBytes: 4 * MIB } },
    )
    expect(small.stdout).toContain('No space left')
    const abort = new AbortController()
    const up = Promise.withResolvers<void>()
    const run = runIn(sandbox, 'console.log(1); setInterval(() => {}, 1000)', {
      limits: { memoryBytes: 192 * MIB, cpuMillis: 500, pids: 40 },
      signal: abort.signal,
      onOutput: () => up.resolve(),
    })
    await up.promise
    const all = await docker.listContainers({ filters: { label: [`oauth3.instance=${INSTANCE}`] } })
    const configs = await Promise.all(
      all.map(async ({ Id }) => (await docker.getContainer(Id).inspect()).HostConfig),
    )
    expect(configs).toContainEqual(
      expect.objectContaining({
        Memory: 192 * MIB,
        MemorySwap: 192 * MIB,
        NanoCpus: 500_000_000,
        CpuShares: 256,
        PidsLimit: 40,
      }),
    )
    abort.abort()
    await run
  })

  describe('probed with a shell inside the same walls', () => {
    let report: Map<string, string>

    beforeAll(async () => {
      report = await probeWalls(docker, { instanceId: INSTANCE })
    }, patience(60_000))

    it.each(STANDING_WALLS)('%s: %s', (name, expected) => {
      expect(report.get(name)).toBe(expected)
    })

    it('refuses system calls that the own profile of an engine may leave open', () => {
      const open = [
        'a socket to the hypervisor',
        'ptrace of an own child',
        'io_uring',
        'memfd_create',
        'splice',
      ]
      expect(open.filter((name) => report.get(name) !== 'refused')).toEqual([])
    })

    it('has a network namespace and process namespace of its own', () => {
      for (const namespace of ['net', 'pid', 'mnt', 'ipc', 'uts']) {
        const inside = report.get(`namespace ${namespace}`)
        expect(inside).toMatch(new RegExp(`^${namespace}:`))
        expect(inside).not.toBe(
          execFileSync('readlink', [`/proc/self/ns/${namespace}`], { encoding: 'utf8' }).trim(),
        )
      }
    })
  })

  it.each(['oauth3', 'engine'] as const)(
    'filters system calls by the profile %s when that is chosen',
    async (seccomp) => {
      const chosen = `${INSTANCE}-${seccomp}`
      await using other = await createSandbox({
        kind: 'docker',
        poolSize: 1,
        instanceId: chosen,
        endpoints: null,
        ...(seccomp === 'engine' ? { seccomp } : {}),
      })
      const abort = new AbortController()
      const up = Promise.withResolvers<void>()
      const run = runIn(other, 'console.log(1); setInterval(() => {}, 1000)', {
        signal: abort.signal,
        onOutput: () => up.resolve(),
      })
      await up.promise
      const all = await docker.listContainers({ filters: { label: [`oauth3.instance=${chosen}`] } })
      expect(all.length).toBeGreaterThan(0)
      for (const { Id } of all) {
        const { HostConfig } = await docker.getContainer(Id).inspect()
        expect(HostConfig.SecurityOpt).toEqual(
          hostConfig({ limits: TEST_LIMITS, endpoint: null, ociRuntime: undefined, seccomp }).SecurityOpt,
        )
      }
      abort.abort()
      await run
    },
  )

  it('has no shell and no other program in the image', async () => {
    const image = (await sandbox.status()).runtimes[0]?.image ?? ''
    for (const path of ['/bin/sh', '/bin/bash', '/bin/busybox', '/usr/bin/env']) {
      const container = await docker.createContainer({
        Image: image,
        Entrypoint: [path],
        Cmd: [],
        HostConfig: { NetworkMode: 'none' },
      })
      await expect(container.start()).rejects.toThrow(/no such file/)
      await container.remove({ force: true })
    }
    const info = await docker.getImage(image).inspect()
    expect(info.Config.User).toBe('65532:65532')
    expect(info.Size).toBeLessThan(130 * MIB)
  })
})
