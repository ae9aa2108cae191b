import type { PricedItem, UsageExtras } from './ports.ts'

/**
 * What an answer tells beside plain tokens, and what is charged apart: caches of an hour, sound and images, searches and other tools of the
 * vendor's, another rate of service. Names as the vendors' API references of November 2026 have them. Whatever looks charged and has no
 * name here is an item `other`, which has no price.
 */

export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})

export const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null

const NONE: readonly Fields[] = []

const listOf = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isFields) : NONE)

type Building = { -readonly [K in keyof UsageExtras]: UsageExtras[K] } & {
  items?: Partial<Record<PricedItem, number>>
}

const add = (extras: Building, item: PricedItem, more: number | null): void => {
  if (more !== null && more > 0)
    extras.items = { ...extras.items, [item]: (extras.items?.[item] ?? 0) + more }
}

/** What stands in the usage itself; undefined where all of it is plain. */
export function extrasOfUsage(usage: Fields): UsageExtras | undefined {
  const extras: Building = {}
  // Anthropic: {ephemeral_5m_input_tokens, ephemeral_1h_input_tokens}; Bedrock: [{ttl, inputTokens}].
  const hour = count(fieldsOf(usage.cache_creation).ephemeral_1h_input_tokens)
  if (hour !== null && hour > 0) extras.cacheWriteHour = hour
  for (const { ttl, inputTokens } of listOf(usage.cacheDetails)) {
    if (ttl === '1h') extras.cacheWriteHour = (extras.cacheWriteHour ?? 0) + (count(inputTokens) ?? 0)
  }
  readKinds(usage, extras)
  readTools(usage, extras)
  const tier = tierOf(usage)
  if (tier !== null) extras.tier = tier
  return isEmpty(extras) ? undefined : extras
}

function isEmpty(extras: UsageExtras): boolean {
  for (const _ in extras) return false
  return true
}

/** Tokens of sound and of images: parts of the input or the output. */
function readKinds(usage: Fields, extras: Building): void {
  const input = fieldsOf(
    usage.prompt_tokens_details ?? usage.input_tokens_details ?? usage.input_token_details,
  )
  const output = fieldsOf(
    usage.completion_tokens_details ?? usage.output_tokens_details ?? usage.output_token_details,
  )
  set(extras, 'audioInput', count(input.audio_tokens))
  set(extras, 'imageInput', count(input.image_tokens))
  set(extras, 'audioOutput', count(output.audio_tokens))
  set(extras, 'imageOutput', count(output.image_tokens))
  // Gemini: [{modality, tokenCount}].
  for (const { modality, tokenCount } of listOf(usage.promptTokensDetails)) {
    if (modality === 'AUDIO') set(extras, 'audioInput', count(tokenCount))
  }
  for (const { modality, tokenCount } of listOf(
    usage.candidatesTokensDetails ?? usage.responseTokensDetails,
  )) {
    if (modality === 'AUDIO') set(extras, 'audioOutput', count(tokenCount))
    if (modality === 'IMAGE') set(extras, 'imageOutput', count(tokenCount))
  }
}

function set(
  extras: Building,
  name: 'audioInput' | 'imageInput' | 'audioOutput' | 'imageOutput',
  of: number | null,
): void {
  if (of !== null && of > 0) extras[name] = (extras[name] ?? 0) + of
}

/** Anthropic's and those like it; `web_fetch_requests` cost nothing (platform.claude.com, web fetch tool). */
const SERVER_TOOLS: ReadonlyMap<string, PricedItem | null> = new Map<string, PricedItem | null>([
  ['web_search_requests', 'web_search'],
  ['web_fetch_requests', null],
  ['code_execution_requests', 'code_execution'],
  ['tool_search_requests', null],
])

function readTools(usage: Fields, extras: Building): void {
  const { server_tool_use: tools, connectors } = usage
  for (const [name, times] of isFields(tools) ? Object.entries(tools) : []) {
    const item = SERVER_TOOLS.get(name)
    if (item !== null) add(extras, item ?? 'other', count(times))
  }
  // xAI's live search, Perplexity's searches, Mistral's connectors.
  add(extras, 'source', count(usage.num_sources_used))
  add(extras, 'web_search', count(usage.num_search_queries))
  for (const [name, times] of isFields(connectors) ? Object.entries(connectors) : []) {
    add(extras, CONNECTORS.get(name) ?? 'other', count(times))
  }
  // OpenAI's transcriptions: {type: 'duration', seconds}.
  if (usage.type === 'duration' && typeof usage.seconds === 'number' && usage.seconds > 0) {
    add(extras, 'audio_second', Math.ceil(usage.seconds))
  }
}

