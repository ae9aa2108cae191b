/** What the Messages API refuses, as its reference and its own answers have it: whoever sends such a request has a defect. */

export interface ApiError {
  readonly status: number
  readonly type: string
  readonly message: string
}

type Json = Readonly<Record<string, unknown>>

const FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'max_tokens',
  'system',
  'metadata',
  'stop_sequences',
  'stream',
  'temperature',
  'top_k',
  'top_p',
  'thinking',
  'tool_choice',
  'tools',
  'service_tier',
  'output_config',
  'cache_control',
])
/** Fields that need a beta, by the beginning of its name. */
const BETA_FIELDS: Readonly<Record<string, string>> = {
  context_management: 'context-management-',
  mcp_servers: 'mcp-client-',
  container: 'code-execution-',
}
const COUNT_FIELDS: ReadonlySet<string> = new Set([
  'model',
  'messages',
  'system',
  'thinking',
  'tool_choice',
  'tools',
  'output_config',
])
const USER_BLOCKS: ReadonlySet<string> = new Set([
  'text',
  'image',
  'document',
  'tool_result',
  'search_result',
])
const ASSISTANT_BLOCKS: ReadonlySet<string> = new Set([
  'text',
  'thinking',
  'redacted_thinking',
  'tool_use',
  'server_tool_use',
  'web_search_tool_result',
])
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/
const MAX_CACHE_BREAKPOINTS = 4

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalid = (message: string): ApiError => ({ status: 400, type: 'invalid_request_error', message })

/** Null for a request that is taken. Names of headers in lower case. */
export function refuseRequest(
  method: string,
  path: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: unknown,
): ApiError | null {
  const isCount = path === '/v1/messages/count_tokens'
  if (path !== '/v1/messages' && !isCount)
    return { status: 404, type: 'not_found_error', message: 'Not Found' }
  if (method !== 'POST') return { status: 405, type: 'invalid_request_error', message: 'Method Not Allowed' }
  if (headers['x-api-key'] === undefined && headers.authorization === undefined)
    return { status: 401, type: 'authentication_error', message: 'x-api-key header is required' }
  const seat = /^Bearer sk-ant-oat/.test(String(headers.authorization ?? ''))
  if (headers['x-api-key'] !== undefined && headers.authorization !== undefined)
    return { status: 401, type: 'authentication_error', message: 'a key and a token at once' }
  if (String(headers['x-api-key'] ?? '').startsWith('sk-ant-oat'))
    return { status: 401, type: 'authentication_error', message: 'invalid x-api-key' }
  if (seat !== betasOf(headers).includes('oauth-2025-04-20'))
    return {
      status: 401,
      type: 'authentication_error',
      message: 'OAuth is known by its token and its beta, both',
    }
  if (headers['anthropic-version'] !== '2023-06-01') return invalid('anthropic-version: header is required')
  if (!String(headers['content-type'] ?? '').startsWith('application/json'))
    return invalid('content-type: application/json is required')
  if (!isJson(body)) return invalid('The request body is not valid JSON')
  const betas = betasOf(headers)
  return refuseFields(body, betas, isCount) ?? refuseMessages(body.messages, betas) ?? refuseTools(body)
}

const betasOf = (headers: Readonly<Record<string, string | string[] | undefined>>): string[] =>
  String(headers['anthropic-beta'] ?? '')
    .split(',')
    .map((name) => name.trim())

function refuseFields(body: Json, betas: readonly string[], isCount: boolean): ApiError | null {
  for (const name of Object.keys(body)) {
    const beta = BETA_FIELDS[name]
    if (beta !== undefined && betas.some((one) => one.startsWith(beta))) continue
    if (!(isCount ? COUNT_FIELDS : FIELDS).has(name))
      return invalid(`${name}: Extra inputs are not permitted`)
  }
  if (typeof body.model !== 'string' || body.model === '') return invalid('model: Field required')
  if (isCount) return null
  if (!Number.isInteger(body.max_tokens)) return invalid('max_tokens: Field required')
  if ((body.max_tokens as number) < 1)
    return invalid('max_tokens: Input should be greater than or equal to 1')
  const breakpoints = JSON.stringify(body).match(/"cache_control":\{/g)?.length ?? 0
  if (breakpoints > MAX_CACHE_BREAKPOINTS)
    return invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${breakpoints}.`)
  return null
}

function refuseMessages(messages: unknown, betas: readonly string[]): ApiError | null {
  if (!Array.isArray(messages) || messages.length === 0)
    return invalid('messages: at least one message is required')
  const mayHaveSystem = betas.some((name) => name.startsWith('per-turn-control-'))
  let open: string[] = []
  let hasUser = false
  for (const [at, message] of messages.entries()) {
    if (!isJson(message)) return invalid(`messages.${at}: Input should be an object`)
    const { role, content } = message
    if (role === 'system' && mayHaveSystem) continue
    if (role !== 'user' && role !== 'assistant') return invalid(`messages: Unexpected role "${String(role)}"`)
    if (!hasUser && role !== 'user') return invalid('messages: first message must use the "user" role')
    hasUser = true
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    const refused = refuseBlocks(blocks, role, at)
    if (refused !== null) return refused
    const list = blocks as readonly Json[]
    const answered = list.filter(({ type }) => type === 'tool_result').map(({ tool_use_id }) => tool_use_id)
    if (role === 'user') {
      const missing = open.filter((id) => !answered.includes(id))
      if (missing.length > 0)
        return invalid(
          `messages.${at}: \`tool_use\` ids were found without \`tool_result\` blocks: ${missing}`,
        )
      const unknown = answered.filter((id) => !open.includes(String(id)))
      if (unknown.length > 0)
        return invalid(
          `messages.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${unknown}`,
        )
      open = []
    } else open = list.filter(({ type }) => type === 'tool_use').map(({ id }) => String(id))
  }
  return hasUser ? null : invalid('messages: at least one message is required')
}

function refuseBlocks(blocks: unknown, role: 'user' | 'assistant', at: number): ApiError | null {
  if (!Array.isArray(blocks) || blocks.length === 0)
    return invalid(`messages.${at}: all messages must have non-empty content`)
  for (const block of blocks) {
    const type = isJson(block) ? block.type : undefined
    const known = role === 'user' ? USER_BLOCKS : ASSISTANT_BLOCKS
    if (typeof type !== 'string' || !known.has(type))
      return invalid(
        `messages.${at}.content: Input tag '${String(type)}' does not match any of the expected tags`,
      )
    if (type === 'text' && (typeof block.text !== 'string' || block.text === ''))
      return invalid(`messages.${at}.content: text content blocks must be non-empty`)
  }
  return null
}

function refuseTools({ tools, tool_choice: choice }: Json): ApiError | null {
  if (tools === undefined) return choice === undefined ? null : invalid('tool_choice: tools are required')
  if (!Array.isArray(tools)) return invalid('tools: Input should be a valid list')
  const names = tools.map((tool) => (isJson(tool) ? String(tool.name) : ''))
  const bad = names.findIndex((name) => !TOOL_NAME.test(name))
  if (bad !== -1) return invalid(`tools.${bad}.name: String should match pattern`)
  return new Set(names).size === names.length ? null : invalid('tools: Tool names must be unique')
}
