import { count, extrasBeside, extrasOfUsage, type Fields, fieldsOf, isFields, mergeExtras } from './extras.ts'
import type { TokenUsage, UsageExtras } from './ports.ts'

/**
 * Tokens out of one object of an answer, whoever sent it: each family is known by the names of its fields. A count
 * that is no whole number from 0 is as if it were not there. What the model wrote is never taken for a count, since
 * only the places where vendors put their usage are looked at.
 */

/** As far as one object tells; null where it says nothing. `input` holds the cached tokens as well. */
export interface ToldUsage {
  readonly input: number | null
  readonly output: number | null
  readonly cacheRead: number | null
  readonly cacheWrite: number | null
  readonly microUsd: number | null
  readonly extras?: UsageExtras | undefined
}

/** The first that is a count. */
function firstCount(...values: readonly unknown[]): number | null {
  for (const value of values) {
    const found = count(value)
    if (found !== null) return found
  }
  return null
}

/** Null when all are null, or when the sum is too large to be one. */
function sum(...counts: readonly (number | null)[]): number | null {
  let total: number | null = null
  for (const one of counts) if (one !== null) total = (total ?? 0) + one
  return count(total)
}

const inMicro = (value: unknown, perMicro: number): number | null =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? count(Math.round(value / perMicro))
    : null

const MICRO_IN_USD = 1e-6
/** xAI counts in ten-thousand-millionths of a dollar. */
const MICRO_IN_TICKS = 1e4

/** OpenRouter, Perplexity (an object), DeepInfra, xAI. */
function toldMoney(usage: Fields): number | null {
  const { cost } = usage
  const told =
    inMicro(cost, MICRO_IN_USD) ??
    inMicro(fieldsOf(cost).total_cost, MICRO_IN_USD) ??
    inMicro(usage.estimated_cost, MICRO_IN_USD) ??
    inMicro(usage.cost_in_usd_ticks, MICRO_IN_TICKS)
  // With the owner's own key at the vendor behind OpenRouter, `cost` is OpenRouter's fee alone.
  if (told === null || usage.is_byok !== true) return told
  return sum(told, inMicro(fieldsOf(usage.cost_details).upstream_inference_cost, MICRO_IN_USD))
}

/** OpenAI's chat completions and those who follow them. Cached tokens are part of the prompt's. */
function fromChat(usage: Fields): ToldUsage {
  const details = fieldsOf(usage.prompt_tokens_details)
  const input = count(usage.prompt_tokens)
  const completion = count(usage.completion_tokens)
  const total = count(usage.total_tokens)
  // xAI and Google leave the tokens of thinking out of the completion, but not out of the total.
  const output =
    total !== null && input !== null && total > input ? Math.max(completion ?? 0, total - input) : completion
  return {
    input,
    output,
    cacheRead: firstCount(
      details.cached_tokens,
      usage.prompt_cache_hit_tokens,
      usage.cache_read_input_tokens,
      usage.cached_tokens,
    ),
    cacheWrite: firstCount(
      details.cache_write_tokens,
      details.cache_creation_tokens,
      usage.cache_creation_input_tokens,
    ),
    microUsd: toldMoney(usage),
  }
}

/** OpenAI's Responses, whose input holds the cached tokens, and Anthropic's messages, whose input does not. */
function fromInputTokens(usage: Fields): ToldUsage {
  const input = count(usage.input_tokens)
  const output = count(usage.output_tokens)
  if (isFields(usage.input_tokens_details)) {
    const details = usage.input_tokens_details
    return {
      input,
      output,
      cacheRead: count(details.cached_tokens),
      cacheWrite: firstCount(details.cache_write_tokens, details.cache_creation_tokens),
      microUsd: toldMoney(usage),
    }
  }
  const cacheRead = count(usage.cache_read_input_tokens)
  const written = fieldsOf(usage.cache_creation)
  const byLifetime = sum(count(written.ephemeral_5m_input_tokens), count(written.ephemeral_1h_input_tokens))
  const cacheWrite = larger(count(usage.cache_creation_input_tokens), byLifetime)
  return {
    input: sum(input, cacheRead, cacheWrite),
    output,
    cacheRead,
    cacheWrite,
    microUsd: toldMoney(usage),
  }
}

