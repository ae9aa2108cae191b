/** The volume of a machine's files, which outlives its instances. */
import type { Instance } from '@aws-sdk/client-ec2'
import type { MachineKey } from '../machine.ts'
import { DriverFault } from '../machine-driver.ts'
import { type Ec2Call, hasCode, ignoring, NOT_FOUND, NOT_NOW } from './ec2-calls.ts'
import type { Ec2Inventory } from './ec2-inventory.ts'
import { type Ec2Place, FILES_DEVICE, volumeRequest } from './ec2-machine.ts'
import type { Until } from './until.ts'

export function createEc2Files(of: {
  readonly call: Ec2Call
  readonly inventory: Ec2Inventory
  readonly instanceId: string
  readonly place: Ec2Place
  readonly until: Until
}) {
  const { call, inventory, instanceId, place, until } = of
  let zone: string | undefined

  async function zoneOfSubnet(signal: AbortSignal): Promise<string> {
    if (zone !== undefined) return zone
    const answer = await call(signal, (ec2, given) =>
      ec2.describeSubnets({ SubnetIds: [place.subnet] }, given),
    )
    zone = answer.Subnets?.[0]?.AvailabilityZone
    if (zone === undefined) throw new DriverFault('refused', 'EC2 does not say in which zone the subnet is.')
    return zone
  }

  /** Its id. */
  async function ensure(key: MachineKey, signal: AbortSignal): Promise<string> {
    const [known] = await inventory.filesOf(key, signal)
    if (known !== undefined) return known
    const request = volumeRequest(instanceId, key, await zoneOfSubnet(signal), place)
    const { VolumeId } = await call(signal, (ec2, given) => ec2.createVolume(request, given))
    if (VolumeId === undefined) throw new DriverFault('unreachable', 'EC2 does not say which volume it made.')
    inventory.madeFiles(key, VolumeId)
    return VolumeId
  }

  return {
    ensure,

    /** Of an instance that runs. Not before an earlier one that had it is gone. */
    async attach(key: MachineKey, { InstanceId }: Instance, signal: AbortSignal): Promise<void> {
      const VolumeId = await ensure(key, signal)
      await ignoring(NOT_NOW, () =>
        call(signal, (ec2, given) => ec2.attachVolume({ InstanceId, VolumeId, Device: FILES_DEVICE }, given)),
      )
    },

    /** Once nothing has it any more. */
    remove: (key: MachineKey, signal: AbortSignal): Promise<true> =>
      until(signal, async () => {
        const left = await inventory.filesOf(key, signal)
        if (left.length === 0) return true
        for (const VolumeId of left)
          try {
            await call(signal, (ec2, given) => ec2.deleteVolume({ VolumeId }, given))
            inventory.removedFiles(key)
          } catch (error) {
            if (hasCode(error, NOT_FOUND)) inventory.removedFiles(key)
            else if (!hasCode(error, NOT_NOW)) throw error
          }
        return undefined
      }),
  }
}
