import type { ConsentHash, TenantId, UnixMs } from '../kernel/index.ts'
import type { Queries } from '../storage/index.ts'
import type { CardStore } from './cards.ts'

interface CardTable {
  tenant_id: TenantId
  token: string
  request_id: string
  chat_id: string
  consent_hash: ConsentHash
  message_id: number | null
  created_at: UnixMs
}

declare module '../storage/tables.ts' {
  interface Tables {
    cards: CardTable
  }
}

export function createCardStore({ db }: Queries, tenant: TenantId): CardStore {
  const cards = () =>
    db
      .selectFrom('cards')
      .select([
        'token',
        'request_id as requestId',
        'chat_id as chatId',
        'consent_hash as consentHash',
        'message_id as messageId',
        'created_at as createdAt',
      ])
      .where('tenant_id', '=', tenant)
  const change = (token: string) =>
    db.updateTable('cards').where('tenant_id', '=', tenant).where('token', '=', token)

  return {
    byToken: (token) => cards().where('token', '=', token).executeTakeFirst(),
    byRequest: (requestId, chatId) =>
      cards().where('request_id', '=', requestId).where('chat_id', '=', chatId).executeTakeFirst(),
    async insert(card) {
      await db
        .insertInto('cards')
        .values({
          tenant_id: tenant,
          token: card.token,
          request_id: card.requestId,
          chat_id: card.chatId,
          consent_hash: card.consentHash,
          message_id: card.messageId,
          created_at: card.createdAt,
        })
        .execute()
    },
    async delivered(token, messageId) {
      await change(token).set({ message_id: messageId }).execute()
    },
    async renew(token, to) {
      await change(token).set({ token: to.token, consent_hash: to.consentHash }).execute()
    },
  }
}
