import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { createSecretStore } from './secret-store.ts'
import type { SecretRecord } from './vault.ts'

storeContract('the store of secrets', { secrets: createSecretStore }, (kit) => {
  const secret = (name: string, change: Partial<SecretRecord> = {}): SecretRecord => ({
    name,
    version: 1,
    hosts: null,
    sealed: `oa3v1.1.${name}`,
    createdAt: 1_000,
    updatedAt: 1_000,
    ...change,
  })
  const put = (record: SecretRecord, storage = kit.mine) =>
    storage.transaction(({ secrets }) => secrets.upsert(record))
  const byName = (name: string, storage = kit.mine) => storage.read(({ secrets }) => secrets.byName(name))

  it('gives back a secret by its exact name, and all by name as bytes', async () => {
    const all = ['B_KEY', 'A_KEY', 'AA', 'A', 'a_key'].map((name) => secret(name, { hosts: ['x.example'] }))
    for (const record of all) await put(record)
    expect(await byName('A_KEY')).toEqual(all[1])
    expect(await byName('A%')).toBeUndefined()
    const names = (await kit.mine.read(({ secrets }) => secrets.list())).map(({ name }) => name)
    expect(names).toEqual(['A', 'AA', 'A_KEY', 'B_KEY', 'a_key'])
  })

  it('replaces all but when it was first stored', async () => {
    await put(secret('KEY'))
    const later = secret('KEY', { version: 2, hosts: [], sealed: 's', createdAt: 9, updatedAt: 9 })
    await put(later)
    expect(await byName('KEY')).toEqual({ ...later, createdAt: 1_000 })
  })

  it('takes another name, unless that is taken: then nothing happens', async () => {
    await put(secret('OLD'))
    await put(secret('TAKEN'))
    const rename = (to: string) =>
      kit.mine.transaction(({ secrets }) =>
        secrets.rename('OLD', secret(to, { version: 2, updatedAt: 5, hosts: ['y'] })),
      )
    await expect(rename('TAKEN')).rejects.toThrow()
    expect(await byName('OLD')).toEqual(secret('OLD'))
    await rename('NEW')
    expect(await byName('OLD')).toBeUndefined()
    expect(await byName('NEW')).toEqual(secret('NEW', { version: 2, updatedAt: 5, hosts: ['y'] }))
    await kit.mine.transaction(({ secrets }) => secrets.remove('NEW'))
    expect(await byName('NEW')).toBeUndefined()
    expect(await byName('TAKEN')).toEqual(secret('TAKEN'))
  })

  it('is counted up by units at once without losing one', async () => {
    await put(secret('KEY'))
    const next = () =>
      kit.mine.transaction(async ({ secrets }) => {
        const now = await secrets.byName('KEY')
        await secrets.upsert(secret('KEY', { version: (now?.version ?? 0) + 1 }))
      })
    await Promise.all(Array.from({ length: 10 }, next))
    expect((await byName('KEY'))?.version).toBe(11)
  })

  it('keeps hosts of a name, and forgets them', async () => {
    await kit.mine.transaction(async ({ secrets }) => {
      expect(await secrets.keptHosts('KEY')).toBeUndefined()
      await secrets.keepHosts('KEY', ['x'])
      await secrets.keepHosts('KEY', [])
      expect(await secrets.keptHosts('KEY')).toEqual([])
      await secrets.keepHosts('OTHER', ['y'])
      await secrets.forgetHosts('KEY')
      expect(await secrets.keptHosts('KEY')).toBeUndefined()
      expect(await secrets.keptHosts('OTHER')).toEqual(['y'])
    })
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    await put(secret('KEY'), kit.theirs)
    await kit.theirs.transaction(({ secrets }) => secrets.keepHosts('OTHER', ['theirs']))
    await kit.mine.transaction(async ({ secrets }) => {
      expect([await secrets.byName('KEY'), await secrets.list()]).toEqual([undefined, []])
      expect(await secrets.keptHosts('OTHER')).toBeUndefined()
      await secrets.rename('KEY', secret('RENAMED'))
      await secrets.upsert(secret('KEY', { sealed: 'mine' }))
      await secrets.remove('KEY')
      await secrets.keepHosts('OTHER', ['mine'])
      await secrets.forgetHosts('OTHER')
    })
    expect(await byName('KEY', kit.theirs)).toEqual(secret('KEY'))
    expect(await kit.theirs.read(({ secrets }) => secrets.keptHosts('OTHER'))).toEqual(['theirs'])
  })
})
