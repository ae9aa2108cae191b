/** Container hardening (capabilities, seccomp, read-only root, cgroup limits), in one place for all that runs foreign code. */
import type Docker from 'dockerode'
import type { RunLimits } from '../index.ts'
import { type SeccompChoice, seccompOption } from './seccomp-profile.ts'

/** Numeric, so that no passwd file is needed: nobody on any host. */
export const SANDBOX_USER_ID = 65_532
export const SANDBOX_USER = `${SANDBOX_USER_ID}:${SANDBOX_USER_ID}`
/**
 * A quarter of the usual 1,024: where there are not enough processors for all, code gives way to the daemon and to what else runs
 * there (https://docs.docker.com/engine/containers/resource_constraints/). It takes nothing from a machine that is idle.
 */
const CPU_SHARES = 256

type ContainerLimits = Pick<RunLimits, 'memoryBytes' | 'cpuMillis' | 'pids' | 'tmpBytes'>

export interface Hardening {
  readonly limits: ContainerLimits
  readonly mounts: readonly Docker.MountSettings[]
  /** Each request through the relay holds three: the client's end, and both of the relay's. */
  readonly openFiles: number
  /** Of a /dev/shm; none where 0. Its bytes count as the container's memory. */
  readonly sharedMemoryBytes: number
  readonly ociRuntime: string | undefined
  /** OAuth3's own profile unless said otherwise. */
  readonly seccomp: SeccompChoice | undefined
  /** Of the container's own network namespace. */
  readonly sysctls: Readonly<Record<string, string>> | undefined
}

export function hardenedHostConfig({
  limits,
  mounts,
  openFiles,
  sharedMemoryBytes,
  ociRuntime,
  seccomp = 'oauth3',
  sysctls,
}: Hardening): Docker.HostConfig {
  return {
    // No interface but loopback, in a network namespace of its own: the sockets in what is mounted are the only way out.
    NetworkMode: 'none',
    Sysctls: { ...sysctls },
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges:true', ...seccompOption(seccomp)],
    Privileged: false,
    ...resourceLimits(limits),
    CpuShares: CPU_SHARES,
    Tmpfs: {
      '/tmp': ownFiles(limits.tmpBytes),
      // Not the engine's: that is 64 MiB, and IpcMode none takes it away.
      ...(sharedMemoryBytes === 0 ? {} : { '/dev/shm': ownFiles(sharedMemoryBytes) }),
    },
    Ulimits: [
      { Name: 'core', Soft: 0, Hard: 0 },
      { Name: 'nofile', Soft: openFiles, Hard: openFiles },
    ],
    IpcMode: 'none',
    LogConfig: { Type: 'none', Config: {} },
    // Mounts rather than Binds: a source that is not there is an error, not a folder that the engine makes.
    Mounts: [...mounts],
    RestartPolicy: { Name: 'no' },
    ...(ociRuntime === undefined ? {} : { Runtime: ociRuntime }),
  }
}

const ownFiles = (bytes: number): string => `rw,noexec,nosuid,nodev,mode=1777,size=${bytes}`

// Propagation is left to the engine: volumes below its own root take another than the usual private one.
export const readOnlyMount = (source: string, target: string): Docker.MountSettings => ({
  Type: 'bind',
  Source: source,
  Target: target,
  ReadOnly: true,
})

/** The limits that a waiting container can still be given. */
export const resourceLimits = (limits: Omit<ContainerLimits, 'tmpBytes'>) => ({
  Memory: limits.memoryBytes,
  // Equal to Memory: no swap on top of it.
  MemorySwap: limits.memoryBytes,
  NanoCpus: limits.cpuMillis * 1_000_000,
  PidsLimit: limits.pids,
})
