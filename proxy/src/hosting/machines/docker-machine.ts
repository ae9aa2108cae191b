/** What a machine's container and files are called and created with, in one place: what tests probe is what runs. */
import type Docker from 'dockerode'
import { isMachineId, sha256Hex, type TenantId } from '../../kernel/index.ts'
import {
  hardenedHostConfig,
  LABEL_INSTANCE,
  LABEL_ROLE,
  ownLabels,
  readOnlyMount,
  SANDBOX_USER,
  SANDBOX_USER_ID,
  type SeccompChoice,
} from '../../sandbox/engine/index.ts'
import type { MachineKey, MachineRef } from './machine.ts'
import type { Held, Phase, ToCreate } from './machine-driver.ts'

const LABEL_TENANT = 'oauth3.tenant'
const LABEL_MACHINE = 'oauth3.machine'
const LABEL_GENERATION = 'oauth3.generation'

/** Where a machine finds its endpoint's directory, read-only, and its own files: in `home`, since a volume's root stays root's. */
const ENDPOINT_MOUNT = '/run/oauth3'
export const STATE_MOUNT = '/state'
export const HOME = 'home'
const HOST_NAME = 'machine'
const OPEN_FILES = 4_096
/** Locks and small arrays between processes of a machine. */
const SHARED_MEMORY_BYTES = 64 * 1_048_576

/** Of names alone: two instances on one engine may have the same machine after a copy of the database. */
const prefixOf = (instanceId: string): string => `oauth3-machine-${sha256Hex(instanceId).slice(0, 12)}`
/** Names are unique in an engine, so that of two creations at once one fails. */
export const containerName = (
  instanceId: string,
  { machine, generation }: { readonly machine: string; readonly generation: number },
): string => `${prefixOf(instanceId)}-${machine}-${generation}`
export const volumeName = (instanceId: string, { machine }: MachineKey): string =>
  `${prefixOf(instanceId)}-${machine}`

export const keyLabels = (instanceId: string, { tenant, machine }: MachineKey): Record<string, string> => ({
  ...ownLabels(instanceId, 'machine'),
  [LABEL_TENANT]: tenant,
  [LABEL_MACHINE]: machine,
})

/** For a list of an engine: all of an instance, or one machine's. */
export const labelFilter = (instanceId: string, key?: MachineKey): string[] => [
  `${LABEL_INSTANCE}=${instanceId}`,
  `${LABEL_ROLE}=machine`,
  ...(key === undefined ? [] : [`${LABEL_MACHINE}=${key.machine}`, `${LABEL_TENANT}=${key.tenant}`]),
]

type Labels = Readonly<Record<string, string>> | null | undefined

/** Undefined for what is no machine's. */
export function keyOf(labels: Labels): MachineKey | undefined {
  const machine = labels?.[LABEL_MACHINE] ?? ''
  const tenant = labels?.[LABEL_TENANT] ?? ''
  return isMachineId(machine) && tenant !== '' ? { tenant: tenant as TenantId, machine } : undefined
}

export function heldOf(labels: Labels, phase: Phase): Held | undefined {
  const key = keyOf(labels)
  const generation = Number(labels?.[LABEL_GENERATION])
  return key && Number.isSafeInteger(generation) ? { ...key, generation, phase } : undefined
}

/** Whether a container of that name is this incarnation. */
export const isOf = (labels: Labels, instanceId: string, ref: MachineRef): boolean => {
  const held = heldOf(labels, 'absent')
  return (
    labels?.[LABEL_INSTANCE] === instanceId &&
    held?.machine === ref.machine &&
    held.tenant === ref.tenant &&
    held.generation === ref.generation
  )
}

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
    name: containerName(instanceId, ref),
    Image: what.image,
    ...(what.spec.command.length > 0 && { Entrypoint: [...what.spec.command] }),
    User: SANDBOX_USER,
    Hostname: HOST_NAME,
    Labels: { ...keyLabels(instanceId, ref), [LABEL_GENERATION]: String(ref.generation) },
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
