import type { Config } from '../config/index.ts'
import { createBootScripts, type GateKeys } from '../hosting/gate/index.ts'
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
import type { GateSettings } from './daemon-machine-gate.ts'

export interface MachineParts {
  readonly driver: MachineDriver
  /** What instances reach the daemon by; null: nothing. */
  readonly gate: (GateSettings & { readonly keys: GateKeys }) | null
  /** Null: the driver keeps the files of those that sleep. */
  readonly persistence: Persistence | null
}

/** Where machines live, as the settings say. `opened` ends what it opens. */
export async function composeMachines(
  {
    config,
    instanceId,
    clock,
    gateKeys,
  }: {
    readonly config: Config
    readonly instanceId: string
    readonly clock: Clock
    readonly gateKeys: () => Promise<GateKeys>
  },
  opened: AsyncDisposableStack,
  log: (message: string, error?: unknown) => void,
): Promise<MachineParts> {
  const { ec2 } = config.hosting
  const shared = { instanceId, endpointFolder: config.socketDirectory }
  if (ec2 !== null) {
    const { region, keyId, secret, subnet, instanceType, volumeGib } = ec2
    const place = { subnet, securityGroups: [ec2.securityGroup], instanceType, volumeGib }
    const gate = ec2.gate === null ? null : { ...ec2.gate, keys: await gateKeys() }
    const userData = gate === null ? undefined : createBootScripts(gate.url, gate.keys)
    const access = { region, keyId, secret, endpoint: ec2.endpoint }
    const driver = createEc2Driver({ ...shared, access, place, clock, userData })
    return { driver: opened.use(driver), persistence: null, gate }
  }
  const docker = createEngineClient()
  const persistence = await composePersistence({
    ...{ config, docker, clock, log },
    containerOf: (ref) => incarnationName(instanceId, ref),
    place: { home: HOME, mount: STATE_MOUNT, owner: SANDBOX_USER_ID },
  })
  const { ociRuntime, seccomp } = config.sandbox
  const driver = createDockerDriver({ ...shared, docker, ociRuntime: ociRuntime ?? undefined, seccomp })
  return { driver, persistence: opened.use(persistence), gate: null }
}
