/** What a machine is made of on EC2, and what is asked for: a launch template, an instance out of it, and a volume for its files. */
import type {
  CreateLaunchTemplateRequest,
  CreateVolumeRequest,
  Filter,
  Instance,
  ResourceType,
  RunInstancesRequest,
  Tag,
  TagSpecification,
} from '@aws-sdk/client-ec2'
import { sha256Hex } from '../../../kernel/index.ts'
import type { MachineKey, MachineRef } from '../machine.ts'
import type { Phase, ToCreate } from '../machine-driver.ts'
import { incarnationLabels, incarnationName, keyLabels } from '../machine-labels.ts'

export interface Ec2Place {
  /** A private one. Its zone is where the volumes are. */
  readonly subnet: string
  readonly securityGroups: readonly string[]
  readonly instanceType: string
  /** Of each machine's files. */
  readonly volumeGib: number
}

/** Where the volume of files is attached. Nitro shows it as an NVMe device with this name in its vendor data. */
export const FILES_DEVICE = '/dev/sdf'
const FILES_TAG = 'oauth3.files'

const tagsOf = (labels: Readonly<Record<string, string>>): Tag[] =>
  Object.entries(labels).map(([Key, Value]) => ({ Key, Value }))
export const labelsOf = (tags: readonly Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]))
/** Stars and question marks in values would match others; none of these has one. */
export const filtersOf = (labels: Readonly<Record<string, string>>): Filter[] =>
  Object.entries(labels).map(([name, value]) => ({ Name: `tag:${name}`, Values: [value] }))

const specification = (type: ResourceType, labels: Readonly<Record<string, string>>): TagSpecification[] => [
  { ResourceType: type, Tags: tagsOf(labels) },
]
/** The same for the same purpose, whoever asks: what was done unseen is not done twice. At most 64 characters. */
const tokenOf = (instanceId: string, purpose: string, of: string): string =>
  sha256Hex(`${instanceId}\0${purpose}\0${of}`)

export const filesLabels = (instanceId: string, key: MachineKey): Record<string, string> => ({
  ...keyLabels(instanceId, key),
  [FILES_TAG]: 'home',
})

export const volumeRequest = (
  instanceId: string,
  key: MachineKey,
  zone: string,
  { volumeGib }: Ec2Place,
): CreateVolumeRequest => ({
  AvailabilityZone: zone,
  Size: volumeGib,
  VolumeType: 'gp3',
  Encrypted: true,
  ClientToken: tokenOf(instanceId, 'files', `${key.tenant}/${key.machine}`),
  TagSpecifications: specification('volume', filesLabels(instanceId, key)),
})

/**
 * A machine that was created and never started is its launch template, which costs nothing. No key pair, no role, no public address;
 * the metadata service gives user data to the instance itself alone.
 */
export const templateRequest = (
  instanceId: string,
  ref: MachineRef,
  { image }: ToCreate,
  place: Ec2Place,
  userData: string,
): CreateLaunchTemplateRequest => ({
  LaunchTemplateName: incarnationName(instanceId, ref),
  ClientToken: tokenOf(instanceId, 'template', `${ref.tenant}/${ref.machine}/${ref.generation}`),
  TagSpecifications: specification('launch-template', incarnationLabels(instanceId, ref)),
  LaunchTemplateData: {
    ImageId: image,
    InstanceType: place.instanceType as NonNullable<RunInstancesRequest['InstanceType']>,
    NetworkInterfaces: [
      {
        DeviceIndex: 0,
        SubnetId: place.subnet,
        Groups: [...place.securityGroups],
        AssociatePublicIpAddress: false,
        DeleteOnTermination: true,
      },
    ],
    MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    InstanceInitiatedShutdownBehavior: 'stop',
    UserData: Buffer.from(userData).toString('base64'),
    TagSpecifications: specification('instance', incarnationLabels(instanceId, ref)),
  },
})

export const runRequest = (instanceId: string, ref: MachineRef): RunInstancesRequest => ({
  LaunchTemplate: { LaunchTemplateName: incarnationName(instanceId, ref), Version: '$Default' },
  MinCount: 1,
  MaxCount: 1,
  ClientToken: tokenOf(instanceId, 'run', `${ref.tenant}/${ref.machine}/${ref.generation}`),
})

export const hasFiles = ({ BlockDeviceMappings = [] }: Instance): boolean =>
  BlockDeviceMappings.some(({ DeviceName, Ebs }) => DeviceName === FILES_DEVICE && Ebs?.Status === 'attached')

/** A terminated one is listed for about an hour. One that runs without its files is still on its way. */
export function phaseOfInstance(instance: Instance): Phase {
  switch (instance.State?.Name) {
    case 'running':
      return hasFiles(instance) ? 'running' : 'changing'
    case 'stopped':
      return 'stopped'
    case 'terminated':
      return 'absent'
    default:
      return 'changing'
  }
}
