import { remembering } from '../../kernel/index.ts'
import type { Provider } from '../providers/index.ts'
import {
  type AnswerFormat,
  answerFormat,
  answerLimitSplices,
  boundsOf,
  declaredLimit,
  type LimitMembers,
  limitName,
  type Reservation,
  type SpendingFacts,
  type SpendingLimits,
  type Splice,
} from '../usage/index.ts'
import { type LlmRefusal, refused } from './refusal.ts'

/**
 * The most that a request may use, under a limit on tokens or money. Whatever cannot be told from the request is refused:
 * docs/llm-proxy.md, "Limit enforcement". Nothing here is called for a grant without such a limit.
 */
export interface Spending {
  readonly estimate: Reservation
  /** The member that says how long an answer may be; '' where there are none. */
  readonly field: string
  /** What has to be put into the body, with the cap that it was admitted with. */
  splices(cap: number | null): readonly Splice[]
}

export interface SpendingRequest {
  readonly provider: Pick<Provider, 'name' | 'errors'>
  readonly method: string
  readonly path: string
  readonly query: string
  readonly websocket: boolean
  /** Flat name, value …, names in lower case. */
  readonly headers: readonly string[]
  readonly models: readonly (string | null)[]
  /** Of the body; null when there is none, or it was not looked through. */
  facts(): SpendingFacts | null
  /** Whether it may speak of something that is kept at the vendor. */
  refersToStored(): boolean
  /** The vendor is known to tell what is used there. */
  readonly isMetered: boolean
  /** Nothing is charged for it. */
  readonly isFree: boolean
  /** Answers that the body asks for at once. */
  readonly choices: number
  /** The vendor goes on after it has answered. */
  readonly isDeferred: boolean
}

/** Of the largest image: OpenAI counts up to 48,169 tokens for one (gpt-4o-mini), Anthropic 4,784, Google 4,128. */
const IMAGE_TOKENS = { openai: 50_000, anthropic: 5_000, google: 5_000 } as const
/** What vendors write around a request, and around one with tools (Anthropic: up to 804 tokens). */
const FRAME_TOKENS = 32
const TOOLS_TOKENS = 1_024

/** Headers that change the price of a request, by how their names begin. */
const DEARER_HEADERS = [
  // Bedrock's service tier, latency and guardrails; Vertex's priority; spilling over at Azure; gateways' own routing.
  ...['x-amzn-bedrock-', 'x-vertex-ai-llm-', 'x-ms-spillover', 'cf-aig-', 'x-portkey-'],
] as const
/** Models that go on by themselves, or let others write too, beyond the maximum of an answer. */
const UNBOUNDED_MODELS = /deep-?research|deep-?search|multi-agent|^(?:groq\/)?compound|^openrouter\/(?!auto$)/
/** What is stored at the vendor under such a name may bring a text, tools and limits along: OpenRouter's presets, Bedrock's prompts. */
const STORED_MODELS = /@preset\/|:prompt\//i
/**
 * Models that search by themselves, and those that a suffix lets search (openrouter.ai/docs/features/web-search). What it
 * costs is no token, and what was found is read as input that is not in the request.
 */
const SEARCHING_MODELS = /-search-(?:preview|api)|(?:^|\/)sonar|[:-]online(?=$|[:-])/i
const ruleOf = remembering((model) => {
  if (UNBOUNDED_MODELS.test(model)) return 'unbounded'
  if (STORED_MODELS.test(model)) return 'stored'
  return SEARCHING_MODELS.test(model) ? 'searching' : 'plain'
})
/** Perplexity tells the fee of its searches with the money of its answers: up to 22 $ for a thousand. */
const SEARCH_FEE_MICRO_USD = 22_000
/** Tokens of reasoning that a vendor does not count in the maximum of an answer: Qwen's models, by default. */
const REASONING_BESIDE: ReadonlyMap<string, number> = new Map([['qwen', 81_920]])
/** An agent's turn that ends sooner is lost. */
const SHORTEST_LOWERED = 1_024
const FAST_BETA = /fast-mode|priority/

const unmetered = (why: string): LlmRefusal =>
  refused('unmetered', `Tokens or money are limited here, and ${why}.`)

