import type { Expression, Kysely, RawBuilder, SqlBool } from 'kysely'
import type { TenantId } from '../../kernel/index.ts'
import type { Tables } from '../tables.ts'

/** A column by its name, with its table's where needed (`'executions.consent'`), or any expression. */
export type Operand = string | Expression<unknown>

interface DatabaseSize {
  /** Bytes that hold something, or held it until the space is given back. */
  readonly used: number
  /** Bytes that are free within the database. */
  readonly free: number
}

/** Sorts behind every text that begins so, in either engine: columns compare as bytes of UTF-8. */
export const pastPrefix = (prefix: string): string => `${prefix}\u{10FFFF}`

/** What differs between the engines. All of it stands in the two files that implement this, and nowhere else. */
export interface Dialect {
  readonly engine: 'sqlite' | 'postgres'
  /** Whether a text is well-formed JSON; not for NULL. */
  isJson(text: Operand): RawBuilder<SqlBool>
  /** The string at `path` in a text of JSON: NULL where there is none, or where the text is NULL or no JSON. */
  jsonText(text: Operand, ...path: readonly string[]): RawBuilder<string | null>
  /** Bytes of a text in UTF-8, or of bytes; NULL for NULL. */
  byteLength(value: Operand): RawBuilder<number | null>
  /** Case matters, no character is a wildcard, and an index of the column finds the rows. */
  startsWith(text: Operand, prefix: string): RawBuilder<SqlBool>
  /** The larger of values that are not NULL. */
  greatest(...values: readonly Expression<unknown>[]): RawBuilder<number>
  /** The smaller of values that are not NULL. */
  least(...values: readonly Expression<unknown>[]): RawBuilder<number>
  /** An id that no row of the table ever had, for tables that count theirs. In a unit that writes. */
  nextId(db: Kysely<Tables>, table: keyof Tables): Promise<number>
  /** Of the whole database, all tenants together. */
  databaseSize(db: Kysely<Tables>): Promise<DatabaseSize>
  /** Gives up to so many free pages of 4 KiB back to the disk; whether there are more. In a unit that writes. */
  shrink(db: Kysely<Tables>, pages: number): Promise<boolean>
  /** The statement (an advisory lock) that makes units that write for the tenant go one after the other; nothing where they do anyway. */
  lockTenant(tenant: TenantId): string
}
