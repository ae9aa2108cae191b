import type { AuditLog } from '../audit/index.ts'
import type { Actor } from '../identity/index.ts'
import {
  AppError,
  type Clock,
  createMirror,
  type EventPublisher,
  type ReadTx,
  type Storage,
  type UnixMs,
} from '../kernel/index.ts'

/** Since when, and by whom, everything is stopped. */
interface LockdownState {
  readonly since: UnixMs
  readonly by: Actor
}

/** In the unit that stores it: whoever keeps something that could still be used ends it. */
export type LockdownEvent = {
  readonly type: 'lockdown.begun'
  readonly by: { readonly actor: Actor; readonly name: string | null }
}

/**
 * Lockdown, the emergency stop of one tenant (`oauth3 panic`): no secret is opened, no code begins, no request reaches a vendor, until a person ends it.
 * It holds in memory from the moment it is asked for, before the disk has taken it, and through restarts after that.
 */
export interface Lockdown {
  readonly state: LockdownState | null
  /** Throws `locked`. */
  assertOpen(): void
  load(tx: ReadTx): Promise<void>
  /** Called at once, before the unit: what runs is ended by whoever runs it. */
  onBegin(stop: () => void): void
  onEnd(goOn: () => void): void
  /** Again while it holds: ends whatever came since. Where the disk does not take it, it throws, and holds until the daemon ends. */
  begin(by: { readonly actor: Actor; readonly name: string | null }): Promise<LockdownState>
  /** Throws `conflict` where nothing is locked. */
  end(actor: Actor): Promise<void>
}

const KEY = 'lockdown'

export const LOCKED =
  'The owner has stopped everything: no code runs, no secret is used and no provider is reached until they end that. Asking again does not help.'

export function createLockdown(deps: {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  readonly events: EventPublisher<LockdownEvent>
}): Lockdown {
  const { storage, audit, clock, events } = deps
  const stored = createMirror(async (tx) => readState(await tx.meta.get(KEY)))
  /** What is asked for and not yet on disk. */
  let asked: LockdownState | null = null
  const stops: (() => void)[] = []
  const ends: (() => void)[] = []
  const state = (): LockdownState | null => asked ?? stored.value
  return {
    get state() {
      return state()
    },
    assertOpen() {
      if (state() !== null) throw new AppError('locked', LOCKED)
    },
    load: (tx) => stored.load(tx),
    onBegin: (stop) => void stops.push(stop),
    onEnd: (goOn) => void ends.push(goOn),
    async begin(by) {
      asked = state() ?? { since: clock.now(), by: by.actor }
      const now = asked
      for (const stop of stops) stop()
      await storage.transaction(async (tx) => {
        await tx.meta.set(KEY, JSON.stringify(now))
        await audit.append(tx, 'daemon.locked', by.actor, null, {})
        await events.publish(tx, { type: 'lockdown.begun', by })
        await stored.refresh(tx)
        tx.onCommit(() => {
          asked = null
        })
      })
      return now
    },
    async end(actor) {
      if (state() === null) throw new AppError('conflict', 'Nothing is locked.')
      await storage.transaction(async (tx) => {
        await tx.meta.set(KEY, '')
        await audit.append(tx, 'daemon.unlocked', actor, null, {})
        await stored.refresh(tx)
        tx.onCommit(() => {
          asked = null
          for (const goOn of ends) goOn()
        })
      })
    },
  }
}

/** A text that is none of ours locks: whoever wrote it did not mean that all is well. */
function readState(text: string | undefined): LockdownState | null {
  if (text === undefined || text === '') return null
  try {
    const { since, by } = JSON.parse(text) as Partial<LockdownState>
    if (Number.isSafeInteger(since) && typeof by === 'string') return { since: Number(since), by }
  } catch {
    // As below.
  }
  return { since: 0, by: 'daemon' }
}
