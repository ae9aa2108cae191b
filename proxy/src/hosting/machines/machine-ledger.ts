import type { AuditLog } from '../../audit/index.ts'
import type { Actor } from '../../identity/index.ts'
import {
  AppError,
  type Clock,
  type MachineId,
  newMachineId,
  type ReadTx,
  type Storage,
  type Tx,
} from '../../kernel/index.ts'
import type {
  Activity,
  DesiredState,
  Machine,
  MachineRef,
  MachineSpec,
  MachineState,
  MachineTime,
} from './machine.ts'
import { type Claim, type Claimed, disowned, outcomeOf } from './machine-claim.ts'
import { timeByDay, timeSince } from './machine-time.ts'
import { type Asker, type Cause, canBecome, mayAsk, TRANSIENT } from './transitions.ts'

export interface MachineOrder {
  /** Unique among the tenant's. */
  readonly name: string
  readonly image: string
  readonly spec: MachineSpec
  /**
   * What comes to be with it, in its unit and only where the order is taken; resolves to settings beside its own. What it throws is
   * thrown, and nothing was made.
   */
  readonly along?: ((tx: Tx) => Promise<Readonly<Record<string, string>>>) | undefined
}

export type Ordered =
  | { readonly machine: Machine }
  | { readonly denied: 'quota' | 'memory_quota' | 'name_taken' | 'larger_than_host' | 'no_image' }

/** What a tenant may have, of all that is not deleted, in whatever state it is. */
export interface MachineQuota {
  readonly machines: number
  readonly memoryBytes: number
}

/** What a change may write beside the state itself. */
export type Change = Partial<
  Pick<Machine, 'generation' | 'failures' | 'retryAt' | 'lastError' | 'deadline' | 'activeAt' | 'activeWhy'>
>

/** The one way rows of machines come to be and change: row and audit in one unit, and memory that mirrors rows behind it. */
export interface MachineLedger {
  order(order: MachineOrder, actor: Actor): Promise<Ordered>
  /** Undefined: nothing changed, since it is wanted so already. Throws `not_found`, and `conflict` for what may not be asked. */
  ask(
    id: MachineId,
    to: DesiredState,
    by: { readonly asker: Asker; readonly actor: Actor; readonly why: string; readonly activity?: Activity },
  ): Promise<Machine | undefined>
  /** Throws `internal` for what is no transition. */
  move(id: MachineId, to: MachineState, cause: Cause, change?: Change): Promise<void>
  /** Which hosts it may reach by now, of those that it could. Throws `not_found`. */
  reach(
    id: MachineId,
    change: (hosts: readonly string[]) => readonly string[],
    actor: Actor,
  ): Promise<Machine>
  /** An instance shows itself as an incarnation; where that is somebody else's already, the incarnation is over. */
  claim(ref: MachineRef, claim: Claim): Promise<Claimed>
  /**
   * In the unit that chooses files of before for one that sleeps. Throws `conflict` where it does not any more, or is another incarnation.
   */
  rolledBack(
    tx: Tx,
    machine: Pick<Machine, 'id' | 'generation'>,
    files: { readonly from: number | null; readonly to: number },
    actor: Actor,
  ): Promise<void>
  /** Without another state, and without a row in the audit. */
  note(id: MachineId, change: Change): Promise<void>
  live(): Promise<readonly Machine[]>
  /** Its time since a day in UTC, until now, by its rows alone: what no daemon saw is of the state before it. Throws `not_found`. */
  time(id: MachineId, sinceDay: string): Promise<MachineTime>
  dropDeleted(): Promise<void>
}

const KEEP_DELETED_MS = 7 * 86_400_000
const DROPPED_AT_ONCE = 100

