/** The contract suite of a store: the same on both engines, each test with two tenants that nobody had before. */
import SqliteDatabase, { type Database } from 'better-sqlite3'
import { type CompiledQuery, Kysely, type QueryExecutor } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { Storage, Stores, TenantId, Tx } from '../../src/kernel/index.ts'
import type { OpenStorage, Queries, StoreFactories } from '../../src/storage/index.ts'
import { describeEngines, type TestDatabase } from './engines.ts'

export interface StoreKit {
  readonly engine: 'sqlite' | 'postgres'
  readonly mine: Storage
  readonly me: string
  /** Another tenant of the same database. */
  readonly theirs: Storage
  readonly them: string
  /** What `mine` is on another node of the same installation. PostgreSQL alone: a file has one daemon. */
  onAnotherNode(): Promise<Storage>
  /** Past the stores and past what keeps tenants apart; resolves to the rows, integers as numbers. */
  sql(text: string): Promise<Record<string, unknown>[]>
  /** A query of numbers `n` from 1, for `INSERT … SELECT`. */
  numbers(count: number): string
  /** A literal of bytes. */
  bytes(hex: string): string
  /** How many statements the stores ask during `work`. */
  countStatements(work: () => Promise<unknown>): Promise<number>
  /**
   * That no statement of it reads a table, or all that the tenant has in one, from end to end; a page in the order of an index
   * does not. `walked`: indexes that hold few rows. `used`: indexes that the plans name. Fill tables of both tenants and ANALYZE
   * first. Resolves to the plans.
   */
  expectIndexed(
    what: string,
    work: (tx: Tx) => Promise<unknown>,
    walked?: readonly string[],
    used?: readonly string[],
  ): Promise<string>
}

let tenants = 0

export function storeContract(
  name: string,
  stores: Partial<StoreFactories>,
  suite: (kit: StoreKit) => void,
): void {
  describeEngines(name, ({ engine, fresh }) => {
    const asked: CompiledQuery[] = []
    let database: TestDatabase
    let owner: Asking
    const kit = { engine, ...WORDS[engine] } as { -readonly [K in keyof StoreKit]: StoreKit[K] }
    beforeAll(async () => {
      database = await fresh({ stores: recording(stores, asked) })
      owner = engine === 'sqlite' ? askSqlite(database.where) : await askPostgres(database.adminUrl)
    })
    afterAll(async () => {
      await owner?.end()
      await database?.[Symbol.asyncDispose]()
    })
    beforeEach(() => {
      tenants += 1
      kit.me = `mine${tenants}`
      kit.them = `theirs${tenants}`
      kit.mine = database.forTenant(kit.me)
      kit.theirs = database.forTenant(kit.them)
    })
    afterEach(() => void asked.splice(0))

    let node: Promise<OpenStorage> | undefined
    kit.onAnotherNode = async () => {
      node ??= database.again()
      return (await node).forTenant(kit.me as TenantId)
    }
    kit.sql = (text) => owner.ask(text)
    kit.countStatements = async (work) => {
      asked.length = 0
      await work()
      return asked.splice(0).length
    }
    kit.expectIndexed = async (what, work, walked = [], used = []) => {
      asked.length = 0
      await kit.mine.transaction(work)
      expect(asked.length, what).toBeGreaterThan(0)
      const plans: string[] = []
      for (const query of asked.splice(0)) {
        const plan = await planOf[engine](database.where, kit.me, query)
        expect({ what, plan, walks: walksIn[engine](plan, query.sql, walked) }).toEqual({
          what,
          plan,
          walks: [],
        })
        plans.push(plan)
      }
      for (const index of used) expect(plans.join('\n')).toContain(index)
      return plans.join('\n')
    }
    suite(kit)
  })
}

