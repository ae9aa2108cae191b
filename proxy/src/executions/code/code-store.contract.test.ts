import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import type { CodeHash } from '../../kernel/index.ts'
import { createCodeStore } from './code-store.ts'

storeContract('the store of code', { codes: createCodeStore }, (kit) => {
  const hash = 'a'.repeat(64) as CodeHash
  const get = (storage = kit.mine) => storage.read(({ codes }) => codes.get(hash))
  const put = (text: string, storage = kit.mine) =>
    storage.transaction(({ codes }) => codes.put(hash, text, 5))

  it('keeps each text once, whatever is in it, and when it first came', async () => {
    const text = `${'ü🦀\r\n\t\u0001\ufeff\u2028'.repeat(50_000)}'"\\`
    await put(text)
    await put(text)
    expect(await get()).toBe(text)
    expect(await kit.mine.read(({ codes }) => codes.get('b'.repeat(64) as CodeHash))).toBeUndefined()
    expect(await kit.sql(`SELECT created_at FROM code WHERE tenant_id = '${kit.me}'`)).toEqual([
      { created_at: 5 },
    ])
  })

  it('mends a text that is another', async () => {
    await put('sound')
    await kit.sql(`UPDATE code SET text = 'altered' WHERE tenant_id = '${kit.me}'`)
    await put('sound')
    expect(await get()).toBe('sound')
  })

  it('is put by two at once', async () => {
    await Promise.all([put('same'), put('same'), put('same')])
    expect(await get()).toBe('same')
  })

  it('is of each tenant', async () => {
    await put('theirs', kit.theirs)
    expect(await get()).toBeUndefined()
    await put('mine')
    expect(await get(kit.theirs)).toBe('theirs')
  })

  it('is found through an index', async () => {
    await kit.sql(`INSERT INTO code (tenant_id, hash, text, created_at)
      SELECT '${kit.me}', 'h' || n, 't', n FROM (${kit.numbers(4_000)}) AS numbers`)
    await kit.sql('ANALYZE')
    await kit.expectIndexed('by hash', ({ codes }) => codes.get(hash))
  })
})
