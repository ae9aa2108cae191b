import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { createMetaStore, type Queries, statement } from './index.ts'

let built = 0
const find = statement((db, { tenant, key }: { tenant: string; key: string }) => {
  built += 1
  return db.selectFrom('meta').select(['key', 'value']).where('tenant_id', '=', tenant).where('key', '=', key)
})
const write = statement((db, row: { tenant_id: string; key: string; value: string }) =>
  db.insertInto('meta').values(row),
)
const ofTwo = statement((db, { first, second, tenant }: { first: string; second: string; tenant: string }) =>
  db
    .selectFrom('meta')
    .select('key')
    .where('key', 'in', [second, first, 'always'])
    .where('tenant_id', '=', tenant)
    .orderBy('key')
    .limit(2),
)

/** Gives what asks through to the test. */
let asking: Queries
const meta = (...made: Parameters<typeof createMetaStore>) => {
  ;[asking] = made
  return createMetaStore(...made)
}

storeContract('a statement that is put together once', { meta }, (kit) => {
  it('has the values of each call, and its own, in their places', async () => {
    const keys = await kit.mine.transaction(async (tx) => {
      void tx.meta
      for (const key of ['a', 'b', 'always']) {
        await write.all(asking, { tenant_id: kit.me, key, value: `of ${key}` })
      }
      return [
        await find.first(asking, { tenant: kit.me, key: 'a' }),
        // In another order than at the first call.
        await find.all(asking, { key: 'b', tenant: kit.me }),
        await find.first(asking, { tenant: kit.me, key: 'c' }),
        await ofTwo.all(asking, { tenant: kit.me, first: 'b', second: 'c' }),
        await ofTwo.all(asking, { tenant: kit.me, first: 'c', second: 'a' }),
      ]
    })
    expect(keys).toEqual([
      { key: 'a', value: 'of a' },
      [{ key: 'b', value: 'of b' }],
      undefined,
      [{ key: 'always' }, { key: 'b' }],
      [{ key: 'a' }, { key: 'always' }],
    ])
  })

  it('is built once for the engine, whoever asks', async () => {
    const before = built
    for (const storage of [kit.mine, kit.theirs, kit.mine]) {
      await storage.read(async (tx) => {
        void tx.meta
        await find.first(asking, { tenant: kit.me, key: 'a' })
      })
    }
    expect(built - before).toBeLessThanOrEqual(1)
  })

  it('refuses values that its text leaves out, and values that are not there', async () => {
    const refused = { code: 'internal' }
    const asked = (values: object) =>
      kit.mine.transaction(async (tx) => {
        void tx.meta
        await find.first(asking, { tenant: kit.me, key: 'a' })
        await find.first(asking, values as { tenant: string; key: string })
      })
    await expect(asked({ tenant: kit.me, key: 'a', more: 1 })).rejects.toMatchObject(refused)
    await expect(asked({ tenant: kit.me })).rejects.toMatchObject(refused)
    await expect(asked({ tenant: kit.me, key: undefined })).rejects.toMatchObject(refused)
    await expect(asked({ tenant: kit.me, other: 'a' })).rejects.toMatchObject(refused)
  })
})
