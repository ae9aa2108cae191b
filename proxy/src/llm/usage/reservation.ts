import type { Account } from './account.ts'
import type { Budget, Estimate, Price, Reservation, SpendingLimits } from './ports.ts'
import { dearestCost } from './prices.ts'
import { added } from './usage-buffer.ts'

/** What is held in the limits for a request until it is over. */
export interface Reserved extends Estimate {
  /** Tokens that each answer may have, where the request does not say; null: as it says. */
  readonly cap: number | null
}

/** A shorter answer is of no use, and OpenAI's Responses take no smaller limit. */
const SHORTEST_ANSWER = 16

/** Of a model that a request may use. */
export interface ModelPrice {
  readonly model: string
  readonly price: Price
}

/**
 * The most that a request may use: all its input at the dearest rate of input, every answer at its full length, at the dearest of
 * its models. One that leaves the length open gets as much as there is room for, and no more than its model can give.
 */
export function reservationOf(
  reservation: Reservation,
  /** Of every model it may use; empty where no money need be counted. */
  prices: readonly ModelPrice[],
  account: Pick<Account, 'room'>,
  limits: SpendingLimits,
  budget?: Pick<Budget, 'room'>,
): Reserved {
  const { inputTokens, outputTokens, uncapped = null, shortest = SHORTEST_ANSWER } = reservation
  const whole = reserved(reservation, prices, outputTokens, null)
  if (uncapped === null || uncapped === 0) return whole
  const room = smaller(account.room(limits), budget?.room())
  if (whole.tokens <= room.tokens && whole.microUsd <= room.microUsd) return whole
  const costs = (output: number): number => costOf(reservation, prices, output)
  let cap = Math.min(Math.floor(outputTokens / uncapped), Math.floor((room.tokens - inputTokens) / uncapped))
  const answer = costs(uncapped) - costs(0)
  if (answer > 0) {
    // The price of a token is rounded up above, so this is the first guess and never too high by much.
    cap = Math.min(
      cap,
      Math.floor(((room.microUsd - costs(0)) * SCALE) / (costs(uncapped * SCALE) - costs(0))),
    )
    while (cap >= shortest && costs(cap * uncapped) > room.microUsd) cap -= 1
  }
  if (cap >= shortest) return reserved(reservation, prices, cap * uncapped, cap)
  // What it is refused by is told of the least that it could do with.
  return reservation.shortest === undefined
    ? whole
    : reserved(reservation, prices, shortest * uncapped, shortest)
}

const smaller = (one: Estimate, other: Estimate | undefined): Estimate =>
  other === undefined
    ? one
    : { tokens: Math.min(one.tokens, other.tokens), microUsd: Math.min(one.microUsd, other.microUsd) }

/** So many answers' tokens are priced at once, for the rounding of one of them would be most of its price. */
const SCALE = 1_000_000

const reserved = (
  reservation: Reservation,
  prices: readonly ModelPrice[],
  output: number,
  cap: number | null,
): Reserved => ({
  tokens: added(reservation.inputTokens, output),
  microUsd: costOf(reservation, prices, output),
  cap,
})

/** Of the dearest of its models, with so many tokens of output. */
function costOf(
  { inputTokens: input, feeMicroUsd = 0, mayHoldMedia = false }: Reservation,
  prices: readonly ModelPrice[],
  output: number,
): number {
  let most = 0
  for (const { model, price } of prices) {
    const cost = dearestCost(price, model, { input, output, mayHoldMedia })
    most = Math.max(most, added(feeMicroUsd, cost))
  }
  return most
}
