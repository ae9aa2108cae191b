/** What a driver writes on all that it has of a machine, as an engine's labels or a cloud's tags, and how it is found and told apart by it. */
import { isMachineId, sha256Hex, type TenantId } from '../../kernel/index.ts'
import { LABEL_INSTANCE, ownLabels } from '../../sandbox/engine/index.ts'
import type { MachineKey, MachineRef } from './machine.ts'
import type { Held, Phase } from './machine-driver.ts'

export const LABEL_TENANT = 'oauth3.tenant'
export const LABEL_MACHINE = 'oauth3.machine'
const LABEL_GENERATION = 'oauth3.generation'
/** Of an image: what is made of it touches none of its files before it is configured. */
export const LABEL_WAITS = 'oauth3.waits'

/** Of names alone: two instances on one engine may have the same machine after a copy of the database. */
export const namePrefix = (instanceId: string): string =>
  `oauth3-machine-${sha256Hex(instanceId).slice(0, 12)}`
/** Names are unique where they are given, so that of two creations at once one fails. */
export const incarnationName = (
  instanceId: string,
  { machine, generation }: { readonly machine: string; readonly generation: number },
): string => `${namePrefix(instanceId)}-${machine}-${generation}`

export const keyLabels = (instanceId: string, { tenant, machine }: MachineKey): Record<string, string> => ({
  ...ownLabels(instanceId, 'machine'),
  [LABEL_TENANT]: tenant,
  [LABEL_MACHINE]: machine,
})
export const incarnationLabels = (instanceId: string, ref: MachineRef): Record<string, string> => ({
  ...keyLabels(instanceId, ref),
  [LABEL_GENERATION]: String(ref.generation),
})

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

/** Whether what has these labels is this incarnation. */
export const isOf = (labels: Labels, instanceId: string, ref: MachineRef): boolean => {
  const held = heldOf(labels, 'absent')
  return (
    labels?.[LABEL_INSTANCE] === instanceId &&
    held?.machine === ref.machine &&
    held.tenant === ref.tenant &&
    held.generation === ref.generation
  )
}
