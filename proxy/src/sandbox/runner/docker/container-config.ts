/** Container hardening (capabilities, seccomp, read-only root, cgroup limits), in one place: what tests probe is what runs. */
import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type Docker from 'dockerode'
import { GATEWAY_MOUNT, GATEWAY_RESOLVER } from '../../../egress/index.ts'
import { type SeccompChoice, seccompOption } from '../../engine/index.ts'
import type { RunLimits } from '../../index.ts'

export const LABEL_INSTANCE = 'oauth3.instance'
const LABEL_ROLE = 'oauth3.role'
/** Label of a container that builds the images right now, as docker-compose.yml gives it. */
export const IMAGE_BUILD = `${LABEL_ROLE}=image-build`

const ownLabels = (instanceId: string): Record<string, string> => ({
  [LABEL_INSTANCE]: instanceId,
  [LABEL_ROLE]: 'sandbox',
})

/** Numeric, so that no passwd file is needed: nobody on any host. */
const SANDBOX_USER = '65532:65532'
/** What the run is told of the machine's name; the engine would tell a part of the container's id. */
const HOST_NAME = 'sandbox'
/** Locks and small arrays between processes of one run stand there. Its bytes count as the run's memory. */
const SHARED_MEMORY_BYTES = 4 * 1_048_576
/**
 * A quarter of the usual 1,024: where there are not enough processors for all, code gives way to the daemon and to what else runs
 * there (https://docs.docker.com/engine/containers/resource_constraints/). It takes nothing from a machine that is idle.
 */
const CPU_SHARES = 256
/** Each request through the relay holds three: the client's end, and both of the relay's. */
const OPEN_FILES = 1_024

export interface Isolation {
  readonly limits: RunLimits
  /** The endpoint's directory as the engine sees it; null for a sandbox without any way out. */
  readonly endpoint: string | null
  readonly ociRuntime: string | undefined
  /** OAuth3's own profile unless said otherwise. */
  readonly seccomp?: SeccompChoice | undefined
  /** Whether there is a small /dev/shm; none unless said. */
  readonly sharedMemory?: boolean | undefined
  /** Of the container's own network namespace. */
  readonly sysctls?: Readonly<Record<string, string>> | undefined
}

export function hostConfig({
  limits,
  endpoint,
  ociRuntime,
  sysctls,
  sharedMemory = false,
  seccomp = 'oauth3',
}: Isolation): Docker.HostConfig {
  return {
    // No interface but loopback: the socket in the endpoint's directory is the only way out.
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
      ...(sharedMemory ? { '/dev/shm': ownFiles(SHARED_MEMORY_BYTES) } : {}),
    },
    Ulimits: [
      { Name: 'core', Soft: 0, Hard: 0 },
      { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
    ],
    IpcMode: 'none',
    LogConfig: { Type: 'none', Config: {} },
    // Mounts rather than Binds: a source that is not there is an error, not a folder that the engine makes.
    Mounts:
      endpoint === null
        ? []
        : [
            readOnly(endpoint, GATEWAY_MOUNT),
            // In place of what an engine writes there: an empty file, or the host's search list.
            readOnly(posix.join(endpoint, GATEWAY_RESOLVER), '/etc/resolv.conf'),
          ],
    RestartPolicy: { Name: 'no' },
    ...(ociRuntime === undefined ? {} : { Runtime: ociRuntime }),
  }
}

const ownFiles = (bytes: number): string => `rw,noexec,nosuid,nodev,mode=1777,size=${bytes}`

// Propagation is left to the engine: volumes below its own root take another than the usual private one.
const readOnly = (source: string, target: string): Docker.MountSettings => ({
  Type: 'bind',
  Source: source,
  Target: target,
  ReadOnly: true,
})

/** The limits that a waiting container can still be given. */
export const resourceLimits = (limits: RunLimits) => ({
  Memory: limits.memoryBytes,
  // Equal to Memory: no swap on top of it.
  MemorySwap: limits.memoryBytes,
  NanoCpus: limits.cpuMillis * 1_000_000,
  PidsLimit: limits.pids,
})

export function containerConfig(
  options: Isolation & {
    readonly image: string
    readonly instanceId: string
    readonly arguments: string[]
    /** `NAME=value`, in addition to the image's own; never of a run. */
    readonly environment?: readonly string[]
  },
): Docker.ContainerCreateOptions {
  return {
    name: `oauth3-sandbox-${randomBytes(8).toString('hex')}`,
    Image: options.image,
    Cmd: options.arguments,
    Env: [...(options.environment ?? [])],
    User: SANDBOX_USER,
    Hostname: HOST_NAME,
    Labels: ownLabels(options.instanceId),
    OpenStdin: true,
    // The runner sees the end of its input when the daemon closes or loses the connection.
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    // Spares the engine half of a start: runc brings loopback up in a fresh namespace by itself. Of other runtimes that is
    // not known, so the engine does it for them.
    NetworkDisabled: options.ociRuntime === undefined || options.ociRuntime === 'runc',
    StopTimeout: 0,
    HostConfig: hostConfig(options),
  }
}
