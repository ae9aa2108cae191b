import { remembering } from '../../kernel/index.ts'

/**
 * Endpoints whose answers tell their tokens, and where a request to each says how long an answer may be. A vendor reads only
 * the name that is its own: a limit in another one's is none. Endpoints that are on no list are not metered.
 */
export interface AnswerFormat {
  /** `reading`: tokens are read, none are written. */
  readonly kind: 'writing' | 'reading'
  /** Names of the member that the endpoint reads; the first is the one that is put in. */
  readonly names: readonly string[]
  /** Other vendors' names for it, whose value is put in under the first of `names` as well. */
  readonly aliases: readonly string[]
  /** The object that holds it, in all its spellings; none: it stands at the top. */
  readonly wrappers: readonly string[]
  /** Tokens of an answer when the request does not say; null: as many as the model can give. */
  readonly usual: number | null
}

const at = (names: readonly string[], more: Partial<AnswerFormat> = {}): AnswerFormat => ({
  ...{ kind: 'writing', names, aliases: [], wrappers: [], usual: null },
  ...more,
})

const CHAT_NEW = at(['max_completion_tokens', 'max_tokens'])
const CHAT_BOTH = at(['max_tokens', 'max_completion_tokens'])
const CHAT = at(['max_tokens'], { aliases: ['max_completion_tokens'] })
const COMPLETIONS = at(['max_tokens'])
/** OpenAI's API reference: 16 when it is left out. */
const COMPLETIONS_OPENAI = at(['max_tokens'], { usual: 16 })
const RESPONSES = at(['max_output_tokens'])
const MESSAGES = at(['max_tokens'])
const GEMINI = at(['maxOutputTokens', 'max_output_tokens'], {
  wrappers: ['generationConfig', 'generation_config'],
})
const CONVERSE = at(['maxTokens'], { wrappers: ['inferenceConfig'] })
const OLLAMA = at(['num_predict'], { wrappers: ['options'] })
const READING = at([], { kind: 'reading' })

/** OpenAI deprecated `max_tokens`, and its reasoning models refuse it. */
const NEW_NAME: ReadonlySet<string> = new Set(['openai', 'azure', 'groq', 'cerebras', 'xai'])
/** Read both names, by their documents. */
const BOTH_NAMES: ReadonlySet<string> = new Set(['openrouter', 'fireworks', 'google', 'vertex', 'github'])

const PREFIX = '(?:/v[0-9]+[a-z0-9]*|/beta|/openai(?:/v1)?|/deployments/[^/%]+)?'
const VERTEX = '/projects/[^/]+/locations/[^/]+'
const ends = (path: string): RegExp => new RegExp(`^${PREFIX}/${path}$`)

type Row = readonly [path: RegExp, format: (provider: string) => AnswerFormat]

const chat = (provider: string): AnswerFormat =>
  NEW_NAME.has(provider) ? CHAT_NEW : BOTH_NAMES.has(provider) ? CHAT_BOTH : CHAT

const ROWS: readonly Row[] = [
  [ends('chat/completions'), chat],
  [new RegExp(`^${VERTEX}/endpoints/[^/]+/chat/completions$`), chat],
  [
    ends('(?:fim/)?completions'),
    (provider) => (provider === 'openai' || provider === 'azure' ? COMPLETIONS_OPENAI : COMPLETIONS),
  ],
  [ends('responses'), () => RESPONSES],
  [ends('messages'), () => MESSAGES],
  [new RegExp(`^${VERTEX}/publishers/anthropic/models/[^/:%]+:(?:streamR|r)awPredict$`), () => MESSAGES],
  [/^\/model\/[^/]*anthropic\.[^/]+\/invoke(?:-with-response-stream)?$/, () => MESSAGES],
  [
    new RegExp(
      `^(?:/v[0-9]+[a-z0-9]*)?(?:${VERTEX}/publishers/google)?/models/[^/:%]+:(?:g|streamG)enerateContent$`,
    ),
    () => GEMINI,
  ],
  [/^\/model\/[^/]+\/converse(?:-stream)?$/, () => CONVERSE],
  [/^\/api\/(?:chat|generate)$/, () => OLLAMA],
  // Cohere's own form.
  [/^(?:\/v[12])?\/(?:chat|generate)$/, () => at(['max_tokens'])],
  [ends('(?:embeddings|rerank|embed)'), () => READING],
  [/^\/api\/embed(?:dings)?$/, () => READING],
  [/^(?:\/v[0-9]+[a-z0-9]*)?\/models\/[^/:]+:(?:e|batchE)mbedContents?$/, () => READING],
  [ends('moderations'), () => READING],
]

/** Null for an endpoint whose use its answer does not tell. `path` stands behind the provider's root, without query. */
export function answerFormat(provider: string, method: string, path: string): AnswerFormat | null {
  if (method !== 'POST') return null
  return rowOf(path)?.[1](provider) ?? null
}

const rowOf = remembering((path) => ROWS.find(([form]) => form.test(path)) ?? null)
