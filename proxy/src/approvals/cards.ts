import { authorize, type Principal, resourceOf } from '../identity/index.ts'
import {
  type Clock,
  type ConsentHash,
  equalInConstantTime,
  type ReadTx,
  randomToken,
  type Tx,
  type UnixMs,
} from '../kernel/index.ts'

/** A card with buttons that was, or is about to be, shown in a chat. */
export interface Card {
  /** Of the request for approval, of whatever kind: `req_…`, `ask_…`. */
  readonly requestId: string
  readonly chatId: string
  /** In every button; 128 random bits, so a press cannot be made up. */
  readonly token: string
  readonly consentHash: ConsentHash
  /** Null until the chat has it. Nothing can be decided by a card that is not delivered. */
  readonly messageId: number | null
  readonly createdAt: UnixMs
}

interface CardReader {
  byToken(token: string): Promise<Card | undefined>
  byRequest(requestId: string, chatId: string): Promise<Card | undefined>
}

export interface CardStore extends CardReader {
  insert(card: Card): Promise<void>
  delivered(token: string, messageId: number): Promise<void>
  /** The card of this token has another one from now on, and is of another hash. */
  renew(token: string, change: Pick<Card, 'token' | 'consentHash'>): Promise<void>
}

declare module '../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly cards: StorePort<CardReader, CardStore>
  }
}

interface CardAnswer {
  readonly token: string
  readonly chatId: string
  /** Undefined: nobody who is known. */
  readonly by: Principal | undefined
}

export type CardVerdict =
  | { readonly accepted: true; readonly card: Card; readonly by: Principal }
  | {
      readonly accepted: false
      readonly reason: 'unknown_card' | 'wrong_chat' | 'not_approver' | 'not_delivered'
    }

/** The cards of what is asked and the evaluation of answers to them. */
export interface Cards {
  /** One card for each subject and chat; asking again gives the same, and a new token once its hash is another. */
  issue(tx: Tx, requestId: string, chatId: string, consentHash: ConsentHash): Promise<Card>
  byRequest(tx: ReadTx, requestId: string, chatId: string): Promise<Card | undefined>
  delivered(tx: Tx, card: Card, messageId: number): Promise<void>
  evaluate(tx: ReadTx, answer: CardAnswer): Promise<CardVerdict>
}

export function createCards({ clock }: { readonly clock: Clock }): Cards {
  return {
    async issue(tx, requestId, chatId, consentHash) {
      const existing = await tx.cards.byRequest(requestId, chatId)
      if (existing?.consentHash === consentHash) return existing
      if (existing) {
        // It is drawn anew, of something else: buttons of the older message decide nothing any more.
        const renewed = { token: randomToken(128), consentHash }
        await tx.cards.renew(existing.token, renewed)
        return { ...existing, ...renewed }
      }
      const card: Card = {
        requestId,
        chatId,
        token: randomToken(128),
        consentHash,
        messageId: null,
        createdAt: clock.now(),
      }
      await tx.cards.insert(card)
      return card
    },
    byRequest: (tx, requestId, chatId) => tx.cards.byRequest(requestId, chatId),
    delivered: (tx, card, messageId) => tx.cards.delivered(card.token, messageId),
    async evaluate(tx, { token, chatId, by }) {
      const card = await tx.cards.byToken(token)
      if (!card || !equalInConstantTime(card.token, token)) return { accepted: false, reason: 'unknown_card' }
      if (card.chatId !== chatId) return { accepted: false, reason: 'wrong_chat' }
      const resource = resourceOf(tx.tenant, 'approval.decide')
      if (by === undefined || !authorize(by, 'approval.decide', resource).allowed) {
        return { accepted: false, reason: 'not_approver' }
      }
      if (card.messageId === null) return { accepted: false, reason: 'not_delivered' }
      return { accepted: true, card, by }
    },
  }
}
