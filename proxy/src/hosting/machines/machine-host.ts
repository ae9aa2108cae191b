/** Hosts machines: of all tenants on one driver, which share its memory, each with its rows in its tenant's database. */
import { setTimeout as delay } from 'node:timers/promises'
import type { AuditLog } from '../../audit/index.ts'
import {
  AppError,
  type Clock,
  type MachineId,
  type Storage,
  systemClock,
  type TenantId,
  type Tx,
  type UnixMs,
} from '../../kernel/index.ts'
import { answered, CALL_TIMEOUT_MS, type Wait } from '../../sandbox/engine/index.ts'
import { isOpen, isOver, type LiveMachine, newLive, refOf, unavailable } from './live-machine.ts'
import type { Activity, Machine, MachineKey, MachineRef } from './machine.ts'
import { type Claim, type Claimed, isIdentified } from './machine-claim.ts'
import type { MachineDriver, MachinePersistence } from './machine-driver.ts'
import { createMachineLedger, type MachineLedger, type MachineQuota } from './machine-ledger.ts'
import { createMachines, type Machines } from './machines.ts'
import { createMemoryGate } from './memory-gate.ts'
import { createReconciler } from './reconciler.ts'
import { createRollBack } from './roll-back.ts'
import { forecastInQueue, forecastSleep } from './sleep-ladder.ts'
import { planSweep } from './sweep.ts'
import { holdsMemory, TRANSIENT } from './transitions.ts'
import { whoYields } from './who-yields.ts'

export interface MachineHostOptions {
  readonly driver: MachineDriver
  /** What machines may take together. */
  readonly memoryBytes: number
  readonly clock?: Clock
  readonly wait?: Wait
  readonly random?: () => number
  readonly persistence?: MachinePersistence | null
  readonly isReady?: (ref: MachineRef, signal: AbortSignal) => Promise<boolean>
  /** At each row that was committed. */
  readonly changed?: (key: MachineKey, row: Machine) => void
  /** Whether nothing is known of a tenant whose machines a driver has, so that they go; all that were not opened, when left out. */
  readonly isGone?: (tenant: TenantId) => boolean
  readonly concurrency?: number
  readonly stopGraceMs?: number
  /** Null: not before memory is short. */
  readonly asleepAfterMs?: number | null
  readonly tickMs?: number
  readonly log?: (message: string, error?: unknown) => void
}

export interface MachineHost extends AsyncDisposable {
  /** A tenant's machines. Where `isGone` is left out all tenants come before `start`: what belongs to none of them is removed. */
  open(tenant: HostedTenant): Promise<Machines>
  /** Its machines stay as they are; nothing more is done with them before it is opened again. */
  close(tenant: TenantId): Promise<void>
  /** Of a tenant that is closed, for good: all that the driver has of it. */
  purge(tenant: TenantId): Promise<void>
  start(): void
  /** Compares all rows with all that the driver has. Rejects when the driver does not answer. */
  sweep(): Promise<void>
  /** `unsure`: nothing is known of it, or not yet which instance it is. Rejects when the driver does not answer. */
  claim(ref: MachineRef, claim: Omit<Claim, 'isOurs'>): Promise<Claimed | 'unsure'>
  /** Whether who has this secret is this incarnation. Undefined: nothing is known of the machine, or not yet. */
  isIdentified(ref: MachineRef, secretSha256: string): boolean | undefined
}

interface HostedTenant {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly quota: () => Promise<MachineQuota>
  /** Those that an earlier daemon left, before anything is done with them. */
  readonly adopt?: (machines: readonly Machine[]) => Promise<void>
  /** Two have shown themselves as one incarnation; in the unit that ends it. */
  readonly identityTaken?: (machine: Machine, tx: Tx) => Promise<void>
}

/** Drift is seen within two of them where the driver tells nothing. */
const TICK_MS = 4_000
const STOP_GRACE_MS = 330_000
/** How far the row may be behind memory. */
const STORE_ACTIVITY_MS = 15_000
const DROP_DELETED_MS = 3_600_000

