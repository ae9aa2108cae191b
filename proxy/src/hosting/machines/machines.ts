import { type Actor, actorOf, type Principal } from '../../identity/index.ts'
import { AppError, type Clock, type MachineId } from '../../kernel/index.ts'
import { isOpen, type LiveMachine, type Waiter } from './live-machine.ts'
import type { Activity, DesiredState, Machine, MachineTime } from './machine.ts'
import type { KeptFiles, MachineFolders, MachinePersistence, MachineProcess } from './machine-driver.ts'
import type { MachineLedger, MachineOrder, Ordered } from './machine-ledger.ts'
import type { SleepForecast } from './sleep-ladder.ts'

/** A tenant's machines. Whoever looks wakes nobody. */
export interface Machines {
  create(order: MachineOrder, by: Principal): Promise<Ordered>
  /** Resolves when it is wanted so, not when it is so. Throws `not_found`, `conflict`. */
  ask(id: MachineId, to: DesiredState, by: Principal): Promise<void>
  /** Changes which hosts it may reach; in force when it resolves. Throws `not_found`. */
  reach(
    id: MachineId,
    change: (hosts: readonly string[]) => readonly string[],
    by: Principal,
  ): Promise<Machine>
  list(): Promise<readonly Machine[]>
  /** What is kept of its files, the newest first; empty where its driver keeps them. Throws `not_found`. */
  kept(id: MachineId): Promise<readonly KeptFiles[]>
  /**
   * Puts kept files in the place of what it has, which is kept first; it is put to sleep for it, and woken again if it was awake. What
   * was begun goes on without the caller. Throws `not_found`, `conflict` and `refused`, and then its files are what they were.
   */
  rollBack(id: MachineId, to: number, by: Principal): Promise<void>
  /** Since a day in UTC, until now. Throws `not_found`. */
  time(id: MachineId, sinceDay: string): Promise<MachineTime>
  /**
   * Wake on access: resolves when the machine runs, and keeps it awake until the call is disposed of. All who wait share one wake.
   * Rejects with the signal's reason, with `not_found`, and with `sandbox_unavailable` when it cannot be woken.
   */
  ensureAwake(id: MachineId, why: Activity, signal: AbortSignal): Promise<Disposable>
  /** Keeps it awake until disposed of, if it is; undefined otherwise. */
  hold(id: MachineId, why: Activity): Disposable | undefined
  /** Something was done with it that is over at once. */
  touch(id: MachineId, why: Activity): void
  forecast(id: MachineId): SleepForecast
  /** What runs in it, seen from outside; nothing of one that is not up. Throws `not_found`, and `refused` where its driver cannot see it. */
  processes(id: MachineId): Promise<readonly MachineProcess[]>
  /**
   * Of one that is held awake: what is written while it goes to sleep may be lost. Throws `not_found`, and `refused` where its driver
   * cannot reach them.
   */
  files(id: MachineId): MachineFolders
  /** Nothing is to run any more until it is asked for again; what is up is paused. Resolves when it is wanted so. */
  pauseAll(why: string): Promise<void>
}

/** So soon after it failed an access is told so instead of trying again. */
const FAILED_REST_MS = 10_000

export function createMachines(deps: {
  readonly ledger: MachineLedger
  readonly clock: Clock
  /** Throws `not_found`. */
  readonly find: (id: MachineId) => LiveMachine
  readonly beginCall: (live: LiveMachine, why: Activity) => Disposable
  readonly active: (live: LiveMachine, why: Activity) => void
  readonly relieve: () => void
  readonly hasImage: (image: string) => Promise<boolean>
  readonly persistence: MachinePersistence | null
  readonly rollBack: (live: LiveMachine, to: number, actor: Actor) => Promise<void>
  /** Undefined: its driver cannot see it. */
  readonly processes: (live: LiveMachine) => Promise<readonly MachineProcess[] | undefined>
  /** Undefined: its driver cannot reach them. */
  readonly files: (live: LiveMachine) => MachineFolders | undefined
  readonly forecast: (live: LiveMachine) => SleepForecast
  readonly unavailable: (machine: Machine) => Error
  readonly closing: AbortSignal
}): Machines {
  const { ledger, find, clock, closing } = deps

  /** All who come meanwhile share it. */
  async function wish(live: LiveMachine, why: Activity): Promise<void> {
    // The ladder may just be writing the opposite.
    while (live.wishing !== undefined) await live.wishing.catch(() => {})
    const { id, desired, observed, retryAt } = live.row
    if (desired === 'awake' && (observed !== 'failed' || retryAt !== null)) return
    live.wishing = ledger
      .ask(id, 'awake', { asker: 'access', actor: 'daemon', why, activity: why })
      .finally(() => {
        live.wishing = undefined
      })
    await live.wishing
  }

  async function ensureAwake(id: MachineId, why: Activity, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted()
    closing.throwIfAborted()
    const live = find(id)
    if (isOpen(live)) return deps.beginCall(live, why)
    const { observed, retryAt, changedAt } = live.row
    if (observed === 'failed' && retryAt === null && clock.now() < changedAt + FAILED_REST_MS)
      throw deps.unavailable(live.row)
    const { promise, resolve, reject } = Promise.withResolvers<Disposable>()
    const waiter: Waiter = { why, granted: resolve, refused: reject }
    live.waiters.add(waiter)
    const giveUp = (): void => {
      if (live.waiters.delete(waiter)) reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    wish(live, why).then(deps.relieve, (error: unknown) => {
      if (live.waiters.delete(waiter)) reject(error)
    })
    return promise.finally(() => signal.removeEventListener('abort', giveUp))
  }

  return {
    async create(order, by) {
      // What cannot be told now shows when it is created.
      const isThere = await deps.hasImage(order.image).catch(() => true)
      return isThere ? await ledger.order(order, actorOf(by)) : { denied: 'no_image' }
    },
    async ask(id, to, by) {
      const live = find(id)
      const actor: Actor = actorOf(by)
      await ledger.ask(id, to, {
        asker: 'owner',
        actor,
        why: 'asked',
        ...(to === 'awake' && { activity: 'asked' as const }),
      })
      if (to === 'awake') deps.active(live, 'asked')
    },
    reach: (id, change, by) => ledger.reach(find(id).row.id, change, actorOf(by)),
    list: () => ledger.live(),
    async kept(id) {
      const { key } = find(id)
      return (await deps.persistence?.kept(key)) ?? []
    },
    rollBack: (id, to, by) => deps.rollBack(find(id), to, actorOf(by)),
    time: (id, sinceDay) => ledger.time(id, sinceDay),
    ensureAwake,
    hold: (id, why) => {
      const live = find(id)
      return isOpen(live) ? deps.beginCall(live, why) : undefined
    },
    touch: (id, why) => deps.active(find(id), why),
    forecast: (id) => deps.forecast(find(id)),
    async processes(id) {
      const live = find(id)
      const found = await deps.processes(live)
      if (found === undefined)
        throw new AppError('refused', 'Processes of a machine are seen where it is a container, not on EC2.')
      return found
    },
    files(id) {
      const files = deps.files(find(id))
      if (files === undefined)
        throw new AppError('refused', 'Files of a machine are reached where it is a container, not on EC2.')
      return files
    },
    async pauseAll(why) {
      for (const { id, desired } of await ledger.live())
        if (desired === 'awake') await ledger.ask(id, 'paused', { asker: 'ladder', actor: 'daemon', why })
    },
  }
}
