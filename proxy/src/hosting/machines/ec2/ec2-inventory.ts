/** What EC2 has of machines, found by tags, all pages of it. Lists are behind: what was just made may not be in them yet. */
import type { Instance, LaunchTemplate, Volume } from '@aws-sdk/client-ec2'
import type { Clock } from '../../../kernel/index.ts'
import { ownLabels } from '../../../sandbox/engine/index.ts'
import type { MachineKey, MachineRef } from '../machine.ts'
import type { Held, Phase } from '../machine-driver.ts'
import { heldOf, incarnationLabels, incarnationName, isOf, keyLabels, keyOf } from '../machine-labels.ts'
import { type Ec2Call, hasCode, NOT_FOUND } from './ec2-calls.ts'
import { filesLabels, filtersOf, labelsOf, phaseOfInstance } from './ec2-machine.ts'
import { createRecent } from './recent.ts'

/** One incarnation. */
export interface Ec2Found {
  readonly phase: Phase
  /** Those that are not terminated; one, or none. */
  readonly instances: readonly Instance[]
  /** They were found by their tags: a list of another process has them too. */
  readonly isListed: boolean
  readonly hasTemplate: boolean
}

interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | undefined
}

const PAGE = 1_000
const LIVE_VOLUMES = new Set(['creating', 'available', 'in-use', 'error'])

