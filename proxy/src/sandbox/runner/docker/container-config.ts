/** What a container of the sandbox is created with, in one place: what tests probe is what runs. */
import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type Docker from 'dockerode'
import { GATEWAY_MOUNT, GATEWAY_RESOLVER } from '../../../egress/index.ts'
import {
  hardenedHostConfig,
  LABEL_ROLE,
  ownLabels,
  readOnlyMount,
  SANDBOX_USER,
  type SeccompChoice,
} from '../../engine/index.ts'
import type { RunLimits } from '../../index.ts'

/** Label of a container that builds the images right now, as docker-compose.yml gives it. */
export const IMAGE_BUILD = `${LABEL_ROLE}=image-build`

/** What the run is told of the machine's name; the engine would tell a part of the container's id. */
const HOST_NAME = 'sandbox'
/** Locks and small arrays between processes of one run stand there. Its bytes count as the run's memory. */
const SHARED_MEMORY_BYTES = 4 * 1_048_576
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
  seccomp,
}: Isolation): Docker.HostConfig {
  return hardenedHostConfig({
    limits,
    mounts:
      endpoint === null
        ? []
        : [
            readOnlyMount(endpoint, GATEWAY_MOUNT),
            // In place of what an engine writes there: an empty file, or the host's search list.
            readOnlyMount(posix.join(endpoint, GATEWAY_RESOLVER), '/etc/resolv.conf'),
          ],
    openFiles: OPEN_FILES,
    sharedMemoryBytes: sharedMemory ? SHARED_MEMORY_BYTES : 0,
    ociRuntime,
    seccomp,
    sysctls,
  })
}

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
    Labels: ownLabels(options.instanceId, 'sandbox'),
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
