import { AsyncLocalStorage } from 'node:async_hooks'
import { AppError, type Durability, type Storage, type TenantId } from '../kernel/index.ts'
import type { Engine, Session } from './engine.ts'
import { createOutageWatch, type OutageListener } from './outage.ts'
import type { StoreFactories } from './queries.ts'
import { isFull } from './storage-errors.ts'
import { createTimeLimit } from './time-limit.ts'
import { createTransactions, Unit } from './unit.ts'

/** The unit that the current work is part of; for work that it began and that outlives it, one that is closed. */
const inside = new AsyncLocalStorage<Unit>()

export interface UnitsOfWork {
  forTenant(tenant: TenantId): Storage
  whenFull(listener: () => void): void
  /** Refuses new ones, and resolves when those under way have ended. */
  close(): Promise<void>
}

/** The one implementation of `Storage`, over any engine. */
export function createUnitsOfWork({
  engine,
  stores,
  onDefect,
  onOutage,
  timeoutMs,
}: {
  readonly engine: Engine
  readonly stores: StoreFactories
  readonly onDefect: (error: unknown) => void
  readonly onOutage: OutageListener | undefined
  readonly timeoutMs: number
}): UnitsOfWork {
  const transactionOf = createTransactions(stores)
  const limit = createTimeLimit(timeoutMs)
  const outage = createOutageWatch(onOutage)
  let onFull = (): void => {}
  let underWay = 0
  let isClosed = false
  let allEnded: (() => void) | undefined

  /** A callback that never ends would hold up all that writes. Waits for the answers to all that the callback asked. */
  function bounded<T>(unit: Unit, work: () => Promise<T>): Promise<T> {
    const settled = async (): Promise<T> => {
      try {
        return await work()
      } finally {
        await unit.close()
      }
    }
    return new Promise((resolve, reject) => {
      const ended = limit.begin(() =>
        reject(new AppError('internal', `A unit of work did not end within ${timeoutMs / 1_000} s.`)),
      )
      inside.run(unit, settled).then(resolve, reject).finally(ended)
    })
  }

  async function worked<T>(unit: Unit, session: Session, work: () => Promise<T>): Promise<T> {
    try {
      const result = await bounded(unit, work)
      if (unit.failure !== undefined) throw unit.failure.error
      return result
    } catch (error) {
      void unit.close()
      try {
        await session.undo()
      } finally {
        callAll(unit.onUndo)
      }
      const first = unit.failure === undefined ? error : unit.failure.error
      if (unit.failure !== undefined) outage.failed(unit.kind, first)
      if (isFull(first)) onFull()
      throw first
    }
  }

  const callAll = (works: readonly (() => void)[]): void => {
    for (const work of works) {
      try {
        work()
      } catch (error) {
        // The unit has its end: what else follows from that goes on.
        onDefect(error)
      }
    }
  }

  async function enter<T>(unitOf: () => Promise<T>): Promise<T> {
    if (inside.getStore()?.isOpen) {
      throw new AppError('internal', 'A unit of work was begun inside another; pass `tx` on instead.')
    }
    if (isClosed) throw new AppError('storage_unavailable', 'The database is closed.')
    underWay += 1
    try {
      return await unitOf()
    } finally {
      underWay -= 1
      if (underWay === 0) allEnded?.()
    }
  }

  const begun = async (kind: 'read' | 'write', session: Promise<Session>): Promise<Session> => {
    try {
      return await session
    } catch (error) {
      outage.failed(kind, error)
      throw error
    }
  }

  const storageOf = (tenant: TenantId): Storage => ({
    tenant,
    transaction: (work, durability: Durability = 'immediate') =>
      enter(async () => {
        const session = await begun('write', engine.beginWrite(tenant, durability))
        const unit = new Unit('write', engine, session)
        const tx = transactionOf(unit, tenant)
        const result = await worked(unit, session, () => work(tx))
        try {
          // Nobody waits for an effect: its error would end the process.
          const effects = unit.effects.map((effect) => () => callAll([effect]))
          await session.commit(() => callAll(unit.onCommit), effects)
        } catch (error) {
          outage.failed('write', error)
          callAll(unit.onUndo)
          if (isFull(error)) onFull()
          throw error
        }
        outage.succeeded('write')
        return result
      }),
    read: (work) =>
      enter(async () => {
        const session = await begun('read', engine.beginRead(tenant))
        const unit = new Unit('read', engine, session)
        const tx = transactionOf(unit, tenant)
        const result = await worked(unit, session, () => work(tx))
        await session.undo()
        outage.succeeded('read')
        return result
      }),
    flushed: () => engine.flushed(),
  })

  return {
    forTenant: storageOf,
    whenFull(listener) {
      onFull = listener
    },
    close() {
      isClosed = true
      if (underWay === 0) return Promise.resolve()
      return new Promise((resolve) => {
        allEnded = resolve
      })
    },
  }
}
