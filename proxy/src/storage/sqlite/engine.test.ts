import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SqliteDatabase from 'better-sqlite3'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { engineKits } from '../../../test/support/engines.ts'
import { freshNotes, type NotesTx, notesStores } from '../../../test/support/notes.ts'
import { openStorage } from '../index.ts'
import { SQLITE_MIGRATIONS } from '../migrations/sqlite/index.ts'

const unavailable = expect.objectContaining({ code: 'storage_unavailable' })
const kit = engineKits.sqlite

const pragma = async ({ queries }: NotesTx, name: string): Promise<unknown> =>
  Object.values((await sql<object>`PRAGMA ${sql.raw(name)}`.execute(queries.db)).rows[0] ?? {})[0]

describe('the database file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'oauth3-storage-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const file = (): string => join(folder, 'state', 'proxy.db')
  const open = (path: string) => openStorage({ database: { path }, stores: notesStores, onDefect: () => {} })
  /** With another connection than the daemon's. */
  const withFile = <T>(work: (db: SqliteDatabase.Database) => T): T => {
    const db = new SqliteDatabase(file())
    try {
      return work(db)
    } finally {
      db.close()
    }
  }

  it('is made from nothing at the newest version, for its owner alone', async () => {
    await using _opened = await open(file())
    expect(withFile((db) => db.pragma('user_version', { simple: true }))).toBe(SQLITE_MIGRATIONS.length)
    expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700)
    for (const name of [file(), `${file()}-wal`, `${file()}-shm`])
      expect(statSync(name).mode & 0o777).toBe(0o600)
  })

  it('is made private when it was not', async () => {
    mkdirSync(join(folder, 'state'))
    writeFileSync(file(), '', { mode: 0o644 })
    await using _opened = await open(file())
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('is in WAL and fully synchronous, so that what was answered survives a power cut', async () => {
    await using made = await freshNotes(kit)
    const set = await made.notes.transaction(async (tx) => {
      const all: unknown[] = []
      for (const name of [
        'journal_mode',
        'synchronous',
        'foreign_keys',
        'secure_delete',
        'trusted_schema',
        'auto_vacuum',
      ])
        all.push(await pragma(tx, name))
      return all
    })
    expect(set).toEqual(['wal', 2, 1, 1, 0, 2])
    expect(await made.notes.read((tx) => pragma(tx, 'trusted_schema'))).toBe(0)
  })

  it('opens again with what it holds, and is not migrated twice', async () => {
    await using made = await freshNotes(kit)
    await made.notes.transaction((tx) => tx.notes.add('a'))
    await made.db.opened[Symbol.asyncDispose]()
    const again = (await made.db.again()).forTenant('default' as never) as unknown as typeof made.notes
    expect(await again.read((tx) => tx.notes.all())).toEqual(['a'])
  })

  it('has no log left beside it once it is closed', async () => {
    await using made = await freshNotes(kit)
    await made.notes.transaction((tx) => tx.notes.add('a'))
    await made.notes.read((tx) => tx.notes.all())
    await made.db.opened[Symbol.asyncDispose]()
    expect(statSync(`${made.db.where}-wal`, { throwIfNoEntry: false })).toBeUndefined()
  })

  it('takes commits into room that its log was given beforehand, of which nothing stays in the file', async () => {
    await using made = await freshNotes(kit)
    const log = (): number => statSync(`${made.db.where}-wal`).size
    const room = 4 * 1_048_576
    await made.db.opened.makeLogRoom(room)
    const given = log()
    expect(given).toBeGreaterThan(0.9 * room)
    for (let at = 0; at < 20; at += 1)
      await made.notes.transaction((tx) => tx.notes.add(`${at} ${'x'.repeat(20_000)}`))
    expect(log()).toBe(given)
    await made.db.opened[Symbol.asyncDispose]()
    expect(statSync(made.db.where).size).toBeLessThan(room)
    const db = new SqliteDatabase(made.db.where, { readonly: true })
    expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
    expect(db.prepare('SELECT count(*) FROM notes').pluck().get()).toBe(20)
    expect(db.prepare("SELECT name FROM sqlite_master WHERE name = 'log_room'").get()).toBeUndefined()
    db.close()
  })

  it('works on where its log gets no room, and says so', async () => {
    await using made = await freshNotes(kit)
    await made.notes.transaction(async (tx) => {
      const pages = Number(await pragma(tx, 'page_count'))
      await pragma(tx, `max_page_count = ${pages + 20}`)
    })
    await expect(made.db.opened.makeLogRoom(1_048_576)).rejects.toEqual(unavailable)
    await made.notes.transaction((tx) => tx.notes.add('a'))
    expect(await made.notes.read((tx) => tx.notes.all())).toEqual(['a'])
  })

  it('is refused when a newer daemon made it, and let alone', async () => {
    const newer = SQLITE_MIGRATIONS.length + 1
    await (await open(file()))[Symbol.asyncDispose]()
    withFile((db) => db.pragma(`user_version = ${newer}`))
    await expect(open(file())).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('newer daemon'),
    })
    expect(withFile((db) => db.pragma('user_version', { simple: true }))).toBe(newer)
  })

  it.each<[string, string, (folder: string) => void]>([
    [
      'a file that is no database',
      'x.db',
      (at) => writeFileSync(join(at, 'x.db'), 'not a database, '.repeat(100)),
    ],
    ['a folder', 'x.db', (at) => mkdirSync(join(at, 'x.db'))],
    ['a path through a file', 'x/proxy.db', (at) => writeFileSync(join(at, 'x'), '')],
  ])('is refused when it is %s', async (_what, path, make) => {
    make(folder)
    await expect(open(join(folder, path))).rejects.toEqual(unavailable)
  })

  it('is refused when its first page is torn, and is not written to', async () => {
    await (await open(file()))[Symbol.asyncDispose]()
    const torn = Buffer.alloc(4_096, 0x5a)
    writeFileSync(file(), torn)
    await expect(open(file())).rejects.toEqual(unavailable)
    expect(statSync(file()).size).toBe(torn.length)
  })
})

