import type Docker from 'dockerode'
import { describe, expect, it } from 'vitest'
import { type EngineInfo, readEngine } from './engine-info.ts'
import { createIsolationChecks, ISOLATION_CHECKS } from './isolation.ts'
import { lackingFixes, parseVersion } from './known-escapes.ts'
import { unknownRuntime } from './oci-runtimes.ts'

/** What engines answered, cut down to what is read. */
const DEBIAN_12 = {
  info: {
    SecurityOptions: ['name=seccomp,profile=default'],
    CgroupVersion: '1',
    CgroupDriver: 'cgroupfs',
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsQuota: true,
    PidsLimit: true,
    ServerVersion: '20.10.24+dfsg1',
    DefaultRuntime: 'runc',
    Runtimes: { 'io.containerd.runc.v2': { path: 'runc' }, runc: { path: 'runc' } },
  },
  version: {
    Components: [
      { Name: 'Engine', Version: '20.10.24+dfsg1', Details: { Os: 'linux' } },
      { Name: 'containerd', Version: '1.6.20~ds1' },
      { Name: 'runc', Version: '1.1.5+ds1' },
    ],
  },
}
const features = (annotations: Record<string, string>) => ({
  'org.opencontainers.runtime-spec.features': JSON.stringify({ ociVersionMin: '1.0.0', annotations }),
})
const HARDENED = {
  info: {
    SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin', 'name=userns', 'name=cgroupns'],
    CgroupVersion: '2',
    CgroupDriver: 'systemd',
    MemoryLimit: true,
    SwapLimit: true,
    CpuCfsQuota: true,
    PidsLimit: true,
    ServerVersion: '28.5.2',
    DefaultRuntime: 'runc',
    Runtimes: {
      crun: { path: '/usr/bin/crun', status: features({ 'run.oci.crun.version': '1.30' }) },
      'old-crun': { path: '/usr/bin/crun', status: features({ 'run.oci.crun.version': '1.19.1' }) },
      runc: { path: 'runc', status: features({ 'org.opencontainers.runc.version': '1.3.3' }) },
      runsc: { path: '/usr/bin/runsc' },
      'runsc-open': { path: '/usr/bin/runsc', runtimeArgs: ['--platform=systrap', '--host-uds=open'] },
      kata: { runtimeType: 'io.containerd.kata.v2' },
      youki: { path: '/usr/local/bin/youki' },
    },
  },
  version: {
    Components: [
      { Name: 'containerd', Version: '2.2.1' },
      { Name: 'runc', Version: '1.1.11' },
    ],
  },
}

const engine = (answers: { readonly info: object; readonly version: object }): Docker =>
  ({ info: async () => answers.info, version: async () => answers.version }) as unknown as Docker

const evaluated = async (
  answers: typeof DEBIAN_12 | typeof HARDENED,
  more: object = {},
  ociRuntime?: string,
  seccomp: 'oauth3' | 'engine' = 'oauth3',
) => {
  const info: EngineInfo = await readEngine(engine({ ...answers, info: { ...answers.info, ...more } }))
  return new Map(
    ISOLATION_CHECKS.map(([name, evaluate]) => {
      const { ok, warning, said } = evaluate(info, ociRuntime, seccomp)
      return [name.replace('wall ', ''), `${ok ? (warning ? 'warn' : 'ok') : 'fail'}: ${said}`]
    }),
  )
}

