import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { describeEngines } from '../../test/support/engines.ts'
import { freshNotes, type NotesTx } from '../../test/support/notes.ts'

/** Each as it is written, as it is read again, and the kind of its column. */
const KEPT: readonly (readonly [what: string, kind: string, written: unknown, read: unknown])[] = [
  ['an integer', 'BIGINT', 1, 1],
  ['zero', 'BIGINT', -0, 0],
  ['the largest exact integer', 'BIGINT', Number.MAX_SAFE_INTEGER, 2 ** 53 - 1],
  ['the smallest exact integer', 'BIGINT', Number.MIN_SAFE_INTEGER, 1 - 2 ** 53],
  ['an integer of BigInt', 'BIGINT', 12n, 12],
  ['a moment', 'BIGINT', 1_795_000_000_123, 1_795_000_000_123],
  ['truth', 'BIGINT', true, 1],
  ['its opposite', 'BIGINT', false, 0],
  ['an integer as text, without a fraction', 'TEXT', 1, '1'],
  ['a fraction', 'DOUBLE PRECISION', 0.1, 0.1],
  ['an integer among fractions', 'DOUBLE PRECISION', 3, 3],
  ['nothing', 'TEXT', null, null],
  ['an empty text', 'TEXT', '', ''],
  [
    'text of every kind',
    'TEXT',
    'é \u{10FFFF} \u{1F600} \r\n\t \u0001 \uFFFD \' " \\ $1 ?',
    'é \u{10FFFF} \u{1F600} \r\n\t \u0001 \uFFFD \' " \\ $1 ?',
  ],
  ['bytes', 'BYTEA', Uint8Array.of(0, 1, 0xff, 0x5c), Buffer.of(0, 1, 0xff, 0x5c)],
  ['no bytes', 'BYTEA', new Uint8Array(), Buffer.alloc(0)],
  ['bytes of a larger buffer', 'BYTEA', new Uint8Array([1, 2, 3]).subarray(1, 2), Buffer.of(2)],
]

const REFUSED: readonly (readonly [what: string, code: string, value: unknown])[] = [
  ['a text with NUL', 'invalid_request', 'a\0b'],
  ['a lone surrogate', 'invalid_request', 'a\ud800'],
  ['the other half of one', 'invalid_request', '\udc00a'],
  ['a number that is rounded already', 'internal', 2 ** 53],
  ['a number below those', 'internal', -(2 ** 53)],
  ['a large BigInt', 'internal', 2n ** 53n],
  ['NaN', 'internal', Number.NaN],
  ['infinity', 'internal', Number.POSITIVE_INFINITY],
  ['undefined', 'internal', undefined],
  ['a date', 'internal', new Date(0)],
  ['an object', 'internal', {}],
  ['a list', 'internal', [1]],
]

