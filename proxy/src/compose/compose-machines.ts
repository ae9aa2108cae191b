import type { Config } from '../config/index.ts'
import {
  createDockerDriver,
  createEc2Driver,
  HOME,
  incarnationName,
  type MachineDriver,
  STATE_MOUNT,
} from '../hosting/machines/index.ts'
import type { Persistence } from '../hosting/persistence/index.ts'
import type { Clock } from '../kernel/index.ts'
import { createEngineClient, SANDBOX_USER_ID } from '../sandbox/engine/index.ts'
import { composePersistence } from './compose-persistence.ts'

export interface MachineParts {
  readonly driver: MachineDriver
  /** Null: the driver keeps the files of those that sleep. */
  readonly persistence: Persistence | null
}

/** Where machines live, as the settings say. `opened` ends what it opens. */
export async function composeMachines(
  {
    config,
    instanceId,
    clock,
  }: { readonly config: Config; readonly instanceId: string; readonly clock: Clock },
  opened: AsyncDisposableStack,
  log: (message: string, error?: unknown) => void,
): Promise<MachineParts> {
  const { ec2 } = config.hosting
  const shared = { instanceId, endpointFolder: config.socketDirectory }
  if (ec2 !== null) {
    const { region, keyId, secret, subnet, instanceType, volumeGib } = ec2
    const place = { subnet, securityGroups: [ec2.securityGroup], instanceType, volumeGib }
    const driver = createEc2Driver({ ...shared, access: { region, keyId, secret }, place, clock })
    return { driver: opened.use(driver), persistence: null }
  }
  const docker = createEngineClient()
  const persistence = await composePersistence({
    ...{ config, docker, clock, log },
    containerOf: (ref) => incarnationName(instanceId, ref),
    place: { home: HOME, mount: STATE_MOUNT, owner: SANDBOX_USER_ID },
  })
  const { ociRuntime, seccomp } = config.sandbox
  const driver = createDockerDriver({ ...shared, docker, ociRuntime: ociRuntime ?? undefined, seccomp })
  return { driver, persistence: opened.use(persistence) }
}
