import type { Tx, UnixMs } from '../../kernel/index.ts'
import type { FilePath } from './file-path.ts'
import type { MachineKey, MachineRef, MachineSpec } from './machine.ts'

/**
 * What a driver has of an incarnation. `created`: never started; `stopped`: it ended, or was ended. `changing`: it rises or ends, which
 * takes its time; `start` and `stop` wait for it, and go on from there.
 */
export type Phase = 'created' | 'changing' | 'running' | 'paused' | 'stopped' | 'absent'

/** Whether it has processes, or is about to. */
export const isUp = (phase: Phase): boolean =>
  phase === 'running' || phase === 'paused' || phase === 'changing'

/** What a kind of driver can do beyond what all can. */
interface Capabilities {
  /** Memory is kept by `pause`. Without it a machine goes to sleep at once, and `pause` changes nothing. */
  readonly pauses: boolean
  /** `watch` tells. Without it what happens behind the daemon's back is seen by the sweep. */
  readonly tells: boolean
}

/** `throttled`, `unreachable`: passes by itself. `quota`, `capacity`, `denied`: somebody has to do something outside. */
export type DriverFaultKind = 'throttled' | 'unreachable' | 'quota' | 'capacity' | 'denied' | 'refused'

/** An act that a cloud did not do, or of which nobody knows. Its message is for the machine's owner. */
export class DriverFault extends Error {
  readonly kind: DriverFaultKind
  constructor(kind: DriverFaultKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'DriverFault'
    this.kind = kind
  }
}

/** What a driver has: an incarnation, or (`generation` null) what outlives them, such as its files. */
export interface Held extends MachineKey {
  readonly generation: number | null
  readonly phase: Phase
}

/** Of every driver, in the machine's folder. */
export const CONTROL_SOCKET = 'machine.sock'

/** Where the daemon listens for a machine; the machine dials. Nothing that it could write stands in the daemon's way there. */
interface MachineAddress {
  readonly socketPath: string
}

/** A process of a machine, looked at from outside; what it calls itself is the machine's to say. */
export interface MachineProcess {
  readonly pid: number
  readonly parent: number
  /** As it calls itself, with its arguments, cut somewhere: whatever was put there, secrets too. */
  readonly args: string
  readonly state: 'running' | 'waiting' | 'stopped' | 'ended'
  readonly seconds: number
  /** That it has in memory. */
  readonly memoryBytes: number
}

/** `link`, `other`: a symlink; a device, a socket or a pipe. Neither is followed or read. */
export type FileKind = 'file' | 'folder' | 'link' | 'other'

/** What is in a folder of a machine: its name is the machine's to say, and need be no text. */
export interface FolderEntry {
  readonly name: Uint8Array
  readonly kind: FileKind
  /** Of a file's content; null: not known. */
  readonly bytes: number | null
  readonly modifiedAt: UnixMs
}

/**
 * Files of one incarnation below its home, reached from outside: nothing is run in it, and no link is followed. All throw `refused`
 * where a link or anything but a folder stands on the way, and `conflict` where something changed meanwhile.
 */
export interface MachineFolders {
  /** What is there; undefined: nothing. */
  find(path: FilePath, signal: AbortSignal): Promise<Pick<FolderEntry, 'kind' | 'bytes'> | undefined>
  /** Its direct children, up to a limit. Throws `not_found`, and `refused` for what is no folder. */
  list(
    path: FilePath,
    signal: AbortSignal,
  ): Promise<{ readonly entries: readonly FolderEntry[]; readonly isCut: boolean }>
  /** All of a file. Throws `not_found`, `refused` for what is none, and `conflict` for one of more bytes. */
  read(path: FilePath, maxBytes: number, signal: AbortSignal): Promise<Uint8Array>
  /** The machine's own file, in folders that are made where they lack. Throws `conflict` where a file is there that is not to be replaced. */
  write(
    path: FilePath,
    content: Uint8Array,
    how: { readonly replace: boolean; readonly now: UnixMs },
    signal: AbortSignal,
  ): Promise<void>
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
  readonly capabilities: Capabilities
  /** Makes what outlives incarnations too. One that is there is left as it is; one that is there by half is completed. */
  create(ref: MachineRef, what: ToCreate, signal: AbortSignal): Promise<Phase>
  /** Of what was created or stopped, or of what rises already; what is paused stays so. */
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
  /** Whether a machine can be made of it here. Left out: that shows when one is created. */
  hasImage?(image: string, signal: AbortSignal): Promise<boolean>
  /** Of one machine, or of all of this instance. */
  list(signal: AbortSignal, key?: MachineKey): Promise<readonly Held[]>
  /** What runs in it, without running anything there; nothing of what is not up. Left out: the driver cannot see that. */
  processes?(ref: MachineRef, signal: AbortSignal): Promise<readonly MachineProcess[]>
  /** Whatever its phase, but absent. Left out: the driver cannot reach them. */
  files?(ref: MachineRef): MachineFolders
  /** Whether it touches none of its files before it is configured, as its image says. Left out: it may. */
  waits?(ref: MachineRef, signal: AbortSignal): Promise<boolean>
  /** By the cloud's own names: what runs as this incarnation. Left out where a machine's sockets say who it is. */
  instancesOf?(ref: MachineRef, signal: AbortSignal): Promise<readonly string[]>
  address(ref: MachineRef): MachineAddress
  /** Tells that something may have changed; null: of whichever machine. It may miss things, and tell what is none. */
  watch(changed: (key: MachineKey | null) => void): Disposable
}

/** What is kept of a machine's files, of one time that it went to sleep. Times are unix milliseconds. */
export interface KeptFiles {
  readonly number: number
  /** It is what the next wake restores. */
  readonly isCurrent: boolean
  readonly createdAt: UnixMs
  readonly files: number
  /** Contents of files together. */
  readonly bytes: number
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
   * `unusable`: what the driver has is half of something else; it is to be purged and created anew. `begun` is awaited once there is a half
   * that says so itself, before the rest is brought; not where there is nothing to bring. From then on it may have been started.
   */
  restore(ref: MachineRef, signal: AbortSignal, begun?: () => Promise<void>): Promise<'ready' | 'unusable'>
  /** Whether what the driver has says that it is a half: no such one is started for good. */
  isHalf(ref: MachineRef, signal: AbortSignal): Promise<boolean>
  /** All that is kept of it, and its key. Idempotent. */
  forget(key: MachineKey, signal: AbortSignal): Promise<void>
  /** Newest first. */
  kept(key: MachineKey): Promise<readonly KeptFiles[]>
  /**
   * Until disposed of, no later save drops it. Throws `not_found`, and `conflict` where the store has not all of it any more.
   */
  pin(key: MachineKey, number: number, signal: AbortSignal): Promise<Disposable>
  /** What is restored from now on, of one that its driver has nothing of; `also` in the same unit of work. Throws `not_found`. */
  rollBack(key: MachineKey, number: number, also: (tx: Tx) => Promise<void>): Promise<void>
}
