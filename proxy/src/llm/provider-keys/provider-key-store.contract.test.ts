import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { type Tenant, tenantsOf } from '../../../test/support/tenants.ts'
import type { StoredProviderKey } from './ports.ts'
import { createProviderKeyStore } from './provider-key-store.ts'

const KEY: Omit<StoredProviderKey, 'id'> = {
  provider: 'openai',
  label: 'main',
  tags: ['a', 'b "quoted"'],
  weight: 1_000,
  models: ['gpt-5*'],
  isSeat: false,
  createdAt: 1_900_000_000_000,
  sealed: 'v1.sealed',
}

const add = (own: Tenant, change: Partial<StoredProviderKey> = {}): Promise<StoredProviderKey> =>
  own.write(async (tx) => {
    const key = { ...KEY, ...change, id: await tx.providerKeys.nextId() }
    await tx.providerKeys.insert(key)
    return key
  })
const list = (own: Tenant) => own.read((tx) => tx.providerKeys.list())

storeContract("the store of vendors' keys", { providerKeys: createProviderKeyStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it('tells a seat from a key', async () => {
    const own = await tenant()
    const seat = await add(own, { isSeat: true })
    expect(await list(own)).toEqual([seat])
  })

  it('gives back what was put, in the order of ids', async () => {
    const own = await tenant()
    const keys = [
      await add(own),
      await add(own, { label: 'all', models: null, tags: [] }),
      await add(own, { provider: 'anthropic' }),
    ]
    expect(await list(own)).toEqual(keys)
    const [first] = keys
    await own.write((tx) => tx.providerKeys.setSealed(first?.id ?? 0, 'v1.other'))
    expect(await list(own)).toEqual([{ ...first, sealed: 'v1.other' }, ...keys.slice(1)])
  })

  it('gives no id twice, also not that of the newest after it is gone', async () => {
    const own = await tenant()
    const first = await add(own)
    await own.write((tx) => tx.providerKeys.remove(first.id))
    expect(await list(own)).toEqual([])
    const second = await add(own)
    expect(second.id).toBeGreaterThan(first.id)
    const other = await tenant()
    const third = await add(other)
    expect(third.id).toBeGreaterThan(second.id)
  })

  it('gives no id twice to units of two tenants at once', async () => {
    const tenants = [await tenant(), await tenant()]
    const keys = await Promise.all(
      tenants.flatMap((own) => [1, 2, 3, 4].map((label) => add(own, { label: String(label) }))),
    )
    expect(new Set(keys.map(({ id }) => id)).size).toBe(8)
  })

  it('takes a label once in a provider', async () => {
    const own = await tenant()
    const first = await add(own)
    await expect(add(own)).rejects.toThrow()
    await add(own, { provider: 'other' })
    expect((await list(own)).filter(({ provider }) => provider === 'openai')).toEqual([first])
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const [one, other] = [await tenant(), await tenant()]
    const key = await add(other)
    expect(await list(one)).toEqual([])
    await one.write((tx) => tx.providerKeys.setSealed(key.id, 'stolen'))
    await one.write((tx) => tx.providerKeys.remove(key.id))
    expect(await list(other)).toEqual([key])
  })
})