describe('the walls of an engine', () => {
  it('are told in one line each, without a failure on a plain Debian 12', async () => {
    const walls = await evaluated(DEBIAN_12)
    expect([...walls].map(([name, said]) => `${name} ${said.split(':')[0]}`)).toEqual([
      'runtime ok',
      'runtime version warn',
      'containerd ok',
      'user namespaces warn',
      'seccomp ok',
      'access control warn',
      'cgroups warn',
    ])
    expect(walls.get('runtime version')).toContain(
      'runc 1.1.5+ds1, as numbered, lacks fixes for CVE-2024-21626, CVE-2025-31133',
    )
    expect(walls.get('runtime version')).toContain('your distribution may have patched it')
    for (const said of walls.values()) expect(said).not.toContain('\n')
  })

  it('all stand on a hardened engine, whose runtime tells its own version', async () => {
    const walls = await evaluated(HARDENED)
    expect([...walls.values()].filter((said) => !said.startsWith('ok'))).toEqual([])
    expect(walls.get('runtime version')).toContain('runc 1.3.3')
    expect((await evaluated(HARDENED, {}, 'crun')).get('runtime version')).toMatch(/^ok: crun 1\.30/)
    expect((await evaluated(HARDENED, {}, 'old-crun')).get('runtime version')).toMatch(
      /^warn: crun 1\.19\.1, as numbered, lacks fixes for CVE-2025-24965, .*update to 1\.30$/,
    )
  })

  it('are told as unknown where the engine does not tell a version', async () => {
    expect((await evaluated(HARDENED, {}, 'youki')).get('runtime version')).toMatch(
      /^warn: the engine does not tell the version of youki/,
    )
    const elsewhere = { Runtimes: { runc: { path: '/opt/runc' } } }
    expect((await evaluated(DEBIAN_12, elsewhere)).get('runtime version'), 'not the one of the list').toMatch(
      /^warn: the engine does not tell the version of runc/,
    )
  })

  it.each([
    ['no seccomp at all', 'seccomp', { SecurityOptions: [] }, /^fail: /],
    ['a rootless engine', 'user namespaces', { SecurityOptions: ['name=rootless'] }, /^ok: .*rootless/],
    ['SELinux', 'access control', { SecurityOptions: ['name=selinux'] }, /^ok: selinux/],
    ['no limit on processes', 'cgroups', { PidsLimit: false }, /^fail: .*processes/],
    [
      'no limit on memory or processor',
      'cgroups',
      { MemoryLimit: false, CpuCfsQuota: false },
      /^fail: .*memory, processor/,
    ],
    ['swap without a limit', 'cgroups', { SwapLimit: false }, /^warn: .*swap/],
  ] as const)('are evaluated: %s', async (_case, wall, more, expected) => {
    expect((await evaluated(DEBIAN_12, more)).get(wall)).toMatch(expected)
  })

  it.each([
    ['default', /^warn: the engine's own profile/],
    ['builtin', /^warn: the engine's own profile/],
    ['unconfined', /^fail: .*unconfined/],
    ['/etc/p.json', /^warn: .*\/etc\/p\.json/],
  ])('are the profile %s of the engine only where that was chosen', async (profile, expected) => {
    const more = { SecurityOptions: [`name=seccomp,profile=${profile}`] }
    expect((await evaluated(DEBIAN_12, more, undefined, 'engine')).get('seccomp')).toMatch(expected)
    expect((await evaluated(DEBIAN_12, more)).get('seccomp')).toMatch(/^ok: OAuth3's own profile/)
    expect((await evaluated(HARDENED, more, 'runsc')).get('seccomp')).toMatch(/^ok: .*runsc/)
  })

  it('of gVisor are weak without a way to the socket, and of Kata in any case', async () => {
    const runtime = async (name: string) => (await evaluated(HARDENED, {}, name)).get('runtime')
    expect(await runtime('runsc')).toMatch(/^warn: .*--host-uds=open/)
    expect(await runtime('runsc-open')).toMatch(/^ok: .*gVisor/)
    expect(await runtime('kata')).toMatch(/^warn: .*reaches no host/)
  })

  it('are not known, and no failure of theirs, while the engine is away', async () => {
    let asked = 0
    const docker = {
      info: () => {
        asked += 1
        return Promise.reject(new Error('connect ECONNREFUSED'))
      },
      version: async () => ({}),
    } as unknown as Docker
    const checks = createIsolationChecks({ docker })
    const results = await Promise.all(checks.map((check) => check.run(AbortSignal.timeout(5_000))))
    expect(results.every(({ ok, warning, said }) => ok && warning && said.includes('ECONNREFUSED'))).toBe(
      true,
    )
    expect(asked, 'one question for all of them').toBe(1)
  })
})

describe('a runtime that the engine does not list', () => {
  it('is unknown, unless it is the full name of a shim and the engine takes those', () => {
    expect(unknownRuntime(DEBIAN_12.info, undefined)).toBeUndefined()
    expect(unknownRuntime(DEBIAN_12.info, 'runc')).toBeUndefined()
    expect(unknownRuntime(DEBIAN_12.info, 'crun')).toBe(
      'The Docker engine does not know the runtime crun of OAUTH3_SANDBOX_RUNTIME; known: io.containerd.runc.v2, runc',
    )
    expect(unknownRuntime(DEBIAN_12.info, 'io.containerd.kata.v2')).toContain('does not know')
    expect(unknownRuntime(HARDENED.info, 'io.containerd.kata.v2')).toBeUndefined()
    expect(unknownRuntime(HARDENED.info, '/usr/bin/crun')).toContain('does not know')
  })
})

describe('known escapes', () => {
  const cves = (program: string, version: string) => lackingFixes(program, version)?.map(({ cve }) => cve)

  it.each([
    ['runc', '1.0-rc6', 6],
    ['runc', '1.0.0~rc93+ds1', 5],
    ['runc', '1.1.11', 4],
    ['runc', '1.1.12', 3],
    ['runc', '1.2.7', 3],
    ['runc', '1.2.8', 0],
    ['runc', '1.3.2', 3],
    ['runc', '1.3.3', 0],
    ['runc', '1.4.0-rc.2', 3],
    ['runc', '1.4.0-rc.3', 0],
    ['runc', '1.4.0', 0],
    ['runc', '1.5.0', 0],
    ['crun', '1.8.1', 3],
    ['crun', '1.20', 2],
    ['crun', '1.30', 0],
    ['containerd', '1.3.8', 1],
    ['containerd', '1.3.9', 0],
    ['containerd', '1.4.2', 1],
    ['containerd', 'v2.2.1', 0],
    ['youki', '0.1.0', 0],
  ])('of %s %s lack %i fixes as numbered', (program, version, count) => {
    expect(cves(program, version)).toHaveLength(count)
  })

  it('are not guessed from what is no version', () => {
    expect(parseVersion('unknown-version')).toBeUndefined()
    expect(cves('runc', '')).toBeUndefined()
  })
})
