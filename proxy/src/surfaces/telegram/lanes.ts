import type { OutboxMessage } from '../../domain/outbox/index.ts'
import type { AgentId } from '../../kernel/index.ts'

/**
 * Lanes of the outbox that lead into the chat. Within a lane the order holds; between lanes `createSendOrder` decides,
 * so that what one agent causes holds back neither what another one asks nor what a person waits for.
 */
export const TELEGRAM_LANES = 'telegram:'

/** What a person caused: the deletion of a message with a secret. */
export const personLane = (chatId: string): string => `${TELEGRAM_LANES}${chatId}`
/** Replies to commands. */
export const replyLane = (chatId: string): string => `${TELEGRAM_LANES}${chatId}/reply`
/** Cards of one agent's requests and asks, what becomes of them, and what presses of their buttons change. */
export const cardLane = (chatId: string, agentId: string): string =>
  `${TELEGRAM_LANES}${chatId}/card/${agentId}`
/** What nobody has to answer: failed runs of trusted code, limits that were passed. */
export const noticeLane = (chatId: string, agentId: string): string =>
  `${TELEGRAM_LANES}${chatId}/notice/${agentId}`

export const isNoticeLane = (lane: string): boolean => lane.includes('/notice/')
/** The agent whose lane of notices or cards it is. */
export const agentOfLane = (lane: string): AgentId => (lane.split('/').at(-1) ?? '') as AgentId

/** Chooses what is sent next of the oldest messages of each lane. */
export interface SendOrder {
  /** Undefined when nothing may go out now: a notice goes out only while there is room to spare in the pace. */
  next(due: readonly OutboxMessage[], hasSpare: () => boolean): OutboxMessage | undefined
}

/** Replies first, then what a person caused, then cards with their agents in turn, then notices in the same way. */
const rankOf = (lane: string): number =>
  lane.endsWith('/reply') ? 0 : lane.includes('/card/') ? 2 : isNoticeLane(lane) ? 3 : 1

/** Lanes whose last turn is remembered; a forgotten one is served once too early. */
const REMEMBERED_LANES = 1_000

export function createSendOrder(): SendOrder {
  const lastTurn = new Map<string, number>()
  let turn = 0

  const isBefore = (a: OutboxMessage, b: OutboxMessage): boolean => {
    const ranks = rankOf(a.lane) - rankOf(b.lane)
    if (ranks !== 0) return ranks < 0
    const turns = (lastTurn.get(a.lane) ?? 0) - (lastTurn.get(b.lane) ?? 0)
    return turns === 0 ? a.id < b.id : turns < 0
  }

  return {
    next(due, hasSpare) {
      let first: OutboxMessage | undefined
      for (const message of due) if (first === undefined || isBefore(message, first)) first = message
      if (first === undefined || (isNoticeLane(first.lane) && !hasSpare())) return undefined
      turn += 1
      lastTurn.delete(first.lane)
      lastTurn.set(first.lane, turn)
      if (lastTurn.size > REMEMBERED_LANES) lastTurn.delete(lastTurn.keys().next().value as string)
      return first
    },
  }
}
