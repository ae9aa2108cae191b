/**
 * What the CLI writes with `--output-format stream-json`, as far as runs need it (2.1.332). Whatever else it writes is of no
 * concern, and whatever has another shape than these is taken for that.
 */

import { isNestedWithin } from '../../kernel/index.ts'

export interface Usage {
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly cache_read_input_tokens?: number
  readonly cache_creation_input_tokens?: number
}

export type CliMessage =
  | { readonly kind: 'init'; readonly sessionId: string | null }
  /** One event of the model's answer, as the Messages API streams it. `isNested`: of a subagent. */
  | { readonly kind: 'stream'; readonly event: StreamEvent; readonly isNested: boolean }
  | { readonly kind: 'assistant'; readonly content: readonly ContentBlock[]; readonly isSynthetic: boolean }
  | {
      readonly kind: 'tool_results'
      readonly results: readonly ToolResultBlock[]
      readonly isNested: boolean
    }
  | { readonly kind: 'result'; readonly result: CliResult }
  | {
      readonly kind: 'ask'
      readonly id: string
      readonly toolUseId: string | null
      readonly tool: string
      readonly input: JsonObject
    }
  /** The CLI takes a question back. */
  | { readonly kind: 'ask_withdrawn'; readonly id: string }
  /** To a server that was told of to the CLI (`sdkMcpServers`): a message of MCP, which is answered with one. */
  | { readonly kind: 'mcp'; readonly id: string; readonly server: string; readonly message: JsonObject }
  /** Another request of the CLI's, which has to be answered. */
  | { readonly kind: 'other_request'; readonly id: string }
  | { readonly kind: 'answer'; readonly id: string; readonly error: string | null }
  /** What nobody could tell further: `why` completes a sentence that begins with `The CLI wrote`. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** A sign of life without meaning here. */
  | { readonly kind: 'other' }

export type JsonObject = Readonly<Record<string, unknown>>

export interface StreamEvent extends JsonObject {
  readonly type: string
}

export interface ContentBlock extends JsonObject {
  readonly type: string
}

interface ToolResultBlock {
  readonly id: string
  readonly isError: boolean
  readonly text: string
}

/** The last line of a turn. `subtype` is `success` also where `isError` is true. */
export interface CliResult {
  readonly isError: boolean
  readonly subtype: string
  readonly text: string
  readonly stopReason: string | null
  readonly terminalReason: string | null
  readonly apiStatus: number | null
  readonly turns: number
  readonly sessionId: string | null
  readonly denied: readonly { readonly tool: string; readonly id: string }[]
}

const OTHER: CliMessage = { kind: 'other' }
/** Of what runs say, and of what is made of it. */
export const MAX_NESTING = 256
const TOO_DEEP: CliMessage = { kind: 'unreadable', why: `JSON nested more than ${MAX_NESTING} deep` }
/** The CLI's are UUIDs. One comes back as an argument when the conversation goes on. */
const SESSION_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Of a question's id, which is said back. */
const MAX_ID_CHARS = 256

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOr = <T>(value: unknown, otherwise: T): string | T =>
  typeof value === 'string' ? value : otherwise
const numberOr = <T>(value: unknown, otherwise: T): number | T =>
  typeof value === 'number' ? value : otherwise
const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** Null for a line that is no JSON object. */
export function parseMessage(line: string): CliMessage | null {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return null
  }
  if (!isObject(value)) return null
  if (!isNestedWithin(value, MAX_NESTING)) return TOO_DEEP
  const read = READERS.get(textOr(value.type, ''))
  return read === undefined ? OTHER : read(value)
}

const READERS: ReadonlyMap<string, (value: JsonObject) => CliMessage> = new Map(
  Object.entries<(value: JsonObject) => CliMessage>({
    system: ({ subtype, session_id: id }) =>
      subtype === 'init'
        ? { kind: 'init', sessionId: typeof id === 'string' && SESSION_ID.test(id) ? id : null }
        : OTHER,
    stream_event: ({ event, parent_tool_use_id }) =>
      isObject(event) && typeof event.type === 'string'
        ? { kind: 'stream', event: { ...event, type: event.type }, isNested: parent_tool_use_id != null }
        : OTHER,
    assistant: (value) => {
      if (!isObject(value.message) || value.parent_tool_use_id != null) return OTHER
      const content = listOf(value.message.content).flatMap((block) =>
        typeof block.type === 'string' ? [{ ...block, type: block.type }] : [],
      )
      return { kind: 'assistant', content, isSynthetic: value.message.model === '<synthetic>' }
    },
    user: (value) => {
      if (!isObject(value.message)) return OTHER
      const results = listOf(value.message.content).flatMap((block) =>
        block.type === 'tool_result'
          ? [
              {
                id: textOr(block.tool_use_id, ''),
                isError: block.is_error === true,
                text: textOfBlocks(block.content),
              },
            ]
          : [],
      )
      const isNested = value.parent_tool_use_id != null
      return results.length === 0 ? OTHER : { kind: 'tool_results', results, isNested }
    },
    result: (value) => ({ kind: 'result', result: readResult(value) }),
    control_request: ({ request_id, request }) => {
      if (typeof request_id !== 'string' || request_id.length > MAX_ID_CHARS || !isObject(request))
        return OTHER
      if (request.subtype === 'mcp_message' && typeof request.server_name === 'string')
        return isObject(request.message)
          ? { kind: 'mcp', id: request_id, server: request.server_name, message: request.message }
          : { kind: 'other_request', id: request_id }
      return request.subtype === 'can_use_tool' && typeof request.tool_name === 'string'
        ? {
            kind: 'ask',
            id: request_id,
            toolUseId: typeof request.tool_use_id === 'string' ? request.tool_use_id : null,
            tool: request.tool_name,
            input: isObject(request.input) ? request.input : {},
          }
        : { kind: 'other_request', id: request_id }
    },
    control_cancel_request: ({ request_id }) =>
      typeof request_id === 'string' ? { kind: 'ask_withdrawn', id: request_id } : OTHER,
    control_response: ({ response }) =>
      isObject(response) && typeof response.request_id === 'string'
        ? {
            kind: 'answer',
            id: response.request_id,
            error: response.subtype === 'success' ? null : textOr(response.error, 'no reason given'),
          }
        : OTHER,
  }),
)

const readResult = (value: JsonObject): CliResult => ({
  isError: value.is_error !== false,
  subtype: textOr(value.subtype, ''),
  text: textOr(value.result, ''),
  stopReason: textOr(value.stop_reason, null),
  terminalReason: textOr(value.terminal_reason, null),
  apiStatus: numberOr(value.api_error_status, null),
  turns: numberOr(value.num_turns, 0),
  sessionId: textOr(value.session_id, null),
  denied: listOf(value.permission_denials).map((denial) => ({
    tool: textOr(denial.tool_name, ''),
    id: textOr(denial.tool_use_id, ''),
  })),
})

/** Of a tool's result: a string, or blocks of which some are text. */
function textOfBlocks(content: unknown): string {
  if (typeof content === 'string') return content
  return listOf(content)
    .map((block) => (block.type === 'text' ? textOr(block.text, '') : `[${textOr(block.type, 'unknown')}]`))
    .join('\n')
}