describeEngines('a value', (kit) => {
  const asked = async (ask: (tx: NotesTx) => Promise<unknown>): Promise<unknown> => {
    await using made = await freshNotes(kit)
    return await made.notes.transaction(ask)
  }

  it('comes back as it was written, whatever it is', async () => {
    const read = await asked(async ({ queries: { db } }) => {
      const all: unknown[] = []
      for (const [index, [, kind, written]] of KEPT.entries()) {
        const table = sql.id(`kept_${index}`)
        await sql`CREATE TABLE ${table} (value ${sql.raw(kind)})`.execute(db)
        await sql`INSERT INTO ${table} (value) VALUES (${written})`.execute(db)
        const { rows } = await sql<{ value: unknown }>`SELECT value FROM ${table}`.execute(db)
        all.push(rows[0]?.value)
      }
      return all
    })
    expect(read).toEqual(KEPT.map(([, , , kept]) => kept))
  })

  it('is refused where the engines would not take it alike, and undoes the unit', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    for (const [what, code, value] of REFUSED) {
      const work = notes.transaction(async (tx) => {
        await tx.notes.add('kept')
        await sql`INSERT INTO notes (tenant_id, text) VALUES ('default', ${value})`
          .execute(tx.queries.db)
          .catch(() => {})
      })
      await expect(work, what).rejects.toMatchObject({ code })
    }
    expect(await notes.read((tx) => tx.notes.all())).toEqual([])
  })

  it('that the database has and JavaScript would round is an error, not another number', async () => {
    await using made = await freshNotes(kit)
    const { notes } = made
    for (const large of ['9007199254740992', '-9007199254740993']) {
      const ask = notes.read(({ queries: { db } }) => sql`SELECT ${sql.raw(large)} AS large`.execute(db))
      await expect(ask).rejects.toMatchObject({ code: 'internal' })
    }
  })

  it('that was counted, summed, compared or divided is a number', async () => {
    const rows = await asked(async ({ queries: { db } }) => {
      await sql`CREATE TABLE counted (value BIGINT, text TEXT)`.execute(db)
      await sql`INSERT INTO counted VALUES (${5}, ${'a'}), (${2}, ${'b'})`.execute(db)
      const found = await sql`SELECT count(*) AS count, sum(value) AS sum, max(value) / ${2} AS half,
        max(value) > ${4} AS larger, avg(value) AS mean, min(text) AS least FROM counted`.execute(db)
      const changed = await sql`UPDATE counted SET value = value + ${1} WHERE value < ${3}`.execute(db)
      return [found.rows, changed.numAffectedRows]
    })
    expect(rows).toEqual([[{ count: 2, sum: 7, half: 2, larger: 1, mean: 3.5, least: 'a' }], 1n])
  })

  it('orders and compares as bytes do, and a prefix has no wildcards', async () => {
    const found = await asked(async ({ queries: { db, dialect } }) => {
      const text = kit.engine === 'postgres' ? sql.raw('TEXT COLLATE "C"') : sql.raw('TEXT')
      await sql`CREATE TABLE ordered (value ${text})`.execute(db)
      for (const value of ['b', 'B', 'a%', 'a_', 'aé', 'A', 'a', 'ab', '\u{10FFFF}', 'é'])
        await sql`INSERT INTO ordered VALUES (${value})`.execute(db)
      const all = await sql<{ value: string }>`SELECT value FROM ordered ORDER BY value`.execute(db)
      const some = await sql<{ value: string }>`SELECT value FROM ordered
        WHERE ${dialect.startsWith('value', 'a')} OR ${dialect.startsWith('value', 'a%')} ORDER BY value`.execute(
        db,
      )
      return [all, some].map(({ rows }) => rows.map(({ value }) => value))
    })
    expect(found).toEqual([
      ['A', 'B', 'a', 'a%', 'a_', 'ab', 'aé', 'b', 'é', '\u{10FFFF}'],
      ['a', 'a%', 'a_', 'ab', 'aé'],
    ])
  })

  it('in a text of JSON is found, and there is none in a text that is not JSON', async () => {
    const rows = await asked(async ({ queries: { db, dialect } }) => {
      await sql`CREATE TABLE texts (id BIGINT, value TEXT)`.execute(db)
      const texts = ['{"a":{"b":"x"}}', '{"a":{}}', '{"a":{"b":null}}', 'no json', null, '"a"']
      for (const [id, value] of texts.entries())
        await sql`INSERT INTO texts VALUES (${id}, ${value})`.execute(db)
      const found = await sql<{ found: unknown }>`SELECT ${dialect.jsonText('value', 'a', 'b')} AS found
        FROM texts ORDER BY id`.execute(db)
      const json = await sql<{ id: number }>`SELECT id FROM texts WHERE value IS NOT NULL
        AND ${dialect.isJson('value')} ORDER BY id`.execute(db)
      const bytes = await sql<{
        bytes: unknown
      }>`SELECT ${dialect.byteLength(sql`${'é€'}`)} AS bytes`.execute(db)
      return [found.rows.map((row) => row.found), json.rows.map(({ id }) => id), bytes.rows]
    })
    expect(rows).toEqual([['x', null, null, null, null, null], [0, 1, 2, 5], [{ bytes: 5 }]])
  })
})
