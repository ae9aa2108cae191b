/** What a machine's container and files are called and created with, in one place: what tests probe is what runs. */
import type Docker from 'dockerode'
import {
  hardenedHostConfig,
  LABEL_INSTANCE,
  LABEL_ROLE,
  readOnlyMount,
  SANDBOX_USER,
  SANDBOX_USER_ID,
  type SeccompChoice,
} from '../../sandbox/engine/index.ts'
import type { MachineKey, MachineRef } from './machine.ts'
import type { Phase, ToCreate } from './machine-driver.ts'
import {
  incarnationLabels,
  incarnationName,
  keyLabels,
  LABEL_MACHINE,
  LABEL_TENANT,
  namePrefix,
} from './machine-labels.ts'

/** Where a machine finds its endpoint's directory, read-only, and its own files: in `home`, since a volume's root stays root's. */
const ENDPOINT_MOUNT = '/run/oauth3'
export const STATE_MOUNT = '/state'
export const HOME = 'home'
const HOST_NAME = 'machine'
const OPEN_FILES = 4_096
/** Locks and small arrays between processes of a machine. */
const SHARED_MEMORY_BYTES = 64 * 1_048_576

export const volumeName = (instanceId: string, { machine }: MachineKey): string =>
  `${namePrefix(instanceId)}-${machine}`

/** For a list of an engine: all of an instance, or one machine's. */
export const labelFilter = (instanceId: string, key?: MachineKey): string[] => [
  `${LABEL_INSTANCE}=${instanceId}`,
  `${LABEL_ROLE}=machine`,
  ...(key === undefined ? [] : [`${LABEL_MACHINE}=${key.machine}`, `${LABEL_TENANT}=${key.tenant}`]),
]

export function phaseOf(status: string): Phase {
  switch (status) {
    case 'created':
    case 'running':
    case 'paused':
      return status
    // Never asked for: an engine that does it all the same has a process there.
    case 'restarting':
      return 'running'
    default:
      return 'stopped'
  }
}

export function machineConfig(options: {
  readonly ref: MachineRef
  readonly instanceId: string
  readonly what: ToCreate
  /** The endpoint's directory as the engine sees it. */
  readonly endpoint: string
  readonly ociRuntime: string | undefined
  readonly seccomp: SeccompChoice | undefined
  readonly sysctls: Readonly<Record<string, string>> | undefined
}): Docker.ContainerCreateOptions {
  const { ref, instanceId, what, endpoint } = options
  return {
    name: incarnationName(instanceId, ref),
    Image: what.image,
    ...(what.spec.command.length > 0 && { Entrypoint: [...what.spec.command] }),
    User: SANDBOX_USER,
    Hostname: HOST_NAME,
    Labels: incarnationLabels(instanceId, ref),
    OpenStdin: false,
    Tty: false,
    NetworkDisabled: options.ociRuntime === undefined || options.ociRuntime === 'runc',
    HostConfig: hardenedHostConfig({
      limits: what.spec,
      mounts: [
        readOnlyMount(endpoint, ENDPOINT_MOUNT),
        {
          Type: 'volume',
          Source: volumeName(instanceId, ref),
          Target: STATE_MOUNT,
          ReadOnly: false,
          VolumeOptions: {
            NoCopy: true,
            Labels: keyLabels(instanceId, ref),
            DriverConfig: { Name: 'local', Options: {} },
          },
        },
      ],
      openFiles: OPEN_FILES,
      sharedMemoryBytes: SHARED_MEMORY_BYTES,
      ociRuntime: options.ociRuntime,
      seccomp: options.seccomp,
      sysctls: options.sysctls,
    }),
  }
}

/** An archive of an empty home that is the machine's own (POSIX ustar); what is in it already stays. */
export function homeArchive(): Buffer {
  const block = Buffer.alloc(512)
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
  block.write(`${HOME}/`, 0)
  const owner = octal(SANDBOX_USER_ID, 7)
  block.write(`${octal(0o700, 7)}\0${owner}\0${owner}\0${octal(0, 11)}\0${octal(0, 11)}\0`, 100)
  block.write(' '.repeat(8), 148)
  block.write('5', 156)
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148)
  return Buffer.concat([block, Buffer.alloc(1024)])
}
