import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { createMetaStore } from './meta-store.ts'

storeContract('the store of single values', { meta: createMetaStore }, (kit) => {
  it('keeps the latest of each key, also an empty and a long one, and of the same key at once', async () => {
    const long = 'ü🦀"\\\n'.repeat(100_000)
    await kit.mine.transaction(async ({ meta }) => {
      expect(await meta.get('a')).toBeUndefined()
      await meta.set('a', '1')
      await meta.set('a', long)
      await meta.set('', '')
    })
    await kit.mine.read(async ({ meta }) => {
      expect(await meta.get('a')).toBe(long)
      expect(await meta.get('')).toBe('')
      expect(await meta.get('A')).toBeUndefined()
    })
    await Promise.all([1, 2, 3, 4].map((n) => kit.mine.transaction(({ meta }) => meta.set('b', `${n}`))))
    expect('1234').toContain(await kit.mine.read(({ meta }) => meta.get('b')))
  })

  it('refuses what one engine would keep and the other not, and undoes the unit', async () => {
    for (const text of ['a\0b', 'lone \ud800 half', '\udc00']) {
      const writing = kit.mine.transaction(async ({ meta }) => {
        await meta.set('before', 'x')
        await meta.set('odd', text)
      })
      await expect(writing).rejects.toThrow()
      expect(await kit.mine.read(({ meta }) => meta.get('before'))).toBeUndefined()
    }
  })

  it('has values for each tenant, and the same ones of the installation for all', async () => {
    await kit.theirs.transaction(async ({ meta }) => {
      await meta.set('audit_seal', 'theirs')
      await meta.set('instance_id', `id-${kit.them}`)
    })
    await kit.mine.transaction(async ({ meta }) => {
      expect(await meta.get('audit_seal')).toBeUndefined()
      await meta.set('audit_seal', 'mine')
      await meta.set('kdf', 'argon')
      await meta.set('backup', `at-${kit.me}`)
      expect(await meta.get('instance_id')).toBe(`id-${kit.them}`)
    })
    await kit.theirs.read(async ({ meta }) => {
      expect(await meta.get('audit_seal')).toBe('theirs')
      expect([await meta.get('instance_id'), await meta.get('backup')]).toEqual([
        `id-${kit.them}`,
        `at-${kit.me}`,
      ])
    })
  })
})
