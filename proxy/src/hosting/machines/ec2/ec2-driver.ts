/**
 * Machines as instances of Amazon EC2. A machine that was created is a launch template; started, an instance; its files are a volume
 * that outlives both. It cannot keep memory, and tells nothing by itself.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Instance } from '@aws-sdk/client-ec2'
import { type Clock, systemClock } from '../../../kernel/index.ts'
import type { Wait } from '../../../sandbox/engine/index.ts'
import type { MachineKey, MachineRef } from '../machine.ts'
import {
  CONTROL_SOCKET,
  DriverFault,
  type MachineDriver,
  type Phase,
  type ToCreate,
} from '../machine-driver.ts'
import { incarnationName } from '../machine-labels.ts'
import { createEc2Calls, type Ec2Access, hasCode, ignoring, NOT_FOUND, NOT_NOW } from './ec2-calls.ts'
import { createEc2Files } from './ec2-files.ts'
import { createEc2Inventory } from './ec2-inventory.ts'
import { type Ec2Place, hasFiles, runRequest, templateRequest } from './ec2-machine.ts'
import { createUntil } from './until.ts'

export interface Ec2DriverOptions {
  readonly access: Ec2Access
  readonly place: Ec2Place
  readonly instanceId: string
  /** What the instance is told at its first start: nothing that is worth anything after it. The same each time for one incarnation. */
  readonly userData?: ((ref: MachineRef) => string) | undefined
  /** Holds a directory for each machine. */
  readonly endpointFolder: string
  readonly clock?: Clock
  readonly wait?: Wait
  readonly random?: () => number
}

/** Whoever brings it its sockets knows what to do with it. */
const nameOnly = ({ machine, generation }: MachineRef): string => JSON.stringify({ machine, generation })
const stateOf = (instance: Instance | undefined) => instance?.State?.Name
/** The other is told where an earlier daemon made it, whose script was another one. */
const ALREADY_MADE = /AlreadyExistsException$|^IdempotentParameterMismatch$/
const idsOf = (instances: readonly Instance[]): string[] =>
  instances.flatMap(({ InstanceId }) => InstanceId ?? [])

export function createEc2Driver(options: Ec2DriverOptions): MachineDriver & AsyncDisposable {
  const { instanceId, place, endpointFolder, clock = systemClock, userData = nameOnly } = options
  const wait: Wait = options.wait ?? ((ms, given) => delay(ms, undefined, given))
  const until = createUntil(wait)
  const calls = createEc2Calls(options.access, { wait, random: options.random })
  const { call } = calls
  const inventory = createEc2Inventory({ call, instanceId, clock })
  const files = createEc2Files({ call, inventory, instanceId, place, until })
  const folderOf = ({ machine }: MachineKey): string => join(endpointFolder, machine)

  const observe = async (ref: MachineRef, signal: AbortSignal): Promise<Phase> =>
    (await inventory.find(ref, signal)).phase

  async function removeTemplate(ref: MachineRef, signal: AbortSignal): Promise<void> {
    const LaunchTemplateName = incarnationName(instanceId, ref)
    await ignoring(NOT_FOUND, () =>
      call(signal, (ec2, given) => ec2.deleteLaunchTemplate({ LaunchTemplateName }, given)),
    )
    inventory.removedTemplate(ref)
  }

  async function run(ref: MachineRef, signal: AbortSignal): Promise<void> {
    const answer = await call(signal, (ec2, given) => ec2.runInstances(runRequest(instanceId, ref), given))
    const id = answer.Instances?.[0]?.InstanceId
    if (id === undefined) throw new DriverFault('unreachable', 'EC2 does not say what it runs.')
    inventory.ranInstance(ref, id)
  }

  async function create(ref: MachineRef, what: ToCreate, signal: AbortSignal): Promise<Phase> {
    await mkdir(folderOf(ref), { recursive: true, mode: 0o700 })
    await files.ensure(ref, signal)
    const phase = await observe(ref, signal)
    if (phase !== 'absent') return phase
    try {
      const request = templateRequest(instanceId, ref, what, place, userData(ref))
      await call(signal, (ec2, given) => ec2.createLaunchTemplate(request, given))
    } catch (error) {
      if (!hasCode(error, ALREADY_MADE)) throw error
    }
    inventory.madeTemplate(ref)
    return observe(ref, signal)
  }

  const start = (ref: MachineRef, signal: AbortSignal): Promise<Phase> => {
    let wasUp = false
    return until(signal, async () => {
      const { phase, instances, isListed, hasTemplate } = await inventory.find(ref, signal)
      const [instance] = instances
      // Once lists have the instance, it says that it was run: nothing is to be run out of the template again.
      if (isListed && hasTemplate) await removeTemplate(ref, signal)
      if (phase === 'created') await run(ref, signal)
      else if (phase === 'stopped' && !wasUp)
        await ignoring(NOT_NOW, () =>
          call(signal, (ec2, given) => ec2.startInstances({ InstanceIds: idsOf(instances) }, given)),
        )
      else if (phase !== 'changing') return phase
      else if (instance !== undefined && stateOf(instance) === 'running' && !hasFiles(instance))
        await files.attach(ref, instance, signal)
      wasUp ||= stateOf(instance) === 'running'
      return undefined
    })
  }

  const stop = (ref: MachineRef, graceMs: number, signal: AbortSignal): Promise<Phase> => {
    const begunAt = clock.now()
    let isAsked = false
    let isForced = false
    return until(signal, async () => {
      const { phase, instances } = await inventory.find(ref, signal)
      if (phase !== 'running' && phase !== 'changing') return phase
      // One that just rises cannot be stopped yet.
      const [instance] = instances
      const canStop = stateOf(instance) === 'running' || stateOf(instance) === 'stopping'
      const Force = isAsked && clock.now() - begunAt >= graceMs
      if (!canStop || isForced || (isAsked && !Force)) return undefined
      await ignoring(NOT_NOW, () =>
        call(signal, (ec2, given) => ec2.stopInstances({ InstanceIds: idsOf(instances), Force }, given)),
      )
      isAsked = true
      isForced = Force
      return undefined
    })
  }

  async function remove(ref: MachineRef, signal: AbortSignal): Promise<Phase> {
    // First of all: a start that comes late runs nothing any more.
    await removeTemplate(ref, signal)
    return await until(signal, async () => {
      const { instances } = await inventory.find(ref, signal)
      if (instances.length === 0) {
        inventory.endedInstance(ref)
        return 'absent'
      }
      await ignoring(NOT_FOUND, () =>
        call(signal, (ec2, given) => ec2.terminateInstances({ InstanceIds: idsOf(instances) }, given)),
      )
      return undefined
    })
  }

  return {
    kind: 'ec2',
    capabilities: { pauses: false, tells: false },
    create,
    start,
    pause: observe,
    unpause: observe,
    stop,
    remove,
    async purge(key, signal) {
      for (const { generation } of await inventory.list(signal, key))
        if (generation !== null) await remove({ ...key, generation }, signal)
      await rm(folderOf(key), { recursive: true, force: true })
      // The last to go: by it the rest is found again.
      await files.remove(key, signal)
    },
    observe,
    list: inventory.list,
    instancesOf: async (ref, signal) => idsOf((await inventory.find(ref, signal)).instances),
    address: (ref) => ({ socketPath: join(folderOf(ref), CONTROL_SOCKET) }),
    watch: () => ({ [Symbol.dispose]() {} }),
    [Symbol.asyncDispose]: calls.close,
  }
}
