import {
  type Clock,
  type ConsentHash,
  equalInConstantTime,
  randomToken,
  type UnixMs,
} from '../../kernel/index.ts'

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

export interface CardRepository {
  insert(card: Card): void
  byToken(token: string): Card | undefined
  byRequest(requestId: string, chatId: string): Card | undefined
  delivered(token: string, messageId: number): void
  /** The card of this token has another one from now on, and is of another hash. */
  renew(token: string, change: Pick<Card, 'token' | 'consentHash'>): void
}

interface CardAnswer {
  readonly token: string
  readonly chatId: string
  readonly userId: string
}

export type CardVerdict =
  | { readonly accepted: true; readonly card: Card }
  | {
      readonly accepted: false
      readonly reason: 'unknown_card' | 'wrong_chat' | 'not_approver' | 'not_delivered'
    }

/** The cards of what is asked and the evaluation of answers to them. */
export interface Cards {
  /** One card for each subject and chat; asking again gives the same, and a new token once its hash is another. */
  issue(requestId: string, chatId: string, consentHash: ConsentHash): Card
  byRequest(requestId: string, chatId: string): Card | undefined
  delivered(card: Card, messageId: number): void
  evaluate(answer: CardAnswer): CardVerdict
}

export function createCards(deps: {
  readonly repository: CardRepository
  readonly clock: Clock
  /** User ids that may answer. */
  readonly approverIds: ReadonlySet<string>
}): Cards {
  const { repository, clock } = deps
  return {
    issue(requestId, chatId, consentHash) {
      const existing = repository.byRequest(requestId, chatId)
      if (existing?.consentHash === consentHash) return existing
      if (existing) {
        // It is drawn anew, of something else: buttons of the older message decide nothing any more.
        const renewed = { token: randomToken(128), consentHash }
        repository.renew(existing.token, renewed)
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
      repository.insert(card)
      return card
    },
    byRequest: (requestId, chatId) => repository.byRequest(requestId, chatId),
    delivered: (card, messageId) => repository.delivered(card.token, messageId),
    evaluate({ token, chatId, userId }) {
      const card = repository.byToken(token)
      if (!card || !equalInConstantTime(card.token, token)) return { accepted: false, reason: 'unknown_card' }
      if (card.chatId !== chatId) return { accepted: false, reason: 'wrong_chat' }
      if (!deps.approverIds.has(userId)) return { accepted: false, reason: 'not_approver' }
      if (card.messageId === null) return { accepted: false, reason: 'not_delivered' }
      return { accepted: true, card }
    },
  }
}
