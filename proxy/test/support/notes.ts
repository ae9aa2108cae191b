/** A store of a table of its own, for tests of units of work: its statements are as plain as they come. */
import { type Kysely, sql } from 'kysely'
import type { Durability, Storage, TenantId } from '../../src/kernel/index.ts'
import type { Queries, StoreFactories } from '../../src/storage/index.ts'
import type { EngineKit, OpenOptions, TestDatabase } from './engines.ts'

interface NotesTables {
  notes: { tenant_id: string; text: string }
}

export interface NotesTx {
  readonly kind: 'read' | 'write'
  readonly notes: {
    all(): Promise<string[]>
    add(text: string): Promise<void>
  }
  /** What the store asks through. */
  readonly queries: Omit<Queries, 'db'> & { readonly db: Kysely<NotesTables> }
  onCommit(work: () => void): void
  onUndo(work: () => void): void
  afterCommit(work: () => void): void
}

export interface NotesStorage {
  transaction<T>(work: (tx: NotesTx) => Promise<T>, durability?: Durability): Promise<T>
  read<T>(work: (tx: NotesTx) => Promise<T>): Promise<T>
  flushed(): Promise<void>
}

export const asNotes = (storage: Storage): NotesStorage => storage as unknown as NotesStorage

const factories = {
  queries: (queries: Queries) => queries,
  notes: (queries: Queries, tenant: TenantId): NotesTx['notes'] => {
    const db = queries.db as unknown as Kysely<NotesTables>
    return {
      async all() {
        const rows = await db.selectFrom('notes').select('text').where('tenant_id', '=', tenant).execute()
        return rows.map(({ text }) => text)
      },
      async add(text) {
        await db.insertInto('notes').values({ tenant_id: tenant, text }).execute()
      },
    }
  },
}

export const notesStores = factories as unknown as StoreFactories

export interface NotesDatabase extends AsyncDisposable {
  readonly db: TestDatabase
  readonly notes: NotesStorage
}

/** A database with an empty table of notes; none may begin with `refused`. */
export async function freshNotes(kit: EngineKit, options: OpenOptions = {}): Promise<NotesDatabase> {
  const db = await kit.fresh({ ...options, stores: notesStores })
  const notes = asNotes(db.storage)
  await notes.transaction(async (tx) => {
    await sql`CREATE TABLE notes (tenant_id TEXT NOT NULL, text TEXT NOT NULL CHECK (text NOT LIKE 'refused%'))`.execute(
      tx.queries.db,
    )
  })
  return { db, notes, [Symbol.asyncDispose]: () => db[Symbol.asyncDispose]() }
}