const CONNECTORS: ReadonlyMap<string, PricedItem> = new Map([
  ['web_search', 'web_search'],
  ['code_interpreter', 'code_execution'],
  ['image_generation', 'image'],
])

/** Of Google, by `trafficType`; of Bedrock, by `serviceTier.type`; of others, by `service_tier`. What is usual is null. */
const TIERS: ReadonlyMap<string, NonNullable<UsageExtras['tier']> | null> = new Map<
  string,
  NonNullable<UsageExtras['tier']> | null
>([
  ...(['default', 'standard', 'auto', 'on_demand', 'standard_only', 'unspecified', ''] as const).map(
    (name) => [name, null] as const,
  ),
  ['traffic_type_unspecified', null],
  ['flex', 'flex'],
  ['on_demand_flex', 'flex'],
  ['batch', 'batch'],
  ['priority', 'priority'],
  ['on_demand_priority', 'priority'],
  // Paid for in advance, by the month.
  ['provisioned_throughput', 'other'],
])

/** As the places say that may name one: a usage, or the object that it stands in. */
function tierOf(place: Fields): NonNullable<UsageExtras['tier']> | null {
  const { service_tier, serviceTier, trafficType, speed, inference_geo } = place
  // Anthropic: 6 times as much for `fast`, 1.1 times as much within the United States.
  if (speed === 'fast') return inference_geo === 'us' ? 'other' : 'fast'
  const tierName = service_tier ?? (isFields(serviceTier) ? serviceTier.type : serviceTier) ?? trafficType
  const tier = typeof tierName === 'string' ? TIERS.get(tierName.toLowerCase()) : null
  if (inference_geo === 'us') return tier == null ? 'us' : 'other'
  return tier === undefined ? 'other' : tier
}

/** Items of a Responses answer that the vendor charges for by the call. */
const CALLS: ReadonlyMap<string, PricedItem> = new Map([
  ['web_search_call', 'web_search'],
  ['file_search_call', 'file_search'],
  ['code_interpreter_call', 'code_execution'],
])

/** What stands beside the usage in the object that holds it; `usage` is what was read there already. */
export function extrasBeside(place: Fields, usage: UsageExtras | undefined): UsageExtras | undefined {
  const extras: Building = {}
  const isPreview = listOf(place.tools).some(({ type }) => String(type).startsWith('web_search_preview'))
  for (const { type } of listOf(place.output)) {
    const item = typeof type === 'string' ? CALLS.get(type) : undefined
    if (item !== undefined) add(extras, item === 'web_search' && isPreview ? 'web_search_preview' : item, 1)
  }
  for (const { groundingMetadata } of listOf(place.candidates)) {
    const { webSearchQueries } = fieldsOf(groundingMetadata)
    if (Array.isArray(webSearchQueries)) add(extras, 'web_search', webSearchQueries.length)
  }
  const tier = tierOf(place)
  if (tier !== null) extras.tier = tier
  return isEmpty(extras) ? usage : mergeExtras(usage, extras)
}

const COUNTS = [
  ...(['cacheWriteHour', 'audioInput', 'imageInput', 'audioOutput', 'imageOutput', 'unbilledInput'] as const),
]

const larger = (a: number | undefined, b: number | undefined): number => Math.max(a ?? 0, b ?? 0)

/** Of each count the larger one: later objects of a stream count from its beginning. */
export function mergeExtras(
  before: UsageExtras | undefined,
  next: UsageExtras | undefined,
): UsageExtras | undefined {
  if (before === undefined || next === undefined) return before ?? next
  const merged: Building = {}
  for (const name of COUNTS) {
    const most = larger(before[name], next[name])
    if (most > 0) merged[name] = most
  }
  const tier = next.tier ?? before.tier
  if (tier !== undefined) merged.tier = tier
  const names = Object.keys({ ...before.items, ...next.items }) as PricedItem[]
  if (names.length > 0) {
    merged.items = Object.fromEntries(
      names.map((name) => [name, larger(before.items?.[name], next.items?.[name])]),
    )
  }
  return merged
}