/** Bedrock's Converse; the cached tokens stand beside the input. */
function fromBedrock(usage: Fields): ToldUsage {
  const cacheRead = firstCount(usage.cacheReadInputTokens, usage.cacheReadInputTokenCount)
  const cacheWrite = firstCount(usage.cacheWriteInputTokens, usage.cacheWriteInputTokenCount)
  return {
    input: sum(firstCount(usage.inputTokens, usage.inputTokenCount), cacheRead, cacheWrite),
    output: firstCount(usage.outputTokens, usage.outputTokenCount),
    cacheRead,
    cacheWrite,
    microUsd: null,
  }
}

function fromGemini(usage: Fields): ToldUsage {
  return {
    input: sum(count(usage.promptTokenCount), count(usage.toolUsePromptTokenCount)),
    output: sum(
      firstCount(usage.candidatesTokenCount, usage.responseTokenCount),
      count(usage.thoughtsTokenCount),
    ),
    cacheRead: count(usage.cachedContentTokenCount),
    cacheWrite: null,
    microUsd: null,
  }
}

/** Cohere: what was counted, else what was billed. */
function fromCohere(usage: Fields): ToldUsage | null {
  const counted = isFields(usage.tokens) ? usage.tokens : usage.billed_units
  if (!isFields(counted)) return null
  const billed = fieldsOf(usage.billed_units)
  const searches = count(billed.search_units)
  const unbilled =
    (count(counted.input_tokens) ?? 0) - (count(billed.input_tokens) ?? Number.POSITIVE_INFINITY)
  return {
    // Reranking is charged by searches alone.
    input: count(counted.input_tokens) ?? (searches === null ? null : 0),
    output: count(counted.output_tokens),
    cacheRead: count(usage.cached_tokens),
    cacheWrite: null,
    microUsd: null,
    ...(searches === null && unbilled <= 0
      ? {}
      : {
          extras: {
            ...(searches === null ? {} : { items: { search_unit: searches } }),
            ...(unbilled > 0 ? { unbilledInput: unbilled } : {}),
          },
        }),
  }
}

function fromUsage(usage: Fields): ToldUsage | null {
  if ('prompt_tokens' in usage || 'completion_tokens' in usage) return fromChat(usage)
  if ('input_tokens' in usage || 'output_tokens' in usage) return fromInputTokens(usage)
  if ('inputTokens' in usage || 'outputTokens' in usage) return fromBedrock(usage)
  if (usage.type === 'duration') return { ...NO_TOKENS }
  return fromCohere(usage)
}

const NO_TOKENS: ToldUsage = { input: 0, output: 0, cacheRead: null, cacheWrite: null, microUsd: null }

/** What one object says itself, not what it wraps. */
function fromPlace(place: Fields): ToldUsage | null {
  const { usage, usageMetadata } = place
  const [told, fields] = isFields(usage)
    ? [fromUsage(usage), usage]
    : isFields(usageMetadata)
      ? [fromGemini(usageMetadata), usageMetadata]
      : [null, place]
  if (told === null) return null
  const extras = extrasBeside(place, mergeExtras(told.extras, extrasOfUsage(fields)))
  return extras === undefined ? told : { ...told, extras }
}

/** Answers that are charged by the piece and tell no tokens: images at a price each, Mistral's pages. */
function fromPieces(value: Fields): ToldUsage | null {
  const pages = count(fieldsOf(value.usage_info).pages_processed)
  if (pages !== null) return { ...NO_TOKENS, extras: { items: { page: pages } } }
  const { data } = value
  const isImage = (one: unknown): boolean => isFields(one) && ('b64_json' in one || 'url' in one)
  if (!Array.isArray(data) || !data.some(isImage)) return null
  return { ...NO_TOKENS, extras: { items: { image: data.filter(isImage).length } } }
}

