import { expect, it } from 'vitest'
import { storeContract } from '../../../test/support/store-contract.ts'
import type { CodeHash } from '../../kernel/index.ts'
import { unreadableFacts } from './code-facts.ts'
import type { CodeFacts } from './facts.ts'
import { createFactsStore } from './facts-store.ts'

storeContract('the store of facts of code', { facts: createFactsStore }, (kit) => {
  const hash = 'a'.repeat(64) as CodeHash
  const facts = (why: string): CodeFacts => unreadableFacts('javascript', why)

  it('keeps them by code and language, and those of another version of the reader do not count', async () => {
    const odd = facts('a\0\ud800"ü')
    await kit.mine.transaction(async (tx) => {
      await tx.facts.put(hash, 'javascript', 1, facts('old'))
      await tx.facts.put(hash, 'python', 1, facts('python'))
      await tx.facts.put(hash, 'javascript', 2, odd)
    })
    await kit.mine.read(async (tx) => {
      expect(await tx.facts.get(hash, 'javascript', 2)).toEqual(odd)
      expect(await tx.facts.get(hash, 'javascript', 1)).toBeUndefined()
      expect(await tx.facts.get(hash, 'python', 1)).toEqual(facts('python'))
      expect(await tx.facts.get('b' as CodeHash, 'python', 1)).toBeUndefined()
    })
  })

  it('is put by two at once', async () => {
    await Promise.all(
      ['1', '2', '3'].map((n) => kit.mine.transaction((tx) => tx.facts.put(hash, 'python', 1, facts(n)))),
    )
    const kept = await kit.mine.read((tx) => tx.facts.get(hash, 'python', 1))
    expect([facts('1'), facts('2'), facts('3')]).toContainEqual(kept)
  })

  it('is of each tenant', async () => {
    await kit.theirs.transaction((tx) => tx.facts.put(hash, 'python', 1, facts('theirs')))
    expect(await kit.mine.read((tx) => tx.facts.get(hash, 'python', 1))).toBeUndefined()
    await kit.mine.transaction((tx) => tx.facts.put(hash, 'python', 2, facts('mine')))
    expect(await kit.theirs.read((tx) => tx.facts.get(hash, 'python', 1))).toEqual(facts('theirs'))
  })
})