describe('a unit of work on SQLite', () => {
  it('on a full disk says so and leaves nothing, and works when there is room again', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    const said: string[] = []
    db.opened.whenFull(() => said.push('full'))
    await notes.transaction(async (tx) => {
      const pages = Number(await pragma(tx, 'page_count'))
      await pragma(tx, `max_page_count = ${pages + 2}`)
    })
    const write = (then: (tx: NotesTx) => Promise<void>): Promise<void> =>
      notes.transaction(async (tx) => {
        await tx.notes.add('small')
        await tx.notes.add('x'.repeat(4_000_000)).catch((error: unknown) => {
          said.push('caught')
          if (then === rethrow) throw error
        })
        await then(tx)
      })
    const rethrow = async (): Promise<void> => {}
    await expect(write(rethrow)).rejects.toEqual(unavailable)
    // SQLite has ended the transaction by itself: what comes after would be written for good.
    await expect(write((tx) => tx.notes.add('after the end').catch(() => {}))).rejects.toEqual(unavailable)
    expect(said).toEqual(['caught', 'full', 'caught', 'full'])
    expect(await notes.read((tx) => tx.notes.all())).toEqual([])
    await notes.transaction((tx) => pragma(tx, 'max_page_count = 1000000'))
    await write(async () => {})
    expect(await notes.read((tx) => tx.notes.all())).toHaveLength(2)
  })

  it('whose transaction is ended by a statement of its own is not said to be kept', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    let isUndone = false
    const work = notes.transaction(async (tx) => {
      tx.onUndo(() => {
        isUndone = true
      })
      await tx.notes.add('a')
      await sql`ROLLBACK`.execute(tx.queries.db)
    })
    await expect(work).rejects.toMatchObject({ code: 'internal' })
    expect(isUndone).toBe(true)
    await notes.transaction((tx) => tx.notes.add('b'))
    expect(await notes.read((tx) => tx.notes.all())).toEqual(['b'])
  })

  it('on a database that cannot be written says so, and not where it lies', async () => {
    await using made = await freshNotes(kit)
    const { db, notes } = made
    await notes.transaction((tx) => pragma(tx, 'query_only = ON'))
    await expect(notes.transaction((tx) => tx.notes.add('a'))).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.not.stringContaining(db.where),
    })
    expect(await notes.read((tx) => tx.notes.all())).toEqual([])
  })

  it('prepares a statement once, and forgets the oldest of very many', async () => {
    await using made = await freshNotes(kit)
    const found = await made.notes.read(async ({ queries }) => {
      const all: unknown[] = []
      for (let index = 0; index < 1_200; index += 1) {
        const { rows } = await sql`SELECT ${sql.lit(index)} AS number`.execute(queries.db)
        all.push((rows[0] as { number: number }).number)
      }
      return all
    })
    expect(found).toEqual(Array.from({ length: 1_200 }, (_, index) => index))
  })

  it('gives free pages back to the disk, step by step', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    await notes.transaction((tx) => tx.notes.add('x'.repeat(400_000)))
    const sizes = await notes.transaction(async ({ queries: { db, dialect } }) => {
      await sql`DELETE FROM notes`.execute(db)
      const before = await dialect.databaseSize(db as never)
      const hasMore = await dialect.shrink(db as never, 10)
      return [before, hasMore, await dialect.databaseSize(db as never)] as const
    })
    const [before, hasMore, after] = sizes
    expect(hasMore).toBe(true)
    expect(before.free - after.free).toBe(10 * 4_096)
    expect(after.used).toBe(before.used)
  })
})
