import { AsyncLocalStorage } from 'node:async_hooks'
import { type CompiledQuery, DefaultQueryExecutor, Kysely, type QueryResult } from 'kysely'
import { AppError, type ReadTx, type Stores, type TenantId, type Tx } from '../kernel/index.ts'
import type { Engine, Session } from './engine.ts'
import type { Queries, StoreFactories } from './queries.ts'
import { isReadOnly } from './storage-errors.ts'
import type { Tables } from './tables.ts'
import { toValue } from './values.ts'

const misused = (message: string): AppError => new AppError('internal', message)
const NO_CONNECTION = {
  provideConnection: () => Promise.reject(misused('A unit of work has no connection of its own to give.')),
}
const NO_DRIVER = new Proxy({} as never, {
  get() {
    throw misused('A unit of work has no transaction within it, and no connection to give.')
  },
})

/** A unit under way: its statements go through here, and none after its end or after one of them failed. */
export class Unit {
  readonly kind: 'read' | 'write'
  readonly onCommit: (() => void)[] = []
  readonly onUndo: (() => void)[] = []
  readonly effects: (() => void)[] = []
  readonly #engine: Engine
  readonly #session: Session
  #isOpen = true
  #failure: { readonly error: unknown } | undefined
  #queries: Queries | undefined
  /** Statements without an answer yet. */
  #pending = 0
  #settled: (() => void) | undefined

  constructor(kind: 'read' | 'write', engine: Engine, session: Session) {
    this.kind = kind
    this.#engine = engine
    this.#session = session
  }

  get isOpen(): boolean {
    return this.#isOpen
  }
  /** The first statement that failed: the unit is undone, whatever its callback made of the error. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }
  get queries(): Queries {
    this.#queries ??= {
      db: new Kysely<Tables>({
        config: NO_DRIVER,
        driver: NO_DRIVER,
        dialect: NO_DRIVER,
        executor: new UnitExecutor(this, this.#engine),
      }),
      dialect: this.#engine.dialect,
    }
    return this.#queries
  }

  assertOpen(): void {
    if (!this.#isOpen) throw misused('A unit of work was used after its end.')
  }

  run({ sql, parameters }: CompiledQuery): Promise<QueryResult<unknown>> {
    try {
      this.assertOpen()
    } catch (error) {
      return Promise.reject(error)
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    try {
      const result = this.#session.run(sql, parameters.map(toValue))
      return result instanceof Promise ? this.#answerOf(result) : Promise.resolve(result)
    } catch (error) {
      return Promise.reject(this.#fail(error))
    }
  }

  /** Ends it for its callback. Resolves when each statement that was begun has its answer. */
  close(): Promise<void> {
    this.#isOpen = false
    if (this.#pending === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#settled = resolve
    })
  }

  async #answerOf(result: Promise<QueryResult<unknown>>): Promise<QueryResult<unknown>> {
    this.#pending += 1
    try {
      return await result
    } catch (error) {
      throw this.#fail(error)
    } finally {
      this.#pending -= 1
      if (this.#pending === 0) this.#settled?.()
    }
  }

  #fail(thrown: unknown): unknown {
    const error =
      this.kind === 'write'
        ? this.#engine.asError(thrown, 'The database cannot be written; nothing was changed')
        : isReadOnly(thrown)
          ? misused('A unit of work that only reads was asked to write.')
          : this.#engine.asError(thrown, 'The database cannot be read')
    this.#failure ??= { error }
    return error
  }
}

class UnitExecutor extends DefaultQueryExecutor {
  readonly #unit: Unit

  constructor(unit: Unit, engine: Engine) {
    super(engine.compiler, engine.adapter, NO_CONNECTION)
    this.#unit = unit
  }
  override executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.#unit.run(query) as Promise<QueryResult<R>>
  }
  // biome-ignore lint/correctness/useYield: a stream that is not read to its end would hold the unit
  override async *stream(): AsyncGenerator<never> {
    throw misused('A unit of work has no streams.')
  }
}

/** Makes what callbacks are given: each store when it is first asked for. */
export function createTransactions(stores: StoreFactories): (unit: Unit, tenant: TenantId) => Tx & ReadTx {
  class Transaction {
    readonly #unit: Unit
    readonly #tenant: TenantId
    readonly #made: Partial<Stores> = {}
    #inContext: ReturnType<typeof AsyncLocalStorage.snapshot> | undefined

    constructor(unit: Unit, tenant: TenantId) {
      this.#unit = unit
      this.#tenant = tenant
    }
    get kind() {
      return this.#unit.kind
    }
    get tenant() {
      return this.#tenant
    }
    onCommit(work: () => void): void {
      this.#unit.assertOpen()
      this.#unit.onCommit.push(work)
    }
    onUndo(work: () => void): void {
      this.#unit.assertOpen()
      this.#unit.onUndo.push(work)
    }
    afterCommit(work: () => void): void {
      this.#unit.assertOpen()
      // Whoever brings the group to the disk may work for somebody else.
      const inContext = this.#inContext ?? AsyncLocalStorage.snapshot()
      this.#inContext = inContext
      this.#unit.effects.push(() => inContext(work))
    }
    store<K extends keyof Stores>(name: K): Stores[K] {
      this.#unit.assertOpen()
      const made = this.#made[name] ?? stores[name](this.#unit.queries, this.#tenant)
      this.#made[name] = made
      return made as Stores[K]
    }
  }
  for (const name of Object.keys(stores) as (keyof Stores)[]) {
    Object.defineProperty(Transaction.prototype, name, {
      get(this: Transaction) {
        return this.store(name)
      },
    })
  }
  return (unit, tenant) => new Transaction(unit, tenant) as unknown as Tx & ReadTx
}