export function createMachineHost(options: MachineHostOptions): MachineHost {
  const {
    driver,
    memoryBytes,
    clock = systemClock,
    wait = (ms, { signal }) => delay(ms, undefined, { signal, ref: false }),
    asleepAfterMs = null,
    tickMs = TICK_MS,
    log = () => {},
  } = options
  const ladder = { asleepAfterMs, pauses: driver.capabilities.pauses }
  const lives = new Map<MachineId, LiveMachine>()
  const ledgers = new Map<TenantId, MachineLedger>()
  const closing = new AbortController()
  const gate = createMemoryGate(memoryBytes, (id) => {
    const live = lives.get(id)
    if (live !== undefined) reconciler.poke(live)
  })
  const reconciler = createReconciler({
    clock,
    wait,
    random: options.random,
    log,
    rested: answer,
    concurrency: options.concurrency ?? 4,
    tools: {
      driver,
      gate,
      persistence: options.persistence ?? null,
      isReady: options.isReady ?? (async () => true),
      stopGraceMs: options.stopGraceMs ?? STOP_GRACE_MS,
    },
  })
  let watching: Disposable | undefined
  let isStarted = false
  /** Of tenants that are closed: what is up of theirs has its memory still. */
  const left = new Map<TenantId, readonly MachineId[]>()
  let sweeping: Promise<void> | undefined
  let droppedAt = 0

  /** Memory follows the commit. */
  function changed(key: MachineKey, row: Machine): void {
    const known = lives.get(row.id)
    const live = known ?? newLive(key, ledgerOf(key.tenant), row)
    lives.set(row.id, live)
    const before = live.row
    live.row = row
    if (before.observed !== row.observed) {
      live.attempts = 0
      if (row.observed !== 'starting') live.notBefore = 0
      if (row.observed !== 'running') live.closing = false
      if (!holdsMemory(row.observed)) live.yielding = false
    }
    if (known === undefined || before.desired !== row.desired || before.retryAt !== row.retryAt) {
      live.notBefore = 0
      if (row.desired === 'deleted') reconciler.interrupt(live)
      else reconciler.poke(live)
    }
    if (isOver(live)) {
      gate.drop(row.id)
      live.planned?.abort()
      lives.delete(row.id)
    }
    answer(live)
    for (const watcher of live.watchers) watcher()
    options.changed?.(key, row)
  }

  /** Whoever waits is answered: with a call, or with why there will be none. */
  function answer(live: LiveMachine): void {
    const { row, waiters } = live
    const refusal =
      row.desired === 'deleted'
        ? new AppError('not_found', 'The machine is being deleted.')
        : row.observed === 'failed' && row.retryAt === null
          ? unavailable(row)
          : undefined
    if (refusal === undefined && !isOpen(live)) return
    for (const waiter of [...waiters]) {
      waiters.delete(waiter)
      if (refusal === undefined) waiter.granted(beginCall(live, waiter.why))
      else waiter.refused(refusal)
    }
  }

  function active(live: LiveMachine, why: Activity): void {
    live.activeAt = clock.now()
    live.activeWhy = why
    if (live.activeAt - live.storedActiveAt < STORE_ACTIVITY_MS) return
    live.storedActiveAt = live.activeAt
    live.ledger
      .note(live.row.id, { activeAt: live.activeAt, activeWhy: why })
      .catch((error: unknown) => log('a machine’s activity could not be stored', error))
  }

  function beginCall(live: LiveMachine, why: Activity): Disposable {
    live.calls += 1
    active(live, why)
    let isOver = false
    return {
      [Symbol.dispose]() {
        if (isOver) return
        isOver = true
        live.calls -= 1
        active(live, why)
        if (live.calls === 0 && live.row.desired !== 'awake') reconciler.poke(live)
      },
    }
  }

  const liveOf = ({ machine, tenant }: MachineKey): LiveMachine | undefined => {
    const live = lives.get(machine)
    return live?.key.tenant === tenant ? live : undefined
  }
  const livesOf = (tenant: TenantId): LiveMachine[] =>
    [...lives.values()].filter(({ key }) => key.tenant === tenant)
  const ledgerOf = (tenant: TenantId) => {
    const ledger = ledgers.get(tenant)
    if (ledger === undefined) throw new AppError('internal', 'A machine of a tenant that was not opened.')
    return ledger
  }

  /** In the background; what cannot be stored is tried at the next tick. */
  function lower(live: LiveMachine, to: 'paused' | 'asleep', why: string): void {
    if (live.wishing !== undefined || live.waiters.size > 0 || live.calls > 0) return
    live.lowering = true
    live.wishing = live.ledger
      .ask(live.row.id, to, { asker: 'ladder', actor: 'daemon', why })
      .catch((error: unknown) => {
        live.yielding = false
        log(`machine ${live.row.id} could not be put to sleep`, error)
      })
      .finally(() => {
        live.wishing = undefined
        live.lowering = false
        answer(live)
      })
  }

  function stepDown(now: UnixMs): void {
    for (const live of lives.values()) {
      const { at, to, because } = forecastSleep(live.row, live, now, ladder)
      if (to !== null && at !== null && now >= at) lower(live, to, because)
    }
  }

  function relieve(now: UnixMs): void {
    for (const live of whoYields(lives.values(), gate.lackingBytes, now)) {
      live.yielding = true
      lower(live, 'asleep', 'memory is short')
    }
  }

  /** Beyond the host's end it is nobody's. */
  const call = <T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> =>
    answered(CALL_TIMEOUT_MS, (signal) => act(AbortSignal.any([signal, closing.signal])), wait)

  async function sweepNow(): Promise<void> {
    const held = await call((signal) => driver.list(signal))
    const { orphans, leftovers, suspects } = planSweep(held, lives)
    for (const live of suspects) reconciler.poke(live)
    // In the turn of the plan: a tenant that is opened meanwhile has rows that the plan knew nothing of.
    const removed = orphans.filter(({ tenant }) => ledgers.has(tenant) || (options.isGone?.(tenant) ?? true))
    for (const key of removed) await call((signal) => driver.purge(key, signal))
    for (const ref of leftovers) await call((signal) => driver.remove(ref, signal))
  }

  const rollBack = createRollBack({
    ...{ driver, persistence: options.persistence ?? null, call, released: answer },
    closing: closing.signal,
    poke: (live) => reconciler.poke(live),
  })

  const sweep = (): Promise<void> => {
    sweeping ??= sweepNow().finally(() => {
      sweeping = undefined
    })
    return sweeping
  }
  const sweepSoon = (): void =>
    void sweep().catch((error: unknown) => {
      if (!closing.signal.aborted) log('machines could not be compared with their rows', error)
    })

  async function tick(): Promise<void> {
    for (;;) {
      await wait(tickMs, { signal: closing.signal })
      const now = clock.now()
      stepDown(now)
      relieve(now)
      sweepSoon()
      if (now - droppedAt < DROP_DELETED_MS) continue
      droppedAt = now
      for (const ledger of ledgers.values())
        await ledger.dropDeleted().catch((error: unknown) => log('old machines could not be dropped', error))
    }
  }

  return {
    async open({ storage, audit, quota, adopt, identityTaken }) {
      const { tenant } = storage
      const ledger: MachineLedger = createMachineLedger({
        storage,
        audit,
        clock,
        driver: driver.kind,
        quota,
        memoryBytes,
        identityTaken,
        // What of a tenant that was closed is committed late is looked at when it is opened again.
        changed: (row) => {
          if (ledgers.get(tenant) === ledger) changed({ tenant, machine: row.id }, row)
        },
      })
      const rows = (await ledger.live()).filter((row) => row.driver === driver.kind)
      await adopt?.(rows)
      // Both in one turn: what the driver has of a tenant that is there, and has no row, is removed.
      ledgers.set(tenant, ledger)
      for (const row of rows) lives.set(row.id, newLive({ tenant, machine: row.id }, ledger, row))
      // Of a failed or half deleted one only the driver knows; it is asked before memory is given away.
      for (const { id, observed, spec } of rows)
        if (holdsMemory(observed) || observed === 'failed' || observed === 'deleting')
          gate.force(id, spec.memoryBytes)
      left.delete(tenant)
      for (const { id, observed } of rows) {
        const limit = TRANSIENT[observed]
        // The time in which no daemon ran was nobody's to use.
        if (limit !== undefined) await ledger.note(id, { deadline: clock.now() + limit })
      }
      if (isStarted) for (const live of livesOf(tenant)) reconciler.poke(live)
      return createMachines({
        ledger,
        clock,
        find: (machine) => {
          const live = liveOf({ tenant, machine })
          if (live === undefined) throw new AppError('not_found', 'No such machine.')
          return live
        },
        beginCall,
        active,
        relieve: () => relieve(clock.now()),
        hasImage: async (image) => (await call(async (signal) => driver.hasImage?.(image, signal))) ?? true,
        persistence: options.persistence ?? null,
        rollBack,
        processes: (live) => call(async (signal) => await driver.processes?.(refOf(live), signal)),
        files: (live) => driver.files?.(refOf(live)),
        forecast: (live) =>
          forecastInQueue(gate.turnOf(live.row.id)) ?? forecastSleep(live.row, live, clock.now(), ladder),
        unavailable,
        closing: closing.signal,
      })
    },
    async close(tenant) {
      ledgers.delete(tenant)
      const own = livesOf(tenant)
      left.set(
        tenant,
        own.map(({ row }) => row.id),
      )
      for (const live of own) {
        lives.delete(live.row.id)
        for (const waiter of live.waiters)
          waiter.refused(new AppError('shutting_down', 'The daemon is stopping.'))
        live.waiters.clear()
      }
      await Promise.all(own.map((live) => reconciler.leave(live)))
    },
    async purge(tenant) {
      const machines = new Set<MachineId>(left.get(tenant))
      for (const held of await call((signal) => driver.list(signal)))
        if (held.tenant === tenant) machines.add(held.machine)
      for (const machine of machines) {
        await call((signal) => driver.purge({ tenant, machine }, signal))
        gate.drop(machine)
      }
      left.delete(tenant)
    },
    start() {
      isStarted = true
      watching = driver.watch((key) => {
        const live = key === null ? undefined : lives.get(key.machine)
        if (live === undefined) sweepSoon()
        else reconciler.poke(live)
      })
      for (const live of lives.values()) reconciler.poke(live)
      sweepSoon()
      void tick().catch(() => {})
    },
    sweep,
    async claim(ref, { instance, secretSha256 }) {
      const live = liveOf(ref)
      if (live === undefined) return 'unsure'
      if (live.row.generation !== ref.generation) return 'refused'
      const own = isIdentified(live.row, ref, secretSha256)
        ? [instance]
        : await call((signal) => driver.instancesOf?.(ref, signal) ?? Promise.resolve([instance]))
      // Lists are behind. That it is another's is said only where it is known whose it is.
      if (own.length === 0) return 'unsure'
      return await live.ledger.claim(ref, { instance, secretSha256, isOurs: own.includes(instance) })
    },
    isIdentified: (ref, secretSha256) => {
      const live = liveOf(ref)
      return live && isIdentified(live.row, ref, secretSha256)
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new AppError('shutting_down', 'The daemon is stopping.'))
      watching?.[Symbol.dispose]()
      await reconciler.close()
      for (const live of lives.values()) {
        live.planned?.abort()
        await live.wishing?.catch(() => {})
        for (const waiter of live.waiters) waiter.refused(closing.signal.reason)
      }
    },
  }
}