export function spendingOf(
  request: SpendingRequest,
  { microUsdPerDay }: SpendingLimits,
  isLowered = false,
): Spending | LlmRefusal {
  const { provider, method, path, models } = request
  if (request.websocket)
    return unmetered('what a realtime session uses is told in its messages, which pass unread')
  if (request.isFree) return NOTHING
  // Who tells what it used, and where its answer can be bounded beforehand.
  const format = request.isMetered ? answerFormat(provider.name, method, path) : null
  if (format === null) {
    return unmetered(`${method} ${path} is no endpoint whose answer is known to tell the tokens that it used`)
  }
  if (request.isDeferred) return unmetered('work that is done later tells what it used in another answer')
  const masked = maskOfFigures(request)
  if (masked !== null) return unmetered(`"${masked}" may leave the figures out of the answer; leave it out`)
  const facts = request.facts()
  if (facts === null) {
    return unmetered('a body that is not JSON, is encoded or is larger than 32 MiB is not looked through')
  }
  if (facts.unmetered !== null) {
    return unmetered(`what "${facts.unmetered}" adds to the request is not known; leave it out`)
  }
  const unbounded = models.find((model) => model !== null && ruleOf(model) === 'unbounded')
  if (unbounded != null) return unmetered(`${unbounded} may go on beyond the maximum of an answer`)
  const stored = models.find((model) => model !== null && ruleOf(model) === 'stored')
  if (stored != null) return unmetered(`what is stored under ${stored} adds to the request is not known`)
  const searching = searchingModel(request, microUsdPerDay)
  if (searching !== null) return searching
  if (microUsdPerDay !== null) {
    const dearer = facts.dearer ?? dearerHeader(request.headers)
    if (dearer !== null)
      return unmetered(`"${dearer}" asks for another price than the usual one; leave it out`)
  }
  const counted =
    facts.textTokens +
    facts.images * IMAGE_TOKENS[provider.errors] +
    FRAME_TOKENS +
    (facts.hasTools ? TOOLS_TOKENS : 0)
  // What is stored at the vendor, or is no text, may be as much as the model can read.
  const isWhole = facts.elsewhere === null && !request.refersToStored()
  const mayHoldMedia = !isWhole || facts.images > 0
  const read = isWhole ? counted : Math.max(counted, mostOf(models, 'context'))
  if (format.kind === 'reading') {
    // A query is read anew with each document.
    const inputTokens = read * Math.max(1, facts.documents)
    return { ...NOTHING, estimate: { inputTokens, outputTokens: 0, mayHoldMedia } }
  }
  const answers = request.choices * facts.prompts
  const declared = declaredLimit(facts.limits, format)
  const perAnswer = declared.tokens ?? format.usual
  const beside = Math.max(REASONING_BESIDE.get(provider.name) ?? 0, thinkingBeside(facts, perAnswer))
  const estimate: Reservation = {
    inputTokens: read,
    outputTokens: safe(((perAnswer ?? mostOf(models, 'output')) + beside) * answers),
    // A maximum that reasoning is not counted in caps nothing.
    uncapped: (perAnswer === null || isLowered) && beside === 0 ? answers : null,
    ...(isLowered && { shortest: shortestOf(facts, perAnswer) }),
    mayHoldMedia,
    feeMicroUsd: provider.name === 'perplexity' ? SEARCH_FEE_MICRO_USD : 0,
  }
  return new Writing(estimate, facts.limits, format, declared.mustBePutIn ? perAnswer : null)
}

/** The smallest maximum that a declared one is lowered to: thinking has to fit below it, and an answer behind that. */
const shortestOf = ({ thinkingTokens }: SpendingFacts, perAnswer: number | null): number => {
  const least = thinkingTokens + SHORTEST_LOWERED
  return perAnswer === null ? least : Math.min(perAnswer, least)
}

/** Of answers that are written, whose length may have to be put into the body. */
class Writing implements Spending {
  readonly estimate: Reservation
  readonly #limits: LimitMembers
  readonly #format: AnswerFormat
  /** Put in where no cap is. */
  readonly #tokens: number | null

  constructor(estimate: Reservation, limits: LimitMembers, format: AnswerFormat, tokens: number | null) {
    this.estimate = estimate
    this.#limits = limits
    this.#format = format
    this.#tokens = tokens
  }

  get field(): string {
    return limitName(this.#format)
  }

  splices(cap: number | null): readonly Splice[] {
    const tokens = cap ?? this.#tokens
    return tokens === null ? NO_SPLICES : answerLimitSplices(this.#limits, this.#format, tokens)
  }
}

const NO_SPLICES: readonly Splice[] = []

/**
 * Tokens of thinking beyond the maximum of an answer. A budget below it is a part of it; one that is not below it holds by itself
 * where thinking is interleaved with tool calls (platform.claude.com/docs/en/build-with-claude/extended-thinking), and is an error else.
 */
const thinkingBeside = ({ thinkingTokens }: SpendingFacts, perAnswer: number | null): number =>
  perAnswer !== null && thinkingTokens < perAnswer ? 0 : thinkingTokens

/** The largest of the models', or of one that nobody knows where none is named. */
function mostOf(models: readonly (string | null)[], of: 'output' | 'context'): number {
  let most = models.length === 0 ? boundsOf(null)[of] : 0
  for (const model of models) most = Math.max(most, boundsOf(model)[of])
  return most
}

const safe = (tokens: number): number => Math.min(tokens, Number.MAX_SAFE_INTEGER)

const NOTHING: Spending = {
  estimate: { inputTokens: 0, outputTokens: 0 },
  field: '',
  splices: () => [],
}

/** Google's APIs answer with these fields alone, so that a part of the tokens is unreported. */
function maskOfFigures({ headers, query }: Pick<SpendingRequest, 'headers' | 'query'>): string | null {
  const header = headers.find((name, at) => at % 2 === 0 && name === 'x-goog-fieldmask')
  if (header !== undefined || query === '') return header ?? null
  return [...new URLSearchParams(query).keys()].find((name) => /^\$?fields$/i.test(name)) ?? null
}

function dearerHeader(headers: readonly string[]): string | null {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string
    if (DEARER_HEADERS.some((start) => name.startsWith(start))) return name
    if (name === 'anthropic-beta' && FAST_BETA.test(headers[at + 1] as string)) return name
  }
  return null
}

/** Perplexity's answers tell the money of their searches too, so a limit on money counts them, and no other one does. */
function searchingModel(
  { provider, models }: SpendingRequest,
  microUsdPerDay: number | null,
): LlmRefusal | null {
  const model = models.find((name) => name !== null && ruleOf(name) === 'searching')
  if (model == null) return null
  const why = `what ${model} searches costs money that is in no count of tokens`
  if (provider.name !== 'perplexity') return unmetered(`${why}; use a model that does not search`)
  return microUsdPerDay === null ? unmetered(`${why}; a limit on money counts it`) : null
}
