/**
 * The isolation between a sandbox and its host, as the engine tells of it: one check each, one line that a person can
 * act on. It reads and checks; what a container is created with stands in container-config.ts.
 */
import type Docker from 'dockerode'
import type { CheckResult, DoctorCheck } from '../../kernel/index.ts'
import type { SeccompChoice } from '../engine/index.ts'
import { createEngineClient } from '../engine/index.ts'
import { type EngineInfo, readEngine } from './engine-info.ts'
import { lackingFixes } from './known-escapes.ts'
import { checkRuntime, runtimeInUse } from './oci-runtimes.ts'

const HOW = 'docs/nested-vm-isolation.md'

const well = (said: string): CheckResult => ({ ok: true, said })
const weak = (said: string): CheckResult => ({ ok: true, warning: true, said })
const bad = (said: string): CheckResult => ({ ok: false, said })

/** They need not apply a profile: code in them calls another kernel than the host's. */
const WITH_OWN_KERNEL = ['runsc', 'kata']

/** `name=seccomp,profile=default` becomes seccomp → profile=default. */
function securityOptions(info: EngineInfo): ReadonlyMap<string, string> {
  return new Map(
    (info.SecurityOptions ?? []).map((option) => {
      const [name = '', ...rest] = option.split(',')
      return [name.replace(/^name=/, ''), rest.join(',')]
    }),
  )
}

function checkUserNamespaces(info: EngineInfo): CheckResult {
  const options = securityOptions(info)
  if (options.has('rootless'))
    return well('the engine runs rootless: root in a sandbox is nobody on the host')
  if (options.has('userns')) return well('remapped: root in a sandbox is nobody on the host')
  return weak(
    `not remapped: who becomes root in a sandbox is root to the host's kernel; userns-remap: ${HOW}`,
  )
}

function checkSeccomp(info: EngineInfo, ociRuntime: string | undefined, choice: SeccompChoice): CheckResult {
  const profile = securityOptions(info)
    .get('seccomp')
    ?.replace(/^profile=/, '')
  if (profile === undefined) return bad('the engine filters no system calls: install one built with seccomp')
  if (choice === 'oauth3') {
    const { program } = runtimeInUse(info, ociRuntime)
    return well(
      WITH_OWN_KERNEL.includes(program)
        ? `OAuth3's own profile is handed to ${program}, which may do without it: it has a kernel of its own`
        : "OAuth3's own profile, shorter than the engine's",
    )
  }
  if (profile === 'unconfined')
    return bad(`the engine's profile is "unconfined": remove seccomp-profile from its daemon.json`)
  if (profile === 'default' || profile === 'builtin')
    return weak(
      "the engine's own profile, as OAUTH3_SANDBOX_SECCOMP=engine asks; some leave ptrace, io_uring and vsock open: leave the setting out",
    )
  return weak(`the engine has a profile of its owner's (${profile}): compare it with the engine's own`)
}

function checkAccessControl(info: EngineInfo): CheckResult {
  const options = securityOptions(info)
  const enabled = ['apparmor', 'selinux'].filter((name) => options.has(name))
  if (enabled.length > 0) return well(enabled.join(' and '))
  return weak(
    'neither AppArmor nor SELinux confines containers: enable one of them in the host and its engine',
  )
}

function checkCgroups(info: EngineInfo): CheckResult {
  const lacking = [
    ...(info.MemoryLimit === false ? ['memory'] : []),
    ...(info.CpuCfsQuota === false ? ['processor'] : []),
    ...(info.PidsLimit === false ? ['processes'] : []),
  ]
  const version = `version ${info.CgroupVersion ?? 'unknown'}, driver ${info.CgroupDriver ?? 'unknown'}`
  if (lacking.length > 0)
    return bad(`${version}; the host's kernel cannot limit ${lacking.join(', ')}: enable these controllers`)
  if (info.SwapLimit === false)
    return weak(
      `${version}; swap is not limited: add swapaccount=1 to the kernel's command line, or have no swap`,
    )
  if (info.CgroupVersion === '2') return well(version)
  return weak(
    `${version}: the limits hold, but version 1 has been a way out (CVE-2022-0492); boot with version 2`,
  )
}

/** Checks a version by its number alone, and says so. */
function checkVersion(program: string, version: string): CheckResult {
  const lacking = lackingFixes(program, version)
  if (lacking === undefined) return weak(`${program} ${version}: not a version number that can be compared`)
  if (lacking.length === 0) return well(`${program} ${version}: no known escape without a fix`)
  const cves = lacking.map(({ cve }) => cve).join(', ')
  const fixes = lacking.at(-1)?.fixed.join(' / ') ?? ''
  return weak(
    `${program} ${version}, as numbered, lacks fixes for ${cves}; your distribution may have patched it; else update to ${fixes}`,
  )
}

/** One entry for each layer of isolation: its name, and how it is checked. */
export const ISOLATION_CHECKS: readonly (readonly [
  name: string,
  check: (info: EngineInfo, ociRuntime: string | undefined, seccomp: SeccompChoice) => CheckResult,
])[] = [
  ['wall runtime', (info, ociRuntime) => checkRuntime(info, ociRuntime)],
  [
    'wall runtime version',
    (info, ociRuntime) => {
      const { program, version } = runtimeInUse(info, ociRuntime)
      if (version !== undefined) return checkVersion(program, version)
      return weak(
        `the engine does not tell the version of ${program}; ask it on the host (${program} --version) and compare: ${HOW}`,
      )
    },
  ],
  [
    'wall containerd',
    (info) => {
      const version = info.versions.get('containerd')
      return version === undefined
        ? weak('the engine does not tell the version of its containerd')
        : checkVersion('containerd', version)
    },
  ],
  ['wall user namespaces', checkUserNamespaces],
  ['wall seccomp', checkSeccomp],
  ['wall access control', checkAccessControl],
  ['wall cgroups', checkCgroups],
]

/** The engine is asked once for all checks of one doctor's visit. That it is away is for the sandbox's check to say. */
export function createIsolationChecks(options: {
  readonly docker?: Docker | undefined
  readonly ociRuntime?: string | undefined
  readonly seccomp?: SeccompChoice | undefined
}): DoctorCheck[] {
  const docker = options.docker ?? createEngineClient()
  let reading: Promise<EngineInfo> | undefined
  const read = (): Promise<EngineInfo> => {
    reading ??= readEngine(docker).finally(() => {
      reading = undefined
    })
    return reading
  }
  return ISOLATION_CHECKS.map(([name, check]) => ({
    name,
    async run() {
      const info = await read().catch((error: unknown) => error as Error)
      return info instanceof Error
        ? weak(`not known, for the engine does not tell: ${info.message}`)
        : check(info, options.ociRuntime, options.seccomp ?? 'oauth3')
    },
  }))
}
