import type { DesiredState, MachineState } from './machine.ts'

/**
 * The state machine, as one table. What is wanted (`desired`) is changed by people, accesses and the sleep ladder; what is there
 * (`observed`) by the reconciler alone, each change for a cause.
 */

/** `asked`: what is wanted leads there. `done`: the driver did it. `drift`: the driver shows it. `fault`: no success in time. */
export type Cause = 'asked' | 'done' | 'drift' | 'fault'

const TRANSITIONS: Readonly<Record<MachineState, { readonly [to in MachineState]?: readonly Cause[] }>> = {
  creating: { starting: ['done'], asleep: ['done'], failed: ['fault'], deleting: ['asked'] },
  starting: {
    running: ['done'],
    stopping: ['asked'],
    creating: ['drift'],
    failed: ['fault'],
    deleting: ['asked'],
  },
  running: {
    pausing: ['asked'],
    stopping: ['asked'],
    // Paused, ended, or gone behind the daemon's back.
    waking: ['drift'],
    starting: ['drift'],
    creating: ['drift'],
    asleep: ['drift'],
    failed: ['fault'],
    deleting: ['asked'],
  },
  pausing: {
    paused: ['done'],
    running: ['asked'],
    waking: ['asked'],
    asleep: ['drift'],
    failed: ['fault'],
    deleting: ['asked'],
  },
  paused: {
    waking: ['asked'],
    stopping: ['asked'],
    running: ['drift'],
    asleep: ['drift'],
    deleting: ['asked'],
  },
  stopping: { asleep: ['done'], failed: ['fault'], deleting: ['asked'] },
  // Asked: its driver has its files still, which are to be kept.
  asleep: { waking: ['asked'], stopping: ['drift', 'asked'], deleting: ['asked'] },
  waking: {
    running: ['done'],
    stopping: ['asked'],
    creating: ['drift'],
    failed: ['fault'],
    deleting: ['asked'],
  },
  failed: { waking: ['asked'], asleep: ['done'], deleting: ['asked'] },
  deleting: { deleted: ['done'], failed: ['fault'] },
  deleted: {},
}

export const canBecome = (from: MachineState, to: MachineState, cause: Cause): boolean =>
  TRANSITIONS[from][to]?.includes(cause) ?? false

/** How long a state may last; states that are not named last. */
export const TRANSIENT: { readonly [state in MachineState]?: number } = {
  creating: 60_000,
  // OpenClaw takes 15 s, and more than a minute and a half where the processor is busy.
  starting: 240_000,
  pausing: 15_000,
  // An agent may take more than five minutes to end the turn that it is at.
  stopping: 360_000,
  waking: 240_000,
  deleting: 60_000,
}

/** Who may want what. Nothing is wanted of what is to be deleted but that. */
const MAY_ASK = {
  owner: ['awake', 'paused', 'asleep', 'deleted'],
  access: ['awake'],
  ladder: ['paused', 'asleep'],
} as const satisfies Record<string, readonly DesiredState[]>
export type Asker = keyof typeof MAY_ASK

export const mayAsk = (asker: Asker, from: DesiredState, to: DesiredState): boolean =>
  (from !== 'deleted' || to === 'deleted') && (MAY_ASK[asker] as readonly DesiredState[]).includes(to)

/** States in which a machine takes memory of the host. Of a failed or half deleted one only its driver knows. */
const IN_MEMORY: ReadonlySet<MachineState> = new Set([
  'starting',
  'running',
  'pausing',
  'paused',
  'stopping',
  'waking',
])
export const holdsMemory = (state: MachineState): boolean => IN_MEMORY.has(state)
