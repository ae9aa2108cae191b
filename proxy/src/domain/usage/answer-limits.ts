import { spliced } from './body-scan.ts'
import { keyOf, parsedAt, visitMembers } from './json-members.ts'

/**
 * Endpoints whose answers tell their tokens, and where a request to each says how long an answer may be. A vendor reads only
 * the name that is its own: a limit in another one's is none. Endpoints that are on no list are not metered.
 */
export interface AnswerFormat {
  /** `free`: nothing is charged for it. `reading`: tokens are read, none are written. */
  readonly kind: 'writing' | 'reading' | 'free'
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
const FREE = at([], { kind: 'free' })

/** OpenAI deprecated `max_tokens`, and its reasoning models refuse it. */
const NEW_NAME: ReadonlySet<string> = new Set(['openai', 'azure', 'groq', 'cerebras', 'xai'])
/** Read both names, by their documents. */
const BOTH_NAMES: ReadonlySet<string> = new Set(['openrouter', 'fireworks', 'google', 'vertex', 'github'])

const PREFIX = '(?:/v[0-9]+[a-z0-9]*|/beta|/openai(?:/v1)?|/deployments/[^/%]+)?'
const VERTEX = '/projects/[^/]+/locations/[^/]+'
const ends = (path: string): RegExp => new RegExp(`^${PREFIX}/${path}$`)

type Row = readonly [method: 'POST' | 'GET', path: RegExp, format: (provider: string) => AnswerFormat]

const chat = (provider: string): AnswerFormat =>
  NEW_NAME.has(provider) ? CHAT_NEW : BOTH_NAMES.has(provider) ? CHAT_BOTH : CHAT

const ROWS: readonly Row[] = [
  ['POST', ends('chat/completions'), chat],
  ['POST', new RegExp(`^${VERTEX}/endpoints/[^/]+/chat/completions$`), chat],
  [
    'POST',
    ends('(?:fim/)?completions'),
    (provider) => (provider === 'openai' || provider === 'azure' ? COMPLETIONS_OPENAI : COMPLETIONS),
  ],
  ['POST', ends('responses'), () => RESPONSES],
  ['POST', ends('messages'), () => MESSAGES],
  [
    'POST',
    new RegExp(`^${VERTEX}/publishers/anthropic/models/[^/:%]+:(?:streamR|r)awPredict$`),
    () => MESSAGES,
  ],
  ['POST', /^\/model\/[^/]*anthropic\.[^/]+\/invoke(?:-with-response-stream)?$/, () => MESSAGES],
  [
    'POST',
    new RegExp(
      `^(?:/v[0-9]+[a-z0-9]*)?(?:${VERTEX}/publishers/google)?/models/[^/:%]+:(?:g|streamG)enerateContent$`,
    ),
    () => GEMINI,
  ],
  ['POST', /^\/model\/[^/]+\/converse(?:-stream)?$/, () => CONVERSE],
  ['POST', /^\/api\/(?:chat|generate)$/, () => OLLAMA],
  // Cohere's own form.
  ['POST', /^(?:\/v[12])?\/(?:chat|generate)$/, () => at(['max_tokens'])],
  ['POST', ends('(?:embeddings|rerank|embed)'), () => READING],
  ['POST', /^\/api\/embed(?:dings)?$/, () => READING],
  ['POST', /^(?:\/v[0-9]+[a-z0-9]*)?\/models\/[^/:]+:(?:e|batchE)mbedContents?$/, () => READING],
  [
    'POST',
    ends('moderations'),
    (provider) => (provider === 'openai' || provider === 'azure' ? FREE : READING),
  ],
  [
    'POST',
    ends('(?:messages/count_tokens|responses/input_tokens|tokenize|detokenize|tokenize-text)'),
    () => FREE,
  ],
  [
    'POST',
    new RegExp(`^(?:/v[0-9]+[a-z0-9]*)?(?:${VERTEX}/publishers/[^/]+)?/models/[^/:%]+:countTokens$`),
    () => FREE,
  ],
  ['POST', /^\/api\/show$/, () => FREE],
  ['GET', ends('models(?:/[^/:]+){0,2}'), () => FREE],
  ['GET', /^\/api\/(?:tags|version|ps)$/, () => FREE],
]

/** Null for an endpoint whose use its answer does not tell. `path` stands behind the provider's root, without query. */
export function answerFormat(provider: string, method: string, path: string): AnswerFormat | null {
  const asked = method === 'HEAD' ? 'GET' : method
  for (const [of, form, format] of ROWS) {
    if (of === asked && form.test(path)) return format(provider)
  }
  return null
}

interface Limit {
  readonly start: number
  readonly end: number
  /** 0 for a number that vendors take for no limit; null for a null, which is as if it were not there. */
  readonly value: number | null
}

interface Limits {
  /** Of the names that are read, and of the aliases. */
  readonly read: readonly Limit[]
  readonly aliases: readonly Limit[]
  /** Behind the `{` in which it would stand, and whether other members follow there; null: that object is missing. */
  readonly inside: { readonly at: number; readonly isEmpty: boolean } | null
  /** Of a wrapper that is null. */
  readonly wrapper: { readonly start: number; readonly end: number } | null
  readonly top: { readonly at: number; readonly isEmpty: boolean }
}

function limitsIn(body: Buffer, { names, aliases, wrappers }: AnswerFormat): Limits {
  const read: Limit[] = []
  const other: Limit[] = []
  let wrapper: { start: number; end: number } | null = null
  const visit = (bytes: Buffer, offset: number): { at: number; isEmpty: boolean } => {
    let isEmpty = true
    const open = visitMembers(bytes, (member) => {
      isEmpty = false
      const key = keyOf(bytes, member) ?? ''
      const list = names.includes(key) ? read : aliases.includes(key) ? other : null
      if (list !== null) {
        const said = parsedAt(bytes, member.start, member.end)
        const value = said === null ? null : typeof said === 'number' && said > 0 ? said : 0
        list.push({ start: offset + member.start, end: offset + member.end, value })
      }
      if (offset === 0 && wrappers.includes(key)) wrapper = { start: member.start, end: member.end }
    })
    return { at: offset + open + 1, isEmpty }
  }
  if (wrappers.length === 0) {
    const top = visit(body, 0)
    return { read, aliases: other, inside: top, wrapper: null, top }
  }
  // At the top nothing but the wrapper is looked for.
  const found = visit(body, 0)
  read.length = other.length = 0
  const range = wrapper as { start: number; end: number } | null
  if (range === null) return { read, aliases: other, inside: null, wrapper: null, top: found }
  if (body[range.start] !== 0x7b) return { read, aliases: other, inside: null, wrapper: range, top: found }
  const inside = visit(body.subarray(range.start, range.end), range.start)
  return { read, aliases: other, inside, wrapper: null, top: found }
}

/** Tokens that one answer may have at most by what the request says; null: it does not say, or not in the vendor's own name. */
export function declaredLimit(
  body: Buffer,
  format: AnswerFormat,
): { readonly tokens: number | null; readonly mustBePutIn: boolean } {
  const { read, aliases } = limitsIn(body, format)
  const said = read.flatMap(({ value }) => value ?? [])
  if (said.length > 0) {
    return { tokens: said.includes(0) ? null : Math.max(...said), mustBePutIn: false }
  }
  const alias = aliases[0]?.value ?? 0
  return { tokens: alias === 0 ? null : alias, mustBePutIn: alias !== 0 }
}

/** The body with this limit for each answer, in the name that the endpoint reads; every other byte as it was. */
export function withAnswerLimit(body: Buffer, format: AnswerFormat, tokens: number): Buffer {
  const { read, inside, wrapper, top } = limitsIn(body, format)
  const said = read.filter(({ value }) => value !== null)
  const ranges = said.length > 0 ? said : read.slice(0, 1)
  if (ranges.length > 0) {
    return ranges
      .toSorted((a, b) => b.start - a.start)
      .reduce((changed, range) => spliced(changed, range, String(tokens)), body)
  }
  const member = `"${format.names[0]}":${tokens}`
  if (inside !== null) {
    return spliced(body, { start: inside.at, end: inside.at }, inside.isEmpty ? member : `${member},`)
  }
  if (wrapper !== null) return spliced(body, wrapper, `{${member}}`)
  const wrapped = `"${format.wrappers[0]}":{${member}}`
  return spliced(body, { start: top.at, end: top.at }, top.isEmpty ? wrapped : `${wrapped},`)
}

/** How the member is called in messages: `max_tokens`, `generationConfig.maxOutputTokens`. */
export const limitName = ({ names, wrappers }: AnswerFormat): string =>
  [wrappers[0], names[0]].filter((name) => name !== undefined).join('.')
