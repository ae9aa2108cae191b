import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import { AppError } from '../kernel/index.ts'
import type { Dialect } from './dialect/dialect.ts'
import type { Queries } from './queries.ts'
import type { Tables } from './tables.ts'

/** A statement whose text stands; only its values change from call to call. */
export interface Statement<V, R> {
  all(queries: Queries, values: V): Promise<R[]>
  first(queries: Queries, values: V): Promise<R | undefined>
}

/** Stands in a query for the value of this name. */
class Slot {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

interface Compiled {
  readonly query: CompiledQuery
  readonly slots: number
}

/**
 * A query of Kysely's that is put together once for each engine, at its first use, instead of at each call, which takes several
 * times as long as the statement itself: for what each run or each second asks. `build` gets a slot for each value: it
 * hands them to the query and cannot look at them, so a query whose text depends on a value is none for this. Each call
 * has the same values by name; throws `internal` where it has others, which the text would leave out.
 */
export function statement<V extends object, R>(
  build: (db: Kysely<Tables>, values: V, dialect: Dialect) => Compilable<R>,
): Statement<V, R> {
  const compiled: { [E in Dialect['engine']]?: Compiled } = {}

  const compile = ({ db, dialect }: Queries, values: V): Compiled => {
    const names = Object.keys(values)
    const slots = Object.fromEntries(names.map((name) => [name, new Slot(name)]))
    return { query: build(db, slots as V, dialect).compile(), slots: names.length }
  }

  const execute = (queries: Queries, values: V) => {
    const { engine } = queries.dialect
    compiled[engine] ??= compile(queries, values)
    const { query, slots } = compiled[engine]
    if (Object.keys(values).length !== slots) {
      throw new AppError('internal', 'A statement was given other values than those it was made for.')
    }
    const parameters = query.parameters.map((each) =>
      each instanceof Slot ? values[each.name as keyof V] : each,
    )
    return queries.db.getExecutor().executeQuery<R>({ ...query, parameters } as CompiledQuery<R>)
  }

  return {
    all: async (queries, values) => (await execute(queries, values)).rows,
    first: async (queries, values) => (await execute(queries, values)).rows[0],
  }
}
