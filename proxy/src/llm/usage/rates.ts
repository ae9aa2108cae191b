import type { PricedItem, UsageExtras } from './ports.ts'

/**
 * What makes a request cheaper or dearer than its model's price, and what is charged by the piece. Put together on 2026-11-28 from
 * openai.com/api-priority-processing, developers.openai.com/api/docs/pricing, platform.claude.com/docs/en/about-claude/pricing and
 * ai.google.dev/gemini-api/docs/pricing, and compared with genai-prices 0.1.8. What is not here has no known price.
 */

/**
 * Above so many tokens of input all of a request costs more (OpenAI and Google: "long context"; Anthropic: "1M context window"; xAI:
 * "higher context pricing"; Claude Haiku 5.5: "long prompts").
 */
const LONG_CONTEXT: readonly (readonly [models: RegExp, above: number, input: number, output: number])[] = [
  [/^gpt-5\.4(?!-mini|-nano)|^gpt-5\.[5-9]|^gpt-6/, 272_000, 2, 1.5],
  [/^gemini-(?:2\.5|3|3\.1)-pro(?!-image)/, 200_000, 2, 1.5],
  [/^gemini-1\.5-/, 128_000, 2, 2],
  [/^claude-sonnet-4(?:-0|-5|-20\d{6})?(?:-20\d{6})?$/, 200_000, 2, 1.5],
  [/^claude-haiku-5-5/, 100_000, 5, 5],
  [/^grok-(?:4\.\d|build)/, 200_000, 2, 2],
  [/^grok-4(?:-\d|-fast|-latest|$)/, 128_000, 2, 2],
]
const SHORTEST = 100_000

export interface Rates {
  readonly input: number
  readonly output: number
}

const USUAL: Rates = { input: 1, output: 1 }

const bare = (model: string): string => model.slice(model.lastIndexOf('/') + 1)

export function contextRates(model: string, inputTokens: number): Rates {
  if (inputTokens <= SHORTEST) return USUAL
  const row = LONG_CONTEXT.find(([models, above]) => inputTokens > above && models.test(bare(model)))
  return row === undefined ? USUAL : { input: row[2], output: row[3] }
}

type Tier = NonNullable<UsageExtras['tier']>

/**
 * Of all rates of a model; the first row that fits. Batch and flex are half of a model's price wherever a vendor has them (the same
 * pages; learn.microsoft.com/azure/foundry/openai/how-to/flex-processing), and a model without flex is refused with 400, never served
 * at another rate, so that an answer that says flex is of a model that has it. The other tiers differ by model.
 */
const TIER_FACTORS: readonly (readonly [provider: RegExp, tier: Tier, models: RegExp, factor: number])[] = [
  [/^(?:openai|azure|anthropic|google|vertex|mistral)$/, 'batch', /^/, 0.5],
  [/^(?:openai|azure|google|vertex)$/, 'flex', /^/, 0.5],
  [/^groq$/, 'flex', /^/, 1],
  [/^(?:openai|azure)$/, 'priority', /^gpt-5\.5(?!-pro)/, 2.5],
  [/^(?:openai|azure)$/, 'priority', /^gpt-5-mini/, 1.8],
  [/^(?:openai|azure)$/, 'priority', /^gpt-5(?:\.[1-4])?(?:-mini|-codex|-chat)?(?:-20|$)/, 2],
  [/^(?:openai|azure)$/, 'priority', /^gpt-4\.1(?:-mini)?(?:-20|$)/, 1.75],
  [/^(?:openai|azure)$/, 'priority', /^gpt-4o(?:-20|$)/, 1.7],
  [/^(?:openai|azure)$/, 'priority', /^o3(?:-20|$)/, 1.75],
  [/^anthropic$/, 'fast', /^claude-opus-4-6/, 6],
  [/^anthropic$/, 'us', /^claude-/, 1.1],
]

/** Null where the tier has no known price for the model. */
export function tierFactor(provider: string, model: string, tier: Tier | undefined): number | null {
  if (tier === undefined) return 1
  const row = TIER_FACTORS.find(
    ([providers, name, models]) => name === tier && providers.test(provider) && models.test(bare(model)),
  )
  return row?.[3] ?? null
}

/** In millionths of a dollar for one. `once`: one at most for each request. */
const ITEMS: readonly (readonly [
  provider: RegExp,
  item: PricedItem,
  models: RegExp,
  each: number,
  once?: 'once',
])[] = [
  [/^anthropic$/, 'web_search', /^/, 10_000],
  [/^(?:openai|azure)$/, 'web_search', /^/, 10_000],
  [/^(?:openai|azure)$/, 'web_search_preview', /^(?:gpt-4|chatgpt)/, 25_000],
  [/^(?:openai|azure)$/, 'web_search_preview', /^/, 10_000],
  [/^(?:openai|azure)$/, 'file_search', /^/, 2_500],
  [/^(?:google|vertex)$/, 'web_search', /^gemini-[12]/, 35_000, 'once'],
  [/^(?:google|vertex)$/, 'web_search', /^gemini-/, 14_000],
  [/^xai$/, 'source', /^/, 25_000],
  [/^cohere$/, 'search_unit', /^rerank-(?:v3\.5|english-v3|multilingual-v3)/, 2_000],
  [/^(?:openai|azure)$/, 'audio_second', /^whisper-1$/, 100],
  [/^(?:openai|azure)$/, 'audio_second', /^gpt-transcribe$/, 75],
]

/** Null where one of them has no known price. `own`: the owner's, which come first. */
export function costOfItems(
  provider: string,
  model: string,
  items: UsageExtras['items'],
  own: UsageExtras['items'] = {},
): number | null {
  let sum: number | null = 0
  for (const [name, times] of Object.entries(items ?? {})) {
    const each = own[name as PricedItem]
    if (each !== undefined) {
      if (sum !== null) sum += each * times
      continue
    }
    const row = ITEMS.find(
      ([providers, item, models]) => item === name && providers.test(provider) && models.test(bare(model)),
    )
    if (row === undefined) sum = null
    else if (sum !== null) sum += row[3] * (row[4] === 'once' ? Math.min(times, 1) : times)
  }
  return sum
}
