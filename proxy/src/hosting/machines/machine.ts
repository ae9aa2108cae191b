import type { MachineId, TenantId, UnixMs } from '../../kernel/index.ts'

/** What a machine is, as its driver showed it last. Those of `TRANSIENT` are on their way, and have a deadline. */
export const MACHINE_STATES = [
  'creating',
  'starting',
  'running',
  'pausing',
  'paused',
  'stopping',
  'asleep',
  'waking',
  'failed',
  'deleting',
  'deleted',
] as const
export type MachineState = (typeof MACHINE_STATES)[number]

/** What is wanted of it. `paused` keeps its memory, `asleep` its files alone; either is good with what lies deeper. */
export type DesiredState = 'awake' | 'paused' | 'asleep' | 'deleted'

/** What keeps a machine awake. An open connection that is silent is none of them. */
export const ACTIVITIES = {
  created: 'it was made',
  asked: 'somebody woke it',
  message: 'a message came',
  model_call: 'it called a model',
  run: 'a run of it was under way',
  desktop: 'somebody used its desktop',
  browser: 'somebody used its browser',
  files: 'somebody looked at its files',
  schedule: 'a schedule was due',
} as const
export type Activity = keyof typeof ACTIVITIES

export interface MachineSpec {
  /** Nothing secret: an engine shows it to whoever may ask it. Empty: the image's own. */
  readonly command: readonly string[]
  readonly memoryBytes: number
  /** Thousandths of one core. */
  readonly cpuMillis: number
  readonly pids: number
  readonly tmpBytes: number
  /** How long without activity until it is paused; null: never. */
  readonly sleepAfterMs: number | null
  /** Hosts that it may reach through the gateway: canonical patterns, sorted. Left out: none. */
  readonly egress?: readonly string[]
  /** What whoever made it knows of it; nothing secret. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Which instance of a cloud has shown itself as an incarnation, and by what it is known since. */
export interface MachineIdentity {
  readonly generation: number
  /** The cloud's name of it, as it said itself. */
  readonly instance: string
  /** In hex, of a secret that it has made itself. */
  readonly secretSha256: string
  readonly claimedAt: UnixMs
}

/** Told in the unit that ends an incarnation which somebody else has shown itself as. */
export interface MachineEvent {
  readonly type: 'machine.identity_taken'
  readonly name: string
}

/** A row of `machines`. */
export interface Machine {
  readonly id: MachineId
  readonly name: string
  /** The kind of driver that has it. */
  readonly driver: string
  readonly image: string
  readonly spec: MachineSpec
  readonly desired: DesiredState
  readonly observed: MachineState
  /**
   * Fencing token: which incarnation is the machine's. Grows before anything is created anew and never shrinks, so that whatever a
   * driver has of another generation is a leftover, also when it comes late. 0: nothing was created yet.
   */
  readonly generation: number
  /** Until when it has to leave a transient state; null in any other. */
  readonly deadline: UnixMs | null
  /** Ends by itself, one soon after the other. */
  readonly failures: number
  /** Failed: from when on it is tried again; null until somebody wants it. */
  readonly retryAt: UnixMs | null
  readonly lastError: string | null
  /** Null where none has shown itself, or none has to. */
  readonly identity: MachineIdentity | null
  readonly activeAt: UnixMs
  readonly activeWhy: Activity
  /** When `observed` was entered. */
  readonly changedAt: UnixMs
  readonly createdAt: UnixMs
  readonly createdBy: string
}

/** In milliseconds. */
export interface MachineTime {
  /** In `running`. */
  readonly awakeMs: number
  /** In any state in which it takes memory of the host: paused as well. */
  readonly heldMs: number
}
/** A row of `machine_days`: of the spans that are over, what lay in one day in UTC. */
export interface MachineDay extends MachineTime {
  readonly day: string
}

interface MachineReader {
  byId(id: MachineId): Promise<Machine | undefined>
  /** All but the deleted ones, by name. */
  live(): Promise<readonly Machine[]>
  /** What was counted of one since a day. */
  daysSince(id: MachineId, day: string): Promise<readonly MachineDay[]>
}

export interface MachineStore extends MachineReader {
  insert(machine: Machine): Promise<void>
  /** Writes every field that can change. */
  update(machine: Machine): Promise<void>
  /** Adds to what is counted of these days. */
  addTime(id: MachineId, days: readonly MachineDay[]): Promise<void>
  /** Drops rows of what was deleted before, the oldest of them, so many at most. */
  dropDeletedBefore(at: UnixMs, limit: number): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly machines: StorePort<MachineReader, MachineStore>
  }
}

/** A machine to its driver, whatever incarnation. */
export interface MachineKey {
  readonly tenant: TenantId
  readonly machine: MachineId
}
/** One incarnation of it. */
export interface MachineRef extends MachineKey {
  readonly generation: number
}
