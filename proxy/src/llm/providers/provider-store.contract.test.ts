import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { tenantsOf } from '../../../test/support/tenants.ts'
import type { OwnProvider } from './ports.ts'
import { createProviderStore } from './provider-store.ts'

const OWN: OwnProvider = {
  name: 'local',
  url: 'http://10.0.0.1:8080/v1',
  auth: { kind: 'header', name: 'x-key' },
  errors: 'openai',
  private: true,
  createdAt: 1_900_000_000_000,
}
const OTHER: OwnProvider = { ...OWN, name: 'Zed', auth: { kind: 'none' }, errors: 'google', private: false }

storeContract('the store of providers', { providers: createProviderStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it('gives back what was put, in the order of names as bytes compare', async () => {
    const own = await tenant()
    await own.write((tx) => tx.providers.insert(OWN))
    await own.write((tx) => tx.providers.insert(OTHER))
    expect(await own.read((tx) => tx.providers.own())).toEqual([OTHER, OWN])
  })

  it('takes a name once, and undoes the unit that tried it again', async () => {
    const own = await tenant()
    await own.write((tx) => tx.providers.insert(OWN))
    const again = own.write(async (tx) => {
      await tx.providers.setParam('local', 'a', 'b')
      await tx.providers.insert({ ...OWN, url: 'https://other.example' })
    })
    await expect(again).rejects.toThrow()
    expect(await own.read((tx) => tx.providers.own())).toEqual([OWN])
    expect(await own.read((tx) => tx.providers.params())).toEqual([])
  })

  it('keeps the last value of each parameter, by provider and name', async () => {
    const own = await tenant()
    await own.write((tx) => tx.providers.setParam('b', 'x', '1'))
    await own.write((tx) => tx.providers.setParam('a', 'y', '2'))
    await own.write((tx) => tx.providers.setParam('a', 'X', '3'))
    await own.write((tx) => tx.providers.setParam('b', 'x', ''))
    expect(await own.read((tx) => tx.providers.params())).toEqual([
      { provider: 'a', name: 'X', value: '3' },
      { provider: 'a', name: 'y', value: '2' },
      { provider: 'b', name: 'x', value: '' },
    ])
  })

  it('removes a provider with what was filled in for it', async () => {
    const own = await tenant()
    await own.write((tx) => tx.providers.insert(OWN))
    await own.write((tx) => tx.providers.setParam('local', 'x', '1'))
    await own.write((tx) => tx.providers.setParam('localhost', 'x', '1'))
    await own.write((tx) => tx.providers.remove('local'))
    await own.write((tx) => tx.providers.remove('none'))
    expect(await own.read((tx) => tx.providers.own())).toEqual([])
    expect(await own.read((tx) => tx.providers.params())).toEqual([
      { provider: 'localhost', name: 'x', value: '1' },
    ])
  })

  it('shows a tenant nothing of another, and removes nothing of it', async () => {
    const [one, other] = [await tenant(), await tenant()]
    for (const own of [one, other]) {
      await own.write((tx) => tx.providers.insert(OWN))
      await own.write((tx) => tx.providers.setParam('local', 'x', own.id))
    }
    await one.write((tx) => tx.providers.setParam('local', 'x', 'changed'))
    await one.write((tx) => tx.providers.insert(OTHER))
    await one.write((tx) => tx.providers.remove('local'))
    expect(await one.read((tx) => tx.providers.own())).toEqual([OTHER])
    expect(await other.read((tx) => tx.providers.own())).toEqual([OWN])
    expect(await other.read((tx) => tx.providers.params())).toEqual([
      { provider: 'local', name: 'x', value: other.id },
    ])
  })
})
