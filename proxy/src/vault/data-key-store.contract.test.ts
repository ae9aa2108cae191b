import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { createDataKeyStore } from './data-key-store.ts'

storeContract('the store of data keys', { dataKeys: createDataKeyStore }, (kit) => {
  const key = (id: number) => ({ id, wrapped: `wrapped-${id}`, createdAt: 1_793_000_000_000 + id })
  const list = (storage = kit.mine) => storage.read(({ dataKeys }) => dataKeys.list())

  it('lists them by id, wraps one anew and removes one', async () => {
    await kit.mine.transaction(async ({ dataKeys }) => {
      for (const id of [10, 2, 1]) await dataKeys.insert(key(id))
    })
    expect(await list()).toEqual([key(1), key(2), key(10)])
    await kit.mine.transaction(async ({ dataKeys }) => {
      await dataKeys.rewrap(2, 'anew')
      await dataKeys.remove(1)
    })
    expect(await list()).toEqual([{ ...key(2), wrapped: 'anew' }, key(10)])
  })

  it('takes one of two of the same id', async () => {
    const insert = () => kit.mine.transaction(({ dataKeys }) => dataKeys.insert(key(1)))
    const outcomes = await Promise.allSettled([insert(), insert()])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('counts from one in each tenant, and changes nothing of another', async () => {
    await kit.theirs.transaction(({ dataKeys }) => dataKeys.insert(key(1)))
    expect(await list()).toEqual([])
    await kit.mine.transaction(async ({ dataKeys }) => {
      await dataKeys.insert({ ...key(1), wrapped: 'mine' })
      await dataKeys.rewrap(1, 'mine anew')
      await dataKeys.remove(1)
    })
    expect(await list(kit.theirs)).toEqual([key(1)])
  })
})
