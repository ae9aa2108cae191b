import { expect, it } from 'vitest'
import { describeEngines } from '../../test/support/engines.ts'
import { DEFAULT_TENANT, type Storage, type TenantId } from '../kernel/index.ts'
import { createMetaStore, openToRead } from './index.ts'

describeEngines('a connection for long reads', ({ engine, fresh }) => {
  it('takes none from what decides, sees what was committed, of its tenant alone, and writes nothing', async () => {
    const stores = { meta: createMetaStore }
    await using database = await fresh({ stores, postgres: { connections: 1 } })
    await database.storage.transaction((tx) => tx.meta.set('a', '1'))
    await database.forTenant('other').transaction((tx) => tx.meta.set('a', 'theirs'))
    const address = engine === 'sqlite' ? { path: database.where } : { url: database.where }
    await using opened = await openToRead(address, stores)
    const reader = opened.forTenant(DEFAULT_TENANT)

    // As many as there are connections of the daemon, and more.
    const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
    const begun = Promise.withResolvers<void>()
    const long = gates.map(({ promise }) =>
      reader.read(async (tx) => {
        const value = await tx.meta.get('a')
        begun.resolve()
        await promise
        return [value, await tx.meta.get('a')]
      }),
    )
    await begun.promise
    await database.storage.transaction((tx) => tx.meta.set('a', '2'))
    expect(await database.storage.read((tx) => tx.meta.get('a'))).toBe('2')
    for (const gate of gates) gate.resolve()
    expect((await Promise.all(long))[0]).toEqual(['1', '1'])

    expect(await reader.read((tx) => tx.meta.get('a'))).toBe('2')
    expect(await opened.forTenant('other' as TenantId).read((tx) => tx.meta.get('a'))).toBe('theirs')
    await expect((reader as Storage).transaction((tx) => tx.meta.set('a', '3'))).rejects.toThrow()
    expect(await database.storage.read((tx) => tx.meta.get('a'))).toBe('2')
  })
})