export function createEc2Inventory(of: {
  readonly call: Ec2Call
  readonly instanceId: string
  readonly clock: Clock
}) {
  const { call, instanceId, clock } = of
  const templatesMade = createRecent(clock)
  const instancesRun = createRecent(clock)
  /** Of the generation 0: whichever. */
  const filesMade = createRecent(clock)
  const labelsFor = (key?: MachineKey): Record<string, string> =>
    key === undefined ? ownLabels(instanceId, 'machine') : keyLabels(instanceId, key)

  const instances = (labels: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Instance[]> =>
    allPages(async (NextToken) => {
      const input = { Filters: filtersOf(labels), MaxResults: PAGE, NextToken }
      const answer = await call(signal, (ec2, options) => ec2.describeInstances(input, options))
      const items = (answer.Reservations ?? []).flatMap(({ Instances }) => Instances ?? [])
      return { items, next: answer.NextToken }
    })
  const templates = (
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<LaunchTemplate[]> =>
    allPages(async (NextToken) => {
      const input = { Filters: filtersOf(labels), MaxResults: 200, NextToken }
      const answer = await call(signal, (ec2, options) => ec2.describeLaunchTemplates(input, options))
      return { items: answer.LaunchTemplates ?? [], next: answer.NextToken }
    })
  const volumes = async (
    labels: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Volume[]> => {
    const all = await allPages<Volume>(async (NextToken) => {
      const input = { Filters: filtersOf(labels), MaxResults: 500, NextToken }
      const answer = await call(signal, (ec2, options) => ec2.describeVolumes(input, options))
      return { items: answer.Volumes ?? [], next: answer.NextToken }
    })
    return all.filter(({ State }) => LIVE_VOLUMES.has(State ?? ''))
  }

  /** An instance that was run a moment ago, and that no list has yet. */
  async function unlisted(ref: MachineRef, signal: AbortSignal): Promise<Instance | undefined> {
    const id = instancesRun.idOf(ref)
    if (id === undefined) return undefined
    try {
      const answer = await call(signal, (ec2, options) =>
        ec2.describeInstances({ InstanceIds: [id] }, options),
      )
      const [instance] = (answer.Reservations ?? []).flatMap(({ Instances }) => Instances ?? [])
      if (instance !== undefined) return instance
    } catch (error) {
      if (!hasCode(error, NOT_FOUND)) throw error
    }
    return { InstanceId: id, State: { Name: 'pending' } }
  }

  async function find(ref: MachineRef, signal: AbortSignal): Promise<Ec2Found> {
    const labels = incarnationLabels(instanceId, ref)
    const name = incarnationName(instanceId, ref)
    const [listed, made] = await Promise.all([instances(labels, signal), templates(labels, signal)])
    let mine = listed.filter(({ Tags }) => isOf(labelsOf(Tags), instanceId, ref))
    const isListed = mine.length > 0
    const hasTemplate =
      made.some(({ LaunchTemplateName }) => LaunchTemplateName === name) ||
      templatesMade.idOf(ref) !== undefined
    if (isListed) instancesRun.drop(ref)
    else {
      const late = await unlisted(ref, signal)
      if (late !== undefined) mine = [late]
    }
    const live = mine.filter((one) => phaseOfInstance(one) !== 'absent')
    const [first] = live
    // One that was terminated is not run again: its template is a leftover.
    const phase =
      first !== undefined ? phaseOfInstance(first) : hasTemplate && mine.length === 0 ? 'created' : 'absent'
    return { phase, instances: live, isListed, hasTemplate }
  }

  return {
    find,
    /** The oldest first. */
    async filesOf(key: MachineKey, signal: AbortSignal): Promise<readonly string[]> {
      const listed = await volumes(filesLabels(instanceId, key), signal)
      listed.sort((a, b) => (a.CreateTime?.getTime() ?? 0) - (b.CreateTime?.getTime() ?? 0))
      const ids = listed.flatMap(({ VolumeId }) => VolumeId ?? [])
      const made = filesMade.idOf(filesRef(key))
      return made === undefined || ids.length > 0 ? ids : [made]
    },
    madeFiles: (key: MachineKey, id: string): void => filesMade.note(filesRef(key), id),
    removedFiles: (key: MachineKey): void => filesMade.drop(filesRef(key)),

    async list(signal: AbortSignal, key?: MachineKey): Promise<readonly Held[]> {
      const labels = labelsFor(key)
      const [running, made, files] = await Promise.all([
        instances(labels, signal),
        templates(labels, signal),
        volumes(labels, signal),
      ])
      const held = new Map<string, Held>()
      const add = (one: Held | undefined): void => {
        if (one !== undefined) held.set(`${one.tenant}/${one.machine}/${one.generation}`, one)
      }
      const terminated = new Set(
        running
          .filter((one) => phaseOfInstance(one) === 'absent')
          .map(({ Tags }) => heldOf(labelsOf(Tags), 'absent'))
          .map((one) => `${one?.machine}/${one?.generation}`),
      )
      for (const ref of templatesMade.of(key)) add({ ...ref, phase: 'created' })
      for (const ref of instancesRun.of(key)) add({ ...ref, phase: 'changing' })
      for (const { Tags } of made) {
        const one = heldOf(labelsOf(Tags), 'created')
        const isOver = one !== undefined && terminated.has(`${one.machine}/${one.generation}`)
        add(one && isOver ? { ...one, phase: 'stopped' } : one)
      }
      for (const instance of running) {
        const phase = phaseOfInstance(instance)
        if (phase !== 'absent') add(heldOf(labelsOf(instance.Tags), phase))
      }
      for (const { tenant, machine } of filesMade.of(key))
        add({ tenant, machine, generation: null, phase: 'absent' })
      for (const { Tags } of files) {
        const of = keyOf(labelsOf(Tags))
        if (of !== undefined) add({ ...of, generation: null, phase: 'absent' })
      }
      return [...held.values()]
    },

    madeTemplate: (ref: MachineRef): void => templatesMade.note(ref),
    removedTemplate: (ref: MachineRef): void => templatesMade.drop(ref),
    ranInstance: (ref: MachineRef, id: string): void => instancesRun.note(ref, id),
    endedInstance: (ref: MachineRef): void => instancesRun.drop(ref),
  }
}

export type Ec2Inventory = ReturnType<typeof createEc2Inventory>

const filesRef = (key: MachineKey): MachineRef => ({ ...key, generation: 0 })

async function allPages<T>(page: (next: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = []
  let next: string | undefined
  do {
    const { items, next: following } = await page(next)
    all.push(...items)
    next = following === '' ? undefined : following
  } while (next !== undefined)
  return all
}
