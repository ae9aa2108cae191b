import { expect, it } from 'vitest'
import { storeContract } from '../../test/support/store-contract.ts'
import { type ConsentHash, randomToken } from '../kernel/index.ts'
import { createCardStore } from './card-store.ts'
import type { Card } from './cards.ts'

storeContract('the store of cards', { cards: createCardStore }, (kit) => {
  const card = (change: Partial<Card> = {}): Card => ({
    token: randomToken(128),
    requestId: 'req_1',
    chatId: '-1001234567890123',
    consentHash: 'a'.repeat(64) as ConsentHash,
    messageId: null,
    createdAt: 1_793_000_000_123,
    ...change,
  })
  const insert = (...cards: Card[]): Promise<void> =>
    kit.mine.transaction(async (tx) => {
      for (const each of cards) await tx.cards.insert(each)
    })
  const byToken = (token: string) => kit.mine.read(({ cards }) => cards.byToken(token))

  it('gives back a card by its token, and by what and where it asks', async () => {
    const [one, elsewhere] = [card(), card({ chatId: '2', messageId: 2 ** 40 })]
    await insert(one, elsewhere)
    await kit.mine.read(async ({ cards }) => {
      expect(await cards.byToken(one.token)).toEqual(one)
      expect(await cards.byRequest('req_1', '2')).toEqual(elsewhere)
      expect(await cards.byRequest('req_2', '2')).toBeUndefined()
      expect(await cards.byToken('')).toBeUndefined()
    })
  })

  it('is delivered and renewed by its token, and no other card is', async () => {
    const [one, other] = [card(), card({ requestId: 'req_2' })]
    await insert(one, other)
    const renewed = { token: randomToken(128), consentHash: 'b'.repeat(64) as ConsentHash }
    await kit.mine.transaction(async ({ cards }) => {
      await cards.delivered(one.token, 7)
      await cards.renew(one.token, renewed)
      // The older token is of no card any more.
      await cards.delivered(one.token, 8)
    })
    expect(await byToken(renewed.token)).toEqual({ ...one, ...renewed, messageId: 7 })
    expect(await byToken(one.token)).toBeUndefined()
    expect(await byToken(other.token)).toEqual(other)
  })

  it('is one for each subject and chat, whoever of two comes first', async () => {
    const outcomes = await Promise.allSettled([insert(card()), insert(card())])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('shows a tenant nothing of another, and changes nothing of it', async () => {
    const theirs = card()
    await kit.theirs.transaction(({ cards }) => cards.insert(theirs))
    await kit.mine.transaction(async ({ cards }) => {
      expect(await cards.byToken(theirs.token)).toBeUndefined()
      expect(await cards.byRequest(theirs.requestId, theirs.chatId)).toBeUndefined()
      await cards.delivered(theirs.token, 9)
      await cards.renew(theirs.token, { token: 'mine', consentHash: 'c' as ConsentHash })
      await cards.insert(card())
    })
    expect(await kit.theirs.read(({ cards }) => cards.byToken(theirs.token))).toEqual(theirs)
  })

  it('is found through an index', async () => {
    await kit.sql(`INSERT INTO cards (tenant_id, token, request_id, chat_id, consent_hash, created_at)
      SELECT '${kit.me}', 't' || n, 'req_' || n, '1', 'h', n FROM (${kit.numbers(4_000)}) AS numbers`)
    await kit.sql('ANALYZE')
    await kit.expectIndexed('by token', ({ cards }) => cards.byToken('t5'))
    await kit.expectIndexed('by request', ({ cards }) => cards.byRequest('req_5', '1'))
  })
})
