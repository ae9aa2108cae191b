/** The walls of a Docker sandbox, in one place: what tests probe is what runs. */
import { randomBytes } from 'node:crypto'
import type Docker from 'dockerode'
import type { RunLimits } from '../../domain/executions/index.ts'

export const LABEL_INSTANCE = 'oauth3.instance'
const LABEL_ROLE = 'oauth3.role'

export const ownLabels = (instanceId: string): Record<string, string> => ({
  [LABEL_INSTANCE]: instanceId,
  [LABEL_ROLE]: 'sandbox',
})

/** Numeric, so that no passwd file is needed: nobody on any host. */
const SANDBOX_USER = '65532:65532'
const OPEN_FILES = 256

export interface Walls {
  readonly limits: RunLimits
  /** Name of the run's own network, or `none`. */
  readonly network: string
  readonly ociRuntime: string | undefined
}

export function hostConfig({ limits, network, ociRuntime }: Walls): Docker.HostConfig {
  return {
    NetworkMode: network,
    ReadonlyRootfs: true,
    CapDrop: ['ALL'],
    // The seccomp profile is left to the engine: naming none means its default one.
    SecurityOpt: ['no-new-privileges:true'],
    Privileged: false,
    ...resourceLimits(limits),
    Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,mode=1777,size=${limits.tmpBytes}` },
    Ulimits: [
      { Name: 'core', Soft: 0, Hard: 0 },
      { Name: 'nofile', Soft: OPEN_FILES, Hard: OPEN_FILES },
    ],
    IpcMode: 'none',
    LogConfig: { Type: 'none', Config: {} },
    Binds: [],
    RestartPolicy: { Name: 'no' },
    ...(ociRuntime === undefined ? {} : { Runtime: ociRuntime }),
  }
}

/** The limits that a waiting container can still be given. */
export const resourceLimits = (limits: RunLimits) => ({
  Memory: limits.memoryBytes,
  // Equal to Memory: no swap on top of it.
  MemorySwap: limits.memoryBytes,
  NanoCpus: limits.cpuMillis * 1_000_000,
  PidsLimit: limits.pids,
})

export function containerConfig(
  options: Walls & { readonly image: string; readonly instanceId: string; readonly arguments: string[] },
): Docker.ContainerCreateOptions {
  return {
    name: `oauth3-sandbox-${randomBytes(8).toString('hex')}`,
    Image: options.image,
    Cmd: options.arguments,
    User: SANDBOX_USER,
    Labels: ownLabels(options.instanceId),
    OpenStdin: true,
    // The runner sees the end of its input when the daemon closes or loses the connection.
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    // With no network wanted, the engine is spared its own setting up: the namespace stays empty, down to loopback.
    ...(options.network === 'none' ? { NetworkDisabled: true } : {}),
    StopTimeout: 0,
    HostConfig: hostConfig(options),
  }
}