export function createMachineLedger(deps: {
  readonly storage: Storage
  readonly audit: Pick<AuditLog, 'append'>
  readonly clock: Clock
  /** The kind that new machines get. */
  readonly driver: string
  readonly quota: () => Promise<MachineQuota>
  readonly memoryBytes: number
  readonly changed: (machine: Machine) => void
  /** Two have shown themselves as one incarnation; in the unit that ends it. */
  readonly identityTaken?: ((machine: Machine, tx: Tx) => Promise<void>) | undefined
}): MachineLedger {
  const { storage, audit, clock } = deps

  const read = async (tx: ReadTx, id: MachineId): Promise<Machine> => {
    const row = await tx.machines.byId(id)
    if (row === undefined) throw new AppError('not_found', 'No such machine.')
    return row
  }
  const write = async (tx: Tx, row: Machine): Promise<Machine> => {
    await tx.machines.update(row)
    tx.onCommit(() => deps.changed(row))
    return row
  }

  return {
    async order({ name, image, spec: ordered, along }, actor) {
      const { memoryBytes } = ordered
      if (memoryBytes > deps.memoryBytes) return { denied: 'larger_than_host' }
      const quota = await deps.quota()
      return await storage.transaction(async (tx): Promise<Ordered> => {
        const live = await tx.machines.live()
        if (live.length >= quota.machines) return { denied: 'quota' }
        const together = live.reduce((sum, other) => sum + other.spec.memoryBytes, memoryBytes)
        if (together > quota.memoryBytes) return { denied: 'memory_quota' }
        if (live.some((other) => other.name === name)) return { denied: 'name_taken' }
        const settings = { ...ordered.settings, ...(await along?.(tx)) }
        const spec = { ...ordered, ...(Object.keys(settings).length > 0 && { settings }) }
        const now = clock.now()
        const machine: Machine = {
          id: newMachineId(),
          name,
          driver: deps.driver,
          image,
          spec,
          desired: 'awake',
          observed: 'creating',
          generation: 0,
          deadline: now + (TRANSIENT.creating ?? 0),
          failures: 0,
          retryAt: null,
          lastError: null,
          identity: null,
          activeAt: now,
          activeWhy: 'created',
          changedAt: now,
          createdAt: now,
          createdBy: actor,
        }
        await tx.machines.insert(machine)
        await audit.append(tx, 'machine.created', actor, null, { machine: machine.id, name, image, ...spec })
        tx.onCommit(() => deps.changed(machine))
        return { machine }
      })
    },

    ask: (id, to, { asker, actor, why, activity }) =>
      storage.transaction(async (tx) => {
        const row = await read(tx, id)
        const isRetry = row.observed === 'failed' && to === 'awake' && row.retryAt === null
        if (row.desired === to && !isRetry) return undefined
        if (!mayAsk(asker, row.desired, to))
          throw new AppError(
            'conflict',
            `The machine is to be ${row.desired}; it cannot be asked to be ${to}.`,
          )
        const now = clock.now()
        await audit.append(tx, 'machine.desired', actor, null, { machine: id, from: row.desired, to, why })
        return write(tx, {
          ...row,
          desired: to,
          ...(row.observed === 'failed' && { retryAt: now, failures: 0 }),
          ...(activity !== undefined && { activeAt: now, activeWhy: activity }),
        })
      }),

    // A power cut may lose it: generations in the driver's labels tell then what is a leftover.
    move: (id, to, cause, change = {}) =>
      storage.transaction(async (tx) => {
        const row = await read(tx, id)
        const from = row.observed
        if (!canBecome(from, to, cause))
          throw new AppError('internal', `A machine that is ${from} cannot become ${to} (${cause}).`)
        const now = clock.now()
        const limit = TRANSIENT[to]
        await audit.append(tx, 'machine.changed', 'daemon', null, {
          machine: id,
          from,
          to,
          cause,
          ...(change.lastError != null && { error: change.lastError }),
        })
        await tx.machines.addTime(id, timeByDay(from, row.changedAt, now))
        await write(tx, {
          ...row,
          deadline: limit === undefined ? null : now + limit,
          retryAt: null,
          ...change,
          observed: to,
          changedAt: now,
        })
      }, 'grouped'),

    reach: (id, change, actor) =>
      storage.transaction(async (tx) => {
        const row = await read(tx, id)
        const egress = change(row.spec.egress ?? [])
        await audit.append(tx, 'machine.egress', actor, null, { machine: id, hosts: [...egress] })
        return write(tx, { ...row, spec: { ...row.spec, egress } })
      }),

    claim: (ref, { instance, secretSha256, isOurs }) =>
      storage.transaction(async (tx) => {
        const row = await tx.machines.byId(ref.machine)
        const outcome = outcomeOf(row, ref, { instance, secretSha256, isOurs })
        if (row === undefined || outcome === 'refused' || outcome === 'again') return outcome
        const facts = { machine: row.id, generation: ref.generation, instance }
        if (outcome === 'taken') {
          await audit.append(tx, 'machine.identity_taken', 'daemon', null, facts)
          await deps.identityTaken?.(row, tx)
          await write(tx, disowned(row))
        } else {
          await audit.append(tx, 'machine.identified', 'daemon', null, facts)
          const { generation } = ref
          await write(tx, {
            ...row,
            identity: { generation, instance, secretSha256, claimedAt: clock.now() },
          })
        }
        return outcome
      }),
    async rolledBack(tx, { id, generation }, { from, to }, actor) {
      const row = await read(tx, id)
      if (row.observed !== 'asleep' || row.generation !== generation)
        throw new AppError('conflict', 'It was woken meanwhile; its files are as they were.')
      await audit.append(tx, 'machine.rolled_back', actor, null, { machine: id, from, to })
    },

    note: (id, change) =>
      storage.transaction(async (tx) => {
        await write(tx, { ...(await read(tx, id)), ...change })
      }, 'grouped'),

    live: () => storage.read((tx) => tx.machines.live()),
    time: (id, sinceDay) =>
      storage.read(async (tx) =>
        timeSince(await read(tx, id), await tx.machines.daysSince(id, sinceDay), sinceDay, clock.now()),
      ),
    dropDeleted: () =>
      storage.transaction(
        (tx) => tx.machines.dropDeletedBefore(clock.now() - KEEP_DELETED_MS, DROPPED_AT_ONCE),
        'grouped',
      ),
  }
}
