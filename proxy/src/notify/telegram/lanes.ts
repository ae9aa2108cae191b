import type { UnixMs } from '../../kernel/index.ts'
import type { Claim, PaceLimits } from '../bot-api/index.ts'
import type { OutboxMessage } from '../outbox/index.ts'

/**
 * Lanes of the outbox that lead into the chat. Within a lane the order holds; between lanes `createSendOrder` decides,
 * so that what one agent causes holds back neither what another one asks nor what a person waits for.
 */
export const TELEGRAM_LANES = 'telegram:'

/** What a person caused: the deletion of a message with a secret, a card that was asked for once more. */
export const personLane = (chatId: string): string => `${TELEGRAM_LANES}${chatId}`
/** Replies to commands. */
export const replyLane = (chatId: string): string => `${TELEGRAM_LANES}${chatId}/reply`
/** Cards of what one agent or app asks, and questions for the values that approved requests lack. */
export const cardLane = (chatId: string, requesterId: string): string =>
  `${TELEGRAM_LANES}${chatId}/card/${requesterId}`
/** What becomes of its cards, and what presses of their buttons change. No card waits for the end of another one. */
export const updateLane = (chatId: string, requesterId: string): string =>
  `${TELEGRAM_LANES}${chatId}/update/${requesterId}`
/** What nobody has to answer: failed runs of trusted code, limits that were passed. */
export const noticeLane = (chatId: string, requesterId: string): string =>
  `${TELEGRAM_LANES}${chatId}/notice/${requesterId}`

export const isCardLane = (lane: string): boolean => lane.includes('/card/')
export const isNoticeLane = (lane: string): boolean => lane.includes('/notice/')
/** The id of the agent or app whose lane of notices or cards it is. */
export const requesterOfLane = (lane: string): string => lane.split('/').at(-1) ?? ''

/** What goes next, and what of the pace it may use. */
export interface Choice {
  readonly message: OutboxMessage
  readonly rank: Rank
  readonly claim: Claim
}

/**
 * Replies; what a person caused; cards of agents that had none waiting; what becomes of cards; cards of agents that
 * have more waiting; notices.
 */
const RANK = { reply: 0, person: 1, firstCard: 2, update: 3, nextCard: 4, notice: 5 } as const
type Rank = (typeof RANK)[keyof typeof RANK]

/** An agent whose last card was asked for this many places of the pace ago, and was sent, has no backlog. */
const QUIET_PLACES = 1.5
/** So many others go before an update or a card of a backlog; then it has its turn before any of these, */
const PASSED = 3
/** and after so many also of the places that are kept for others. */
const PASSED_LONG = 6
/** Lanes whose last turn is remembered; a forgotten one is served once too early. */
const REMEMBERED_LANES = 1_000

/**
 * Chooses what is sent next of the oldest messages of each lane. Agents have their turns in each rank, the one whose last turn is longest ago first. Who asks faster than the chat takes
 * it waits behind those who do not; of the pace a share stays for it.
 */
export function createSendOrder(deps: {
  readonly pace: PaceLimits
  /** Of the clock that `createdAt` comes from. */
  readonly now: () => UnixMs
}) {
  const quietMs = (QUIET_PLACES * 1_000) / deps.pace.perSecond
  const lastTurns = new Map<string, { turn: number; at: UnixMs; askedAt: UnixMs; id: number; rank: Rank }>()
  let turn = 0
  /** How many others went while one of this rank waited. */
  const passed = { [RANK.update]: 0, [RANK.nextCard]: 0 }
  let waiting: ReadonlySet<Rank> = new Set()

  const rankOf = ({ id, lane, createdAt }: OutboxMessage): Rank => {
    if (lane.endsWith('/reply')) return RANK.reply
    if (isNoticeLane(lane)) return RANK.notice
    if (lane.includes('/update/')) return RANK.update
    if (!isCardLane(lane)) return RANK.person
    const last = lastTurns.get(lane)
    // One of several parts, or sent again.
    if (last?.id === id) return last.rank
    const isQuiet = last === undefined || (createdAt >= last.askedAt + quietMs && createdAt >= last.at)
    return isQuiet ? RANK.firstCard : RANK.nextCard
  }
  const passesOf = (rank: Rank): number => (rank === RANK.update || rank === RANK.nextCard ? passed[rank] : 0)
  /** Whose turn has come stands before everything that only agents wait for; who was passed more often first. */
  const orderOf = (rank: Rank): number => (passesOf(rank) >= PASSED ? RANK.person + 1 / passesOf(rank) : rank)
  const claimOf = (rank: Rank): Claim => {
    if (rank === RANK.notice) return 'spare'
    return rank <= RANK.firstCard || passesOf(rank) >= PASSED_LONG ? 'reserve' : 'usual'
  }
  const isBefore = (a: Choice, b: Choice): boolean => {
    const ranks = orderOf(a.rank) - orderOf(b.rank)
    if (ranks !== 0) return ranks < 0
    const turns = (lastTurns.get(a.message.lane)?.turn ?? 0) - (lastTurns.get(b.message.lane)?.turn ?? 0)
    return turns === 0 ? a.message.id < b.message.id : turns < 0
  }

  return {
    /** Of those for which there is a place in the pace; undefined when there is none. */
    next(due: readonly OutboxMessage[], hasPlace: (claim: Claim) => boolean): Choice | undefined {
      let first: Choice | undefined
      const ranks = new Set<Rank>()
      for (const message of due) {
        const rank = rankOf(message)
        ranks.add(rank)
        const choice = { message, rank, claim: claimOf(rank) }
        if ((first === undefined || isBefore(choice, first)) && hasPlace(choice.claim)) first = choice
      }
      waiting = ranks
      return first
    },
    /** The message took a place: others have their turn. */
    took({ message: { id, lane, createdAt }, rank }: Choice): void {
      turn += 1
      lastTurns.delete(lane)
      lastTurns.set(lane, { turn, at: deps.now(), askedAt: createdAt, id, rank })
      if (lastTurns.size > REMEMBERED_LANES) lastTurns.delete(lastTurns.keys().next().value as string)
      for (const one of [RANK.update, RANK.nextCard])
        passed[one] = rank === one || !waiting.has(one) ? 0 : passed[one] + 1
    },
  }
}
