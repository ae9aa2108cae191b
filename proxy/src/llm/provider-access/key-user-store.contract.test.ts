import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import { idOf, tenantsOf } from '../../../test/support/tenants.ts'
import { createKeyUserStore } from './key-user-store.ts'

storeContract('the store of who has used a key', { keyUsers: createKeyUserStore }, (kit) => {
  const tenant = tenantsOf(kit)

  it('knows each once, with its first use', async () => {
    const own = await tenant()
    const user = { provider: 'openai', keyId: 1, agentId: idOf(own, 'agt_1'), firstUsedAt: 5 }
    const others = [
      { ...user, agentId: idOf(own, 'agt_2') },
      { ...user, keyId: 2 },
      { ...user, provider: 'z', keyId: 0 },
    ]
    await own.write((tx) => tx.keyUsers.addKeyUser(user))
    await own.write((tx) => tx.keyUsers.addKeyUser({ ...user, firstUsedAt: 6 }))
    for (const other of others.toReversed()) await own.write((tx) => tx.keyUsers.addKeyUser(other))
    expect(await own.read((tx) => tx.keyUsers.keyUsers())).toEqual([user, ...others])
  })

  it('goes on with the unit in which it was known already', async () => {
    const own = await tenant()
    const user = { provider: 'openai', keyId: 1, agentId: idOf(own, 'agt_1'), firstUsedAt: 5 }
    await own.write(async (tx) => {
      await tx.keyUsers.addKeyUser(user)
      await tx.keyUsers.addKeyUser(user)
      await tx.keyUsers.addKeyUser({ ...user, keyId: 2 })
    })
    expect(await own.read((tx) => tx.keyUsers.keyUsers())).toHaveLength(2)
  })

  it('shows a tenant nothing of another', async () => {
    const [one, other] = [await tenant(), await tenant()]
    const user = { provider: 'openai', keyId: 1, agentId: idOf(other, 'agt_1'), firstUsedAt: 5 }
    await other.write((tx) => tx.keyUsers.addKeyUser(user))
    expect(await one.read((tx) => tx.keyUsers.keyUsers())).toEqual([])
    await one.write((tx) => tx.keyUsers.addKeyUser({ ...user, firstUsedAt: 9 }))
    expect(await other.read((tx) => tx.keyUsers.keyUsers())).toEqual([user])
  })
})
