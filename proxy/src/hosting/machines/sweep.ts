/** Both ways between rows and what the driver has: what no row knows is removed, a row that the driver contradicts is looked at. */
import type { MachineId } from '../../kernel/index.ts'
import { isOver, type LiveMachine } from './live-machine.ts'
import type { MachineKey, MachineRef } from './machine.ts'
import { type Held, isUp, type Phase } from './machine-driver.ts'

export interface SweepPlan {
  /** Nobody's: all of it goes. */
  readonly orphans: readonly MachineKey[]
  /** Of a machine that has another incarnation by now. */
  readonly leftovers: readonly MachineRef[]
  readonly suspects: readonly LiveMachine[]
}

const agrees = ({ row }: LiveMachine, phase: Phase): boolean => {
  switch (row.observed) {
    case 'running':
      return phase === 'running'
    case 'paused':
      return phase === 'paused'
    case 'asleep':
    case 'failed':
      return !isUp(phase)
    default:
      // On its way: looked at, unless it is being looked at.
      return false
  }
}

/**
 * `held` was listed before `machines` is read here: a row is committed before anything of it is created, so what is listed and has
 * no row was removed, and a generation that is not the row's is never again.
 */
export function planSweep(held: readonly Held[], machines: ReadonlyMap<MachineId, LiveMachine>): SweepPlan {
  const orphans = new Map<MachineId, MachineKey>()
  const leftovers: MachineRef[] = []
  const phases = new Map<MachineId, Phase>()
  for (const { tenant, machine, generation, phase } of held) {
    const live = machines.get(machine)
    if (live === undefined || live.key.tenant !== tenant || isOver(live))
      orphans.set(machine, { tenant, machine })
    else if (generation === live.row.generation) phases.set(machine, phase)
    else if (generation !== null) leftovers.push({ tenant, machine, generation })
  }
  const suspects = [...machines.values()].filter(
    (live) => !isOver(live) && live.job === undefined && !agrees(live, phases.get(live.row.id) ?? 'absent'),
  )
  return { orphans: [...orphans.values()], leftovers, suspects }
}
