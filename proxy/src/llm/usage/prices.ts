import { DEFAULT_PRICES, MEDIA_PRICES, PRICED_LIKE } from './default-prices.ts'
import type { Price, TokenUsage } from './ports.ts'
import { contextRates, costOfItems, tierFactor } from './rates.ts'

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
/** The largest sum of usage. */
const LARGEST = Number.MAX_SAFE_INTEGER
/** What was found is kept for so many names. */
const REMEMBERED = 2_000

const SHIPPED: readonly Price[] = Object.entries(DEFAULT_PRICES).flatMap(([provider, rows]) =>
  rows.map(([model, input, output, cacheRead, cacheWrite]) => ({
    ...{ provider, model, input: micro(input), output: micro(output) },
    cacheRead: cacheRead == null ? null : micro(cacheRead),
    cacheWrite: cacheWrite === undefined ? null : micro(cacheWrite),
    // Google says so where sound costs more than text.
    ...(provider === 'google' ? { audioInput: micro(input) } : {}),
    ...mediaOf(provider, model),
  })),
)

function mediaOf(provider: string, model: string): Partial<Price> {
  const media = MEDIA_PRICES[provider]?.[model] ?? {}
  return Object.fromEntries(Object.entries(media).map(([name, usd]) => [name, micro(usd)]))
}

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

/** What is known of the money, and whether that is all of it. */
export interface Cost {
  /** In whole millionths of a dollar, rounded up, so that a limit holds for many small requests. */
  readonly microUsd: number
  /** False: something of it has no known price. */
  readonly isWhole: boolean
}

const WITHOUT_PRICE: Cost = { microUsd: 0, isWhole: false }

export function priced(usage: TokenUsage, price: Price | null, provider: string, model: string): Cost {
  if (usage.toldMicroUsd !== null) return { microUsd: usage.toldMicroUsd, isWhole: true }
  const { extras } = usage
  const ofItems = extras?.items === undefined ? 0 : costOfItems(provider, model, extras.items, price?.items)
  const noTokens = usage.input + usage.output === 0
  if (price === null && !noTokens) return { ...WITHOUT_PRICE, microUsd: ofItems ?? 0 }
  const ofTokens = price === null || noTokens ? 0 : costOfTokens(usage, price, model)
  const factor = ofTokens === 0 ? 1 : tierFactor(provider, model, extras?.tier)
  const tokens = ofTokens === null || factor === null ? null : Math.ceil((ofTokens * factor) / MICRO)
  return {
    microUsd: Math.min((tokens ?? 0) + (ofItems ?? 0), LARGEST),
    isWhole: tokens !== null && ofItems !== null,
  }
}

/** Null where a part of them has no known price. In millionths of a millionth. */
function costOfTokens(usage: TokenUsage, price: Price, model: string): number | null {
  const { input, output, cacheRead, cacheWrite, extras = {} } = usage
  const rates = contextRates(model, input)
  // An hour's cache is written at twice the input's price: Anthropic's rule for all its models.
  const hour = Math.min(extras.cacheWriteHour ?? 0, cacheWrite)
  const plain = Math.max(0, input - cacheRead - cacheWrite - (extras.unbilledInput ?? 0))
  // Which of it was read from a cache no vendor tells; what is left over counts as what it is.
  const audio = Math.min(extras.audioInput ?? 0, plain)
  const image = Math.min(extras.imageInput ?? 0, plain - audio)
  const spoken = Math.min(extras.audioOutput ?? 0, output)
  const drawn = Math.min(extras.imageOutput ?? 0, output - spoken)
  const isUnknown = (tokens: number, one: number | undefined): boolean => tokens > 0 && one === undefined
  if (isUnknown(spoken, price.audioOutput) || isUnknown(audio, price.audioInput)) return null
  return (
    rates.input *
      ((plain - audio - image) * price.input +
        audio * (price.audioInput ?? 0) +
        // Where images have no price of their own they cost what text does.
        image * (price.imageInput ?? price.input) +
        cacheRead * (price.cacheRead ?? price.input) +
        (cacheWrite - hour) * (price.cacheWrite ?? price.input) +
        hour * 2 * price.input) +
    rates.output *
      ((output - spoken - drawn) * price.output +
        spoken * (price.audioOutput ?? 0) +
        drawn * (price.imageOutput ?? price.output))
  )
}

/** Null: something of it has no known price. */
export function costOf(usage: TokenUsage, price: Price | null, model = '', provider = ''): number | null {
  const { microUsd, isWhole } = priced(usage, price, provider, model)
  return isWhole ? microUsd : null
}

/** The most that so many tokens can cost: whether the vendor writes the input to a cache is known only afterwards. */
export function dearestCost(
  price: Price,
  model: string,
  {
    input,
    output,
    mayHoldMedia = false,
  }: { readonly input: number; readonly output: number; readonly mayHoldMedia?: boolean },
): number {
  const rates = contextRates(model, input)
  const media = mayHoldMedia ? Math.max(price.audioInput ?? 0, price.imageInput ?? 0) : 0
  const ofInput = Math.max(price.input, price.cacheWrite ?? 0, price.cacheRead ?? 0, media)
  // A model that draws may do so unasked. (Sound has to be asked for, which a limit of money refuses.)
  const ofOutput = Math.max(price.output, price.imageOutput ?? 0)
  const perMillion = rates.input * input * ofInput + rates.output * output * ofOutput
  return Math.min(Math.ceil(perMillion / MICRO), LARGEST)
}

/** Vendors as those call them who sell the models of others and tell the money themselves. */
const RESOLD: Readonly<Record<string, string>> = {
  ...{
    openai: 'openai',
    anthropic: 'anthropic',
    google: 'google',
    deepseek: 'deepseek',
    mistralai: 'mistral',
  },
  ...{ 'x-ai': 'xai', xai: 'xai', cohere: 'cohere', perplexity: 'perplexity' },
}

/** More than any model costs: what is held for one whose price is told only afterwards. */
const DEAREST: Omit<Price, 'provider' | 'model'> = {
  ...{ input: micro(150), output: micro(600), cacheRead: null, cacheWrite: null },
}

/** For a reservation, where the vendor tells the cost in its answer: the price of the same model elsewhere, or more than any. */
export function resoldPrice(book: Pick<PriceBook, 'find'>, provider: string, model: string): Price {
  const [, vendor = '', name = ''] = /^([^/]+)\/([^:]+)(?::.*)?$/.exec(model) ?? []
  const known = Object.hasOwn(RESOLD, vendor) ? RESOLD[vendor] : undefined
  const price =
    known === undefined ? null : (book.find(known, name) ?? book.find(known, name.replaceAll('.', '-')))
  return price ?? { ...DEAREST, provider, model }
}