/** Where vendors wrap it: Responses' events, Anthropic's first event, Cohere's last, Groq's last. */
const WRAPPERS = ['response', 'message', 'delta', 'x_groq'] as const

/** What this object of an answer tells of tokens; null when nothing. */
export function readUsage(value: unknown): ToldUsage | null {
  if (!isFields(value)) return null
  const told = find(value)
  return told !== null && (told.input !== null || told.output !== null) ? told : null
}

function find(value: Fields): ToldUsage | null {
  const own = fromPlace(value)
  if (own !== null) return own
  for (const wrapper of WRAPPERS) {
    const inner = value[wrapper]
    const told = isFields(inner) ? fromPlace(inner) : null
    if (told !== null) return told
  }
  if ('prompt_eval_count' in value || 'eval_count' in value) {
    const [input, output] = [count(value.prompt_eval_count), count(value.eval_count)]
    return { input, output, cacheRead: null, cacheWrite: null, microUsd: null }
  }
  if (isFields(value.meta)) return fromCohere(value.meta)
  const metrics = value['amazon-bedrock-invocationMetrics']
  if (isFields(metrics)) return fromBedrock(metrics)
  const ofPrediction = fieldsOf(value.metrics)
  if ('input_token_count' in ofPrediction || 'output_token_count' in ofPrediction) {
    const input = count(ofPrediction.input_token_count)
    return {
      input,
      output: count(ofPrediction.output_token_count),
      cacheRead: null,
      cacheWrite: null,
      microUsd: null,
    }
  }
  // Moonshot's streams.
  const choices = value.choices
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  return isFields(choice) ? (fromPlace(choice) ?? fromPieces(value)) : fromPieces(value)
}

/**
 * Whether the figures in this object of an answer are the last ones: Anthropic tells the input at the beginning, Google and others
 * count up with every piece.
 */
export function isLastWord(value: unknown): boolean {
  if (!isFields(value)) return false
  const { type, done, candidates, choices } = value
  if (typeof type === 'string') {
    return type !== 'message_start' && !/^response\.(?:created|queued|in_progress)$/.test(type)
  }
  if (typeof done === 'boolean') return done
  if (Array.isArray(candidates) && candidates.length > 0) {
    return candidates.some((one) => typeof fieldsOf(one).finishReason === 'string')
  }
  if (Array.isArray(choices) && choices.length > 0) {
    return choices.some((one) => typeof fieldsOf(one).finish_reason === 'string')
  }
  return true
}

/** The model as the answer names it; null when it does not. */
export function readModel(value: unknown): string | null {
  if (!isFields(value)) return null
  for (const place of [value, value.response, value.message]) {
    if (!isFields(place)) continue
    for (const name of [place.model, place.modelVersion]) {
      if (typeof name === 'string' && name !== '') return name
    }
  }
  return null
}

const larger = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b)

/** Later objects of the same stream count from its beginning, so of each field the larger one holds. */
export function mergeUsage(before: ToldUsage | null, next: ToldUsage | null): ToldUsage | null {
  if (before === null || next === null) return before ?? next
  const extras = mergeExtras(before.extras, next.extras)
  return {
    input: larger(before.input, next.input),
    output: larger(before.output, next.output),
    cacheRead: larger(before.cacheRead, next.cacheRead),
    cacheWrite: larger(before.cacheWrite, next.cacheWrite),
    microUsd: larger(before.microUsd, next.microUsd),
    ...(extras === undefined ? {} : { extras }),
  }
}

/** As it is recorded; what was read from or written to a cache is never more than the input. */
export function tokenUsage(told: ToldUsage): TokenUsage {
  const input = told.input ?? 0
  const cacheRead = Math.min(told.cacheRead ?? 0, input)
  return {
    input,
    output: told.output ?? 0,
    cacheRead,
    cacheWrite: Math.min(told.cacheWrite ?? 0, input - cacheRead),
    toldMicroUsd: told.microUsd,
    ...(told.extras === undefined ? {} : { extras: told.extras }),
  }
}
