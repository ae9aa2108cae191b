import type { Estimate } from './account.ts'
import { added } from './books.ts'
import type { Price, Reservation } from './ports.ts'
import { dearestCost } from './prices.ts'

/** What is held in the limits for a request until it is over. */
export interface Reserved extends Estimate {
  /** Tokens that each answer may have, where the request does not say; null: as it says. */
  readonly cap: number | null
}

/** A shorter answer is of no use, and OpenAI's Responses take no smaller limit. */
const SHORTEST_ANSWER = 16

/**
 * The most that a request may use: all its input at the dearest rate of input, every answer at its full length, at the dearest of
 * its models. One that leaves the length open gets as much as there is room for, and no more than its model can give.
 */
export function reservationOf(
  { inputTokens, outputTokens, uncapped = null, feeMicroUsd = 0, mayHoldMedia = false }: Reservation,
  /** Of every model it may use; empty where no money need be counted. */
  prices: readonly { readonly model: string; readonly price: Price }[],
  room: Estimate,
): Reserved {
  const costs = (output: number): number =>
    prices.reduce(
      (most, { model, price }) =>
        Math.max(
          most,
          added(feeMicroUsd, dearestCost(price, model, { input: inputTokens, output, mayHoldMedia })),
        ),
      0,
    )
  const reserved = (output: number, cap: number | null): Reserved => ({
    ...{ tokens: added(inputTokens, output), microUsd: costs(output), cap },
  })
  const whole = reserved(outputTokens, null)
  if (uncapped === null || uncapped === 0) return whole
  if (whole.tokens <= room.tokens && whole.microUsd <= room.microUsd) return whole
  let cap = Math.min(Math.floor(outputTokens / uncapped), Math.floor((room.tokens - inputTokens) / uncapped))
  const answer = costs(uncapped) - costs(0)
  if (answer > 0) {
    // The price of a token is rounded up above, so this is the first guess and never too high by much.
    cap = Math.min(
      cap,
      Math.floor(((room.microUsd - costs(0)) * SCALE) / (costs(uncapped * SCALE) - costs(0))),
    )
    while (cap >= SHORTEST_ANSWER && costs(cap * uncapped) > room.microUsd) cap -= 1
  }
  return cap >= SHORTEST_ANSWER ? reserved(cap * uncapped, cap) : whole
}

/** So many answers' tokens are priced at once, for the rounding of one of them would be most of its price. */
const SCALE = 1_000_000
