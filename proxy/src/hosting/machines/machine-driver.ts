import type { MachineKey, MachineRef, MachineSpec } from './machine.ts'

/** What a driver has of an incarnation. `created`: never started; `stopped`: it ended, or was ended. */
export type Phase = 'created' | 'running' | 'paused' | 'stopped' | 'absent'

/** What a driver has: an incarnation, or (`generation` null) what outlives them, such as its files. */
export interface Held extends MachineKey {
  readonly generation: number | null
  readonly phase: Phase
}

/** Where the daemon listens for a machine; the machine dials. Nothing that it could write stands in the daemon's way there. */
interface MachineAddress {
  readonly socketPath: string
}

export interface ToCreate {
  readonly image: string
  readonly spec: MachineSpec
}

/**
 * Long-lived sandboxes. Everything is found by its labels (instance, machine, generation), so each act may be repeated, also by a
 * process that knows nothing of the first time, and resolves to what is there afterwards: `absent` is an answer, never an error.
 * An act rejects when its outcome is not known, or not what was asked; it may then still come to be. One that is aborted lets go.
 */
export interface MachineDriver {
  readonly kind: string
  /** Makes what outlives incarnations too. One that is there is left as it is; one that is there by half is completed. */
  create(ref: MachineRef, what: ToCreate, signal: AbortSignal): Promise<Phase>
  /** Of what was created or stopped; what is paused stays so. */
  start(ref: MachineRef, signal: AbortSignal): Promise<Phase>
  /** Keeps its memory; its processes stand still. */
  pause(ref: MachineRef, signal: AbortSignal): Promise<Phase>
  unpause(ref: MachineRef, signal: AbortSignal): Promise<Phase>
  /**
   * Asks its first process to end until it does, more than once where that takes long, and ends it when the time is up; what is paused
   * hears of it too.
   */
  stop(ref: MachineRef, graceMs: number, signal: AbortSignal): Promise<Phase>
  /** Removes this incarnation, whatever it does; its files stay. */
  remove(ref: MachineRef, signal: AbortSignal): Promise<Phase>
  /** Removes every incarnation, and what outlives them last. */
  purge(key: MachineKey, signal: AbortSignal): Promise<void>
  observe(ref: MachineRef, signal: AbortSignal): Promise<Phase>
  /** Of one machine, or of all of this instance. */
  list(signal: AbortSignal, key?: MachineKey): Promise<readonly Held[]>
  address(ref: MachineRef): MachineAddress
  /** Tells that something may have changed; null: of whichever machine. It may miss things, and tell what is none. */
  watch(changed: (key: MachineKey | null) => void): Disposable
}

/** Files of a machine beyond its host, for those that sleep. Without one its files stay with its driver. */
export interface MachinePersistence {
  /**
   * Of one that ended. Resolves when all of it is kept. Idempotent. Rejects with `conflict` when a newer incarnation was saved, with
   * `too_large` when it is beyond its quota.
   */
  save(ref: MachineRef, signal: AbortSignal): Promise<void>
  /**
   * Into an incarnation that was created and never started, the first one too. Leaves files that are newer than what is kept.
   * `unusable`: what the driver has is half of something else; it is to be purged and created anew.
   */
  restore(ref: MachineRef, signal: AbortSignal): Promise<'ready' | 'unusable'>
  /** All that is kept of it, and its key. Idempotent. */
  forget(key: MachineKey, signal: AbortSignal): Promise<void>
}
