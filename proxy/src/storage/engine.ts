import type { DialectAdapter, QueryCompiler, QueryResult } from 'kysely'
import type { Durability, TenantId } from '../kernel/index.ts'
import type { Dialect } from './dialect/dialect.ts'
import type { Value } from './values.ts'

/** An open transaction. */
export interface Session {
  /** One statement. Those of one session go one after the other, in the order of the calls. */
  run(sql: string, parameters: readonly Value[]): QueryResult<unknown> | Promise<QueryResult<unknown>>
  /**
   * Resolves when the unit is committed; rejects when it is undone. `committed` is called in the order of commits, before that;
   * each of `effects` when the disk has it, and all before it.
   */
  commit(committed: () => void, effects: readonly (() => void)[]): Promise<void>
  /** Ends it without a trace, also one that the engine has ended itself. Never rejects. */
  undo(): Promise<void>
}

/** What a unit of work asks of a database. */
export interface Engine {
  readonly dialect: Dialect
  readonly compiler: QueryCompiler
  readonly adapter: DialectAdapter
  /** A transaction that writes, alone among those of its tenant. */
  beginWrite(tenant: TenantId, durability: Durability): Promise<Session>
  /** A transaction that sees one state of the database. */
  beginRead(tenant: TenantId): Promise<Session>
  flushed(): Promise<void>
  /** Pages of the write-ahead log that a checkpoint would copy; 0 where nothing was written since the last call, and where there is none. */
  pagesInLog(): number
  /** Room for so many bytes in a write-ahead log, beforehand: commits are sooner on the disk. Where there is such a log. */
  makeLogRoom?(bytes: number): Promise<void>
  /** What a caller is told of what the engine threw, with no address, path or value of a row in it. */
  asError(error: unknown, message: string): unknown
  /** After the last unit has ended. */
  close(): Promise<void>
}

/** For units that read. */
export type ReadEngine = Omit<Engine, 'beginWrite'>
