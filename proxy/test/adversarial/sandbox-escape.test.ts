/** Attack families 28 (what leaks), 31 (what exhausts) and 32 (what escapes), on the real Docker sandbox. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import Docker from 'dockerode'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostConfig } from '../../src/adapters/sandbox/container-config.ts'
import { createSandbox } from '../../src/adapters/sandbox/index.ts'
import type { Sandbox } from '../../src/domain/executions/index.ts'
import { dockerOrSkip } from '../support/docker.ts'
import { runIn, TEST_LIMITS } from '../support/sandbox-run.ts'

const availability = await dockerOrSkip()
const INSTANCE = `escape-${process.pid}`
const MIB = 1_048_576
const SHELL_IMAGE = 'debian:bookworm-slim'

describe.skipIf(!availability.available)('the walls of the docker sandbox', () => {
  const docker = new Docker()
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await createSandbox({ kind: 'docker', poolSize: 2, instanceId: INSTANCE })
    sandbox.start()
  })
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]()
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
    const mine = await docker.listContainers({
      all: true,
      filters: { label: [`oauth3.instance=${INSTANCE}`] },
    })
    expect(mine.length).toBeGreaterThan(0)
    for (const { Id } of mine) {
      const container = docker.getContainer(Id)
      views.push(
        JSON.stringify(await container.inspect()),
        JSON.stringify(await container.top({ ps_args: 'auxeww' })),
      )
    }
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
    const config = hostConfig({ limits: TEST_LIMITS, network: 'none', ociRuntime: undefined })
    expect(config.LogConfig).toEqual({ Type: 'none', Config: {} })
    expect(config.Binds).toEqual([])
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
    const run = await runIn(sandbox, code, { limits: { timeoutMs: 20_000, ...limits } })
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
        PidsLimit: 40,
      }),
    )
    abort.abort()
    await run
  })

  describe('probed with a shell inside the same walls', () => {
    let report: Map<string, string>

    beforeAll(async () => {
      report = await probe(docker)
    }, 60_000)

    it.each([
      ['uid', '65532'],
      ['CapEff', '0000000000000000'],
      ['CapBnd', '0000000000000000'],
      ['CapPrm', '0000000000000000'],
      ['CapAmb', '0000000000000000'],
      ['NoNewPrivs', '1'],
      ['Seccomp', '2'],
      ['write to the root', 'refused'],
      ['write to /proc/sys', 'refused'],
      ['write to /proc/sysrq-trigger', 'refused'],
      ['write to /sys', 'refused'],
      ['mount', 'refused'],
      ['remount of the root', 'refused'],
      ['unshare of a user namespace', 'refused'],
      ['unshare of a mount namespace', 'refused'],
      ['a set-uid program', 'refused'],
      ['a program in /tmp', 'refused'],
      ['a device node', 'refused'],
      ['chroot', 'refused'],
      // The default profile lets a process trace its own kind; beyond the namespace there is nobody to trace.
      ['processes of others', '0'],
      ['ptrace of a process outside', 'refused'],
      ['keyctl', 'refused'],
      ['the kernel log', 'refused'],
      ['/proc/kcore', 'empty'],
      ['docker.sock', 'absent'],
      ['shared memory', 'absent'],
      ['block devices', '0'],
      ['core size', '0'],
      ['open files', '256'],
      ['processes beyond the limit', 'refused'],
      ['network interfaces', 'lo'],
      ['routes', '0'],
    ])('%s: %s', (name, expected) => {
      expect(report.get(name)).toBe(expected)
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

/** Runs every probe in a container with the sandbox's own HostConfig, on an image that has a shell. */
async function probe(docker: Docker): Promise<Map<string, string>> {
  const attempt = (name: string, command: string) =>
    `if ( ${command} ) >/dev/null 2>&1; then echo "${name}=worked"; else echo "${name}=refused"; fi`
  const script = [
    'echo "uid=$(id -u)"',
    `for f in CapEff CapBnd CapPrm CapAmb NoNewPrivs Seccomp; do echo "$f=$(sed -n "s/^$f:[[:space:]]*//p" /proc/self/status)"; done`,
    'for n in net pid mnt ipc uts; do echo "namespace $n=$(readlink /proc/self/ns/$n)"; done',
    attempt('write to the root', 'echo x > /probe || echo x > /etc/probe || echo x > /var/tmp/probe'),
    attempt(
      'write to /proc/sys',
      'echo 1 > /proc/sys/kernel/core_pattern || echo x > /proc/sys/kernel/hostname',
    ),
    attempt('write to /proc/sysrq-trigger', 'echo h > /proc/sysrq-trigger'),
    attempt('write to /sys', 'mkdir /sys/fs/cgroup/memory/probe || echo 1 > /sys/kernel/uevent_helper'),
    attempt('mount', 'mkdir -p /tmp/m && mount -t tmpfs none /tmp/m'),
    attempt('remount of the root', 'mount -o remount,rw /'),
    attempt('unshare of a user namespace', 'unshare -Ur true'),
    attempt('unshare of a mount namespace', 'unshare -m true'),
    attempt('a set-uid program', 'test "$(su -c "id -u" root </dev/null)" = 0'),
    attempt('a program in /tmp', 'cp /bin/true /tmp/true && chmod 755 /tmp/true && /tmp/true'),
    attempt('a device node', 'mknod /tmp/sda b 8 0'),
    attempt('chroot', 'chroot / true'),
    attempt('the kernel log', 'dmesg'),
    'echo "/proc/kcore=$(test -s /proc/kcore && head -c1 /proc/kcore 2>/dev/null | grep -q . && echo readable || echo empty)"',
    'echo "docker.sock=$(ls /var/run/docker.sock /run/docker.sock /run/containerd >/dev/null 2>&1 && echo present || echo absent)"',
    'echo "shared memory=$(test -e /dev/shm && touch /dev/shm/x 2>/dev/null && echo present || echo absent)"',
    'echo "block devices=$(find /dev -type b | wc -l)"',
    'echo "core size=$(ulimit -c)"',
    'echo "open files=$(ulimit -n)"',
    `echo "network interfaces=$(sed -n 's/^ *\\([a-z0-9]*\\):.*/\\1/p' /proc/net/dev | xargs)"`,
    'echo "routes=$(tail -n +2 /proc/net/route | wc -l)"',
    `echo "processes of others=$(find /proc -maxdepth 1 -name '[0-9]*' ! -user 65532 | wc -l)"`,
    // perl's syscall() stands in for programs that the image lacks: 101 ptrace (16 = attach), 250 keyctl (0 = get keyring).
    `echo "ptrace of a process outside=$(perl -e 'print syscall(101, 16, ${process.pid}, 0, 0) == 0 ? "worked" : "refused"' 2>/dev/null)"`,
    `echo "keyctl=$(perl -e 'print syscall(250, 0, -3, 1) >= 0 ? "worked" : "refused"' 2>/dev/null)"`,
    `echo "processes beyond the limit=$(perl -e 'my $n = 0; for (1 .. 100) { my $p = fork; if (!defined $p) { print "refused"; exit } if (!$p) { sleep 2; exit } } print "worked"')"`,
  ].join('\n')
  const container = await docker.createContainer({
    Image: SHELL_IMAGE,
    Cmd: ['sh', '-c', script],
    User: '65532:65532',
    Labels: { 'oauth3.instance': INSTANCE, 'oauth3.role': 'sandbox' },
    NetworkDisabled: true,
    // The same walls, but with a log to read the answers from.
    HostConfig: {
      ...hostConfig({ limits: TEST_LIMITS, network: 'none', ociRuntime: undefined }),
      LogConfig: { Type: 'json-file', Config: {} },
    },
  })
  try {
    await container.start()
    await container.wait()
    const logs = (await container.logs({ stdout: true, stderr: true })).toString('utf8')
    const report = new Map<string, string>()
    for (const line of logs.split('\n')) {
      const found = /([A-Za-z/][A-Za-z0-9 ./-]*)=(.*)$/.exec(line)
      if (found?.[1] !== undefined) report.set(found[1], found[2] ?? '')
    }
    return report
  } finally {
    await container.remove({ force: true })
  }
}