const WORDS = {
  sqlite: {
    numbers: (count: number) =>
      `WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${count}) SELECT n FROM counted`,
    bytes: (hex: string) => `x'${hex}'`,
  },
  postgres: {
    numbers: (count: number) => `SELECT n FROM generate_series(1, ${count}) AS n`,
    bytes: (hex: string) => `'\\x${hex}'::bytea`,
  },
}

/** Each store notes the statements that it asks. */
function recording(stores: Partial<StoreFactories>, asked: CompiledQuery[]): Partial<StoreFactories> {
  const noting = (executor: QueryExecutor): QueryExecutor =>
    new Proxy(executor, {
      get(target, name) {
        const member = Reflect.get(target, name, target)
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          if (name === 'executeQuery') asked.push(args[0] as CompiledQuery)
          return Reflect.apply(member, target, args)
        }
      },
    })
  const through = ({ db, dialect }: Queries): Queries => {
    const executor = noting(db.getExecutor())
    return { db: new Kysely({ config: {}, driver: {}, dialect: {}, executor } as never), dialect }
  }
  type Factory = (queries: Queries, tenant: TenantId) => Stores[keyof Stores]
  return Object.fromEntries(
    Object.entries(stores).map(([store, create]) => [
      store,
      (queries: Queries, tenant: TenantId) => (create as Factory)(through(queries), tenant),
    ]),
  )
}

interface Asking {
  ask(sql: string): Promise<Record<string, unknown>[]>
  end(): Promise<void>
}

function askSqlite(path: string): Asking {
  const db: Database = new SqliteDatabase(path)
  db.pragma('busy_timeout = 5000')
  return {
    async ask(sql) {
      const statement = db.prepare<[], Record<string, unknown>>(sql)
      if (statement.reader) return statement.all()
      statement.run()
      return []
    },
    end: async () => void db.close(),
  }
}

async function askPostgres(url: string): Promise<Asking> {
  const client = new pg.Client({ connectionString: url })
  client.setTypeParser(20, Number)
  await client.connect()
  return { ask: async (sql) => (await client.query(sql)).rows, end: () => client.end() }
}

/** Steps of a plan that read a table, or the tenant's part of it, from end to end. */
const walksIn = {
  sqlite(plan: string, sql: string, walked: readonly string[]): string[] {
    // Of what is deleted the rows to delete may be a page, and their table is walked all the same.
    const isPage = /^\s*select\b.* limit \?/is.test(sql) && !plan.includes('USE TEMP B-TREE FOR ORDER BY')
    return plan
      .split('\n')
      .filter((step) => !walked.some((index) => step.includes(index)))
      .filter(
        (step) =>
          /^SCAN (?!CONSTANT ROW)|\(ANY\(/.test(step) ||
          (!isPage && /^SEARCH .*\(tenant_id=\?\)$/.test(step)),
      )
  },
  postgres(plan: string, _sql: string, walked: readonly string[]): string[] {
    const isPage = /^Limit/.test(plan) && !/^ +-> +(Incremental )?Sort/m.test(plan)
    const steps = plan.split(/^ *-> +/m)
    return steps
      .filter((step) => !walked.some((index) => step.includes(index)))
      .filter(
        (step) =>
          /^Seq Scan/.test(step) ||
          (!isPage && /Index Cond: \(\(?(\w+\.)?tenant_id = [^()]*\)?\)$/m.test(step)),
      )
  },
}

const planOf = {
  async sqlite(path: string, _tenant: string, { sql, parameters }: CompiledQuery): Promise<string> {
    const db = new SqliteDatabase(path, { readonly: true })
    try {
      return db
        .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...parameters)
        .map(({ detail }) => detail)
        .join('\n')
    } finally {
      db.close()
    }
  },
  /** As the daemon's role: row-level security keeps some conditions out of an index. */
  async postgres(url: string, tenant: string, { sql, parameters }: CompiledQuery): Promise<string> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query('BEGIN')
      await client.query("SELECT set_config('app.tenant', $1, true)", [tenant])
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, [...parameters])
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    } finally {
      await client.end()
    }
  },
}
