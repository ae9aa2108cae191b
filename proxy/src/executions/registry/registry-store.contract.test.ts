import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import type { Registry } from './ports.ts'
import { createSkillStore } from './registry-store.ts'

storeContract('the store of registries', { skills: createSkillStore }, (kit) => {
  const registry = (change: Partial<Registry> = {}): Registry => ({
    name: 'acme',
    url: 'https://skills.example.com/index.json',
    key: 'ed25519:one',
    sequence: 1,
    indexHash: 'a'.repeat(64),
    expiresAt: 1_793_000_000_123,
    fetchedAt: 1_793_000_000_000,
    addedAt: 1_793_000_000_000,
    addedBy: 'cli:0',
    ...change,
  })
  const all = () => kit.mine.read(({ skills }) => skills.registries())

  it('gives back registries by name, and the text of an index by itself', async () => {
    await kit.mine.transaction(async ({ skills }) => {
      await skills.insertRegistry(registry({ name: 'zeta' }), 'text of zeta')
      await skills.insertRegistry(registry(), 'text of acme')
    })
    expect(await all()).toEqual([registry(), registry({ name: 'zeta' })])
    await kit.mine.read(async ({ skills }) => {
      expect(await skills.indexText('zeta')).toBe('text of zeta')
      expect(await skills.indexText('other')).toBeUndefined()
    })
  })

  it('keeps a newer index, and neither another key nor another address with it', async () => {
    const newer = { sequence: Number.MAX_SAFE_INTEGER, indexHash: 'b'.repeat(64), expiresAt: 2, fetchedAt: 3 }
    await kit.mine.transaction(async ({ skills }) => {
      await skills.insertRegistry(registry(), 'old')
      await skills.updateIndex(registry({ ...newer, key: 'ed25519:two', url: 'https://evil.example' }), 'new')
    })
    expect(await all()).toEqual([registry(newer)])
    expect(await kit.mine.read(({ skills }) => skills.indexText('acme'))).toBe('new')
    await kit.mine.transaction(({ skills }) => skills.removeRegistry('acme'))
    expect(await all()).toEqual([])
  })

  it('keeps one pin a version and one accepted key a name, the last of each', async () => {
    const pin = { name: 'report', version: '1.0.0', sha256: 'a', pinnedAt: 1, pinnedBy: 'cli:0' }
    const key = { name: 'report', key: 'ed25519:one', acceptedAt: 1, acceptedBy: 'cli:0' }
    await kit.mine.transaction(async ({ skills }) => {
      for (const version of ['1.0.0', '1.1.0']) await skills.putPin({ ...pin, version })
      await skills.putPin({ ...pin, sha256: 'b' })
      await skills.accept(key)
      await skills.accept({ ...key, key: 'ed25519:two' })
    })
    await kit.mine.read(async ({ skills }) => {
      expect(await skills.pins()).toEqual([
        { ...pin, sha256: 'b' },
        { ...pin, version: '1.1.0' },
      ])
      expect(await skills.publisherOf('report')).toEqual({ ...key, key: 'ed25519:two' })
      expect(await skills.publisherOf('other')).toBeUndefined()
      expect(await skills.acceptedNames()).toEqual(['report'])
    })
    await kit.mine.transaction(({ skills }) => skills.removePin(pin))
    expect(await kit.mine.read(({ skills }) => skills.pins())).toEqual([{ ...pin, version: '1.1.0' }])
  })

  it('has nothing of another tenant', async () => {
    await kit.theirs.transaction(async ({ skills }) => {
      await skills.insertRegistry(registry(), 'theirs')
      await skills.putPin({ name: 'report', version: '1.0.0', sha256: 'a', pinnedAt: 1, pinnedBy: 'cli:0' })
      await skills.accept({ name: 'report', key: 'ed25519:one', acceptedAt: 1, acceptedBy: 'cli:0' })
    })
    await kit.mine.read(async ({ skills }) => {
      expect(await skills.registries()).toEqual([])
      expect(await skills.indexText('acme')).toBeUndefined()
      expect(await skills.pins()).toEqual([])
      expect(await skills.publisherOf('report')).toBeUndefined()
    })
    await kit.mine.transaction(({ skills }) => skills.removeRegistry('acme'))
    expect(await kit.theirs.read(({ skills }) => skills.registries())).toHaveLength(1)
  })
})
