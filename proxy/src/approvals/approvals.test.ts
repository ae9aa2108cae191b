import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDomainKit, type DomainKit } from '../../test/support/domain-kit.ts'
import { approver, asAgent, owner } from '../../test/support/principals.ts'
import { approverOfAccount } from '../identity/authentication.ts'
import { createConfiguredMemberships, type Memberships } from '../identity/index.ts'
import { type AgentId, DEFAULT_TENANT, SecretValue, type TenantId } from '../kernel/index.ts'
import { DECISIONS, isDecisionKind } from './index.ts'

describe('an answer to a card', () => {
  let dir: string
  let kit: DomainKit
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'oauth3-cards-'))
    kit = await createDomainKit({
      dir,
      telegramConfig: {
        token: new SecretValue('1:demo'),
        chatId: '42',
        approverIds: new Set(['7']),
        apiRoot: 'http://127.0.0.1:9',
        webhook: null,
      },
    })
  })
  afterEach(async () => {
    await kit[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true })
  })
  const issue = (chatId = '42') =>
    kit.storage.transaction((tx) => kit.cards.issue(tx, 'req_1' as never, chatId, 'a'.repeat(64) as never))

  it('is accepted from an approver, in its chat, once the card was delivered', async () => {
    const issued = await issue()
    const answer = { token: issued.token, chatId: '42', by: approver('7', 'Ann') }
    expect(await kit.storage.read((tx) => kit.cards.evaluate(tx, answer))).toEqual({
      accepted: false,
      reason: 'not_delivered',
    })
    await kit.storage.transaction((tx) => kit.cards.delivered(tx, issued, 5))
    expect(await kit.storage.read((tx) => kit.cards.evaluate(tx, answer))).toMatchObject({
      accepted: true,
      card: { requestId: 'req_1', messageId: 5 },
    })
  })

  it.each([
    ['a made-up token', { token: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'unknown_card'],
    ['an empty token', { token: '' }, 'unknown_card'],
    ['another chat', { chatId: '43' }, 'wrong_chat'],
    ['an agent', { by: asAgent('agt_1' as AgentId) }, 'not_approver'],
    ['the owner of another tenant', { by: owner('0', 'owner', 'other' as TenantId) }, 'not_approver'],
    ['nobody', { by: undefined }, 'not_approver'],
  ])('is refused from %s', async (_what, change, reason) => {
    const issued = await issue()
    await kit.storage.transaction((tx) => kit.cards.delivered(tx, issued, 5))
    expect(
      await kit.storage.read((tx) =>
        kit.cards.evaluate(tx, { token: issued.token, chatId: '42', by: approver('7', 'Ann'), ...change }),
      ),
    ).toEqual({
      accepted: false,
      reason,
    })
  })

  it('belongs to one card for each request and chat', async () => {
    expect((await issue()).token).toBe((await issue()).token)
    expect((await issue('43')).token).not.toBe((await issue()).token)
    expect((await issue()).token).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })

  it('is accepted from nobody when nobody is an approver', async () => {
    const issued = await issue()
    await kit.storage.transaction((tx) => kit.cards.delivered(tx, issued, 5))
    const answerOf = (memberships: Memberships) => ({
      token: issued.token,
      chatId: '42',
      by: approverOfAccount(memberships, DEFAULT_TENANT, { id: '7', name: 'Ann' }),
    })
    const accepted = (memberships: Memberships) =>
      kit.storage.read((tx) => kit.cards.evaluate(tx, answerOf(memberships)))
    expect(await accepted(kit.memberships)).toMatchObject({ accepted: true })
    expect(await accepted(createConfiguredMemberships())).toMatchObject({ accepted: false })
  })

  it('is one of the eight there are', () => {
    expect(Object.keys(DECISIONS)).toEqual([
      'once',
      'deny',
      'trust24h',
      'forever',
      'trust24h_any',
      'forever_any',
      'limited',
      'limited_any',
    ])
    for (const text of ['toString', '__proto__', 'constructor', 'approve', ''])
      expect(isDecisionKind(text)).toBe(false)
  })
})
