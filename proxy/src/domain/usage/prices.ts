import type { Price, TokenUsage } from './ports.ts'
import { PRICED_LIKE, SHIPPED_PRICES } from './shipped-prices.ts'

/**
 * What tokens cost. The owner's own prices come before the shipped ones, and of several that fit the longest one
 * counts. A model with a date or a `-latest` behind its name costs what the name alone does, where nothing more exact
 * is known; other beginnings of names say nothing, since a vendor's next model is not the last one's price.
 */
export interface PriceBook {
  /** Null when nobody knows. */
  find(provider: string, model: string): Price | null
  list(): readonly (Price & { readonly own: boolean })[]
  /** The owner's prices as they are stored, in the place of those before. */
  setOwn(prices: readonly Price[]): void
}

const MICRO = 1_000_000
/** The largest sum of the books. */
const LARGEST = Number.MAX_SAFE_INTEGER
/** What was found is kept for so many names. */
const REMEMBERED = 2_000

const SHIPPED: readonly Price[] = Object.entries(SHIPPED_PRICES).flatMap(([provider, rows]) =>
  rows.map(([model, input, output, cacheRead, cacheWrite]) => ({
    ...{ provider, model, input: micro(input), output: micro(output) },
    cacheRead: cacheRead == null ? null : micro(cacheRead),
    cacheWrite: cacheWrite === undefined ? null : micro(cacheWrite),
  })),
)

function micro(usd: number): number {
  return Math.round(usd * MICRO)
}

interface Shelf {
  readonly exact: ReadonlyMap<string, Price>
  /** The longest first. */
  readonly beginnings: readonly { readonly text: string; readonly price: Price }[]
}

function shelves(prices: readonly Price[]): ReadonlyMap<string, Shelf> {
  return new Map(
    [...Map.groupBy(prices, ({ provider }) => provider)].map(([provider, its]) => [
      provider,
      {
        exact: new Map(its.filter(({ model }) => !model.endsWith('*')).map((price) => [price.model, price])),
        beginnings: its
          .filter(({ model }) => model.endsWith('*'))
          .map((price) => ({ text: price.model.slice(0, -1), price }))
          .sort((a, b) => b.text.length - a.text.length),
      },
    ]),
  )
}

const SHIPPED_SHELVES = shelves(SHIPPED)

function lookUp(shelf: Shelf | undefined, model: string): Price | undefined {
  return shelf?.exact.get(model) ?? shelf?.beginnings.find(({ text }) => model.startsWith(text))?.price
}

/** `-2025-08-07`, `@20250929`, `-0709`, `-001`, `-latest`, `-preview-06-05`, `:free` is none of them. */
const DATED = /[-@](?:20\d\d-?\d\d-?\d\d|\d\d-\d{4}|\d{3,4}|latest|preview(?:-\d\d-\d\d(?:\d\d)?)?)$/

/** From the name as it is to the name without its date. */
function* namesOf(model: string): Generator<string> {
  let name = model.startsWith('models/') ? model.slice('models/'.length) : model
  yield name
  for (;;) {
    const shorter = name.replace(DATED, '')
    if (shorter === name) return
    name = shorter
    yield name
  }
}

export function createPriceBook(own: readonly Price[]): PriceBook {
  let ownPrices = own
  let ownShelves = shelves(own)
  const found = new Map<string, Map<string, Price | null>>()

  function search(provider: string, model: string): Price | null {
    const exact = lookUp(ownShelves.get(provider), model)
    if (exact !== undefined) return exact
    const like = Object.hasOwn(PRICED_LIKE, provider) ? PRICED_LIKE[provider] : undefined
    for (const name of namesOf(model)) {
      const price =
        lookUp(ownShelves.get(provider), name) ?? lookUp(SHIPPED_SHELVES.get(like ?? provider), name)
      if (price !== undefined) return price
    }
    return null
  }

  return {
    find(provider, model) {
      let ofProvider = found.get(provider)
      if (ofProvider === undefined) {
        ofProvider = new Map()
        found.set(provider, ofProvider)
      }
      const known = ofProvider.get(model)
      if (known !== undefined) return known
      const price = search(provider, model)
      if (ofProvider.size >= REMEMBERED) ofProvider.clear()
      ofProvider.set(model, price)
      return price
    },
    list() {
      const names = new Set(ownPrices.map(({ provider, model }) => `${provider} ${model}`))
      return [
        ...ownPrices.map((price) => ({ ...price, own: true })),
        ...SHIPPED.filter(({ provider, model }) => !names.has(`${provider} ${model}`)).map((price) => ({
          ...price,
          own: false,
        })),
      ]
    },
    setOwn(prices) {
      ownPrices = prices
      ownShelves = shelves(prices)
      found.clear()
    },
  }
}

/** In whole millionths of a dollar, rounded up, so that a limit holds for many small requests; null: no price. */
export function costOf(usage: TokenUsage, price: Price | null): number | null {
  if (usage.toldMicroUsd !== null) return usage.toldMicroUsd
  if (price === null) return null
  const { input, output, cacheRead, cacheWrite } = usage
  const perMillion =
    (input - cacheRead - cacheWrite) * price.input +
    cacheRead * (price.cacheRead ?? price.input) +
    cacheWrite * (price.cacheWrite ?? price.input) +
    output * price.output
  return Math.min(Math.ceil(perMillion / MICRO), LARGEST)
}
