import type { ErrorShape } from '../providers/index.ts'

/**
 * An error in the words of a vendor's own SDK, so that it shows the message: as the body of an answer, and as the last
 * event of a stream. docs/clients/README.md has what each client does with both.
 */
export interface VendorError {
  readonly status: number
  readonly code: string
  readonly message: string
}

/**
 * `openrouter`: OpenAI's, with the status for its `code`. Its SDK holds every error against a schema, and says "Response validation
 * failed" of one that does not fit, without its message (openrouter.ai/docs/api/reference/errors-and-debugging).
 */
export type AnswerShape = ErrorShape | 'openrouter'

/** `responses`: OpenAI's, whose streams name each event. */
export type StreamForm = AnswerShape | 'responses'

export const streamFormAt = (shape: AnswerShape, path: string): StreamForm =>
  shape === 'openai' && /\/responses(?:\/|$)/.test(path) ? 'responses' : shape

const GOOGLE_STATUS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
}

const ANTHROPIC_TYPE: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
}

const typeOf = (status: number): string => ANTHROPIC_TYPE[status] ?? 'api_error'

export function errorBody({ status, code, message }: VendorError, shape: AnswerShape): string {
  if (shape === 'anthropic') {
    return JSON.stringify({ type: 'error', error: { type: typeOf(status), message } })
  }
  if (shape === 'google') {
    return JSON.stringify({ error: { code: status, message, status: GOOGLE_STATUS[status] ?? 'UNKNOWN' } })
  }
  if (shape === 'openrouter') {
    return JSON.stringify({ error: { code: status, message, metadata: { error_type: code } } })
  }
  return JSON.stringify({ error: { message, type: 'oauth3_error', param: null, code } })
}

/** The status of a stream is sent already: the event says it by its `type`, by which the AI SDK decides about a retry. */
export function errorEvent(error: VendorError, form: StreamForm): string {
  const { status, code, message } = error
  if (form === 'anthropic' || form === 'google') return eventOf(errorBody(error, form), form)
  if (form === 'openrouter')
    return eventOf(openrouterEvent({ code: status, message, type: typeOf(status) }), form)
  return eventOf(openaiEvent({ message, type: typeOf(status), param: null, code }, form), form)
}

/** The vendor's refusal of a request whose answer had begun as a stream. */
export function vendorErrorEvent(status: number, body: string, form: StreamForm): string {
  const told = errorIn(body)
  if (told === null) {
    const message =
      status < 400
        ? 'oauth3: The provider answered without a stream.'
        : `oauth3: The provider answered ${status}.`
    return errorEvent({ status: status < 400 ? 502 : status, code: 'upstream_unreachable', message }, form)
  }
  if (form === 'anthropic') {
    return eventOf(JSON.stringify({ type: 'error', error: { type: typeOf(status), ...told } }), form)
  }
  if (form === 'google') return eventOf(JSON.stringify({ error: { ...told, code: status } }), form)
  if (form === 'openrouter')
    return eventOf(openrouterEvent({ type: typeOf(status), ...told, code: status }), form)
  return eventOf(openaiEvent({ type: typeOf(status), param: null, code: null, ...told }, form), form)
}

/** A line of its own, for streams of JSON lines (Ollama). */
export const errorLine = ({ message }: VendorError): string => `${JSON.stringify({ error: message })}\n`

/** A chunk of a chat, as its SDK wants every event to be. */
const openrouterEvent = (error: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    ...{ id: '', object: 'chat.completion.chunk', created: 0, model: '', choices: [] },
    error,
  })

function openaiEvent(error: Readonly<Record<string, unknown>>, form: StreamForm): string {
  return form === 'responses'
    ? JSON.stringify({ ...error, type: 'error', sequence_number: 0, error })
    : JSON.stringify({ error })
}

const eventOf = (json: string, form: StreamForm): string =>
  form === 'anthropic' || form === 'responses' ? `event: error\ndata: ${json}\n\n` : `data: ${json}\n\n`

/** What a body of any vendor's says under `error`; null where it says nothing. */
function errorIn(body: string): Readonly<Record<string, unknown>> | null {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return null
  }
  // Google wraps the errors of a stream in a list.
  const whole: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (typeof whole !== 'object' || whole === null) return null
  const { error, message, detail } = whole as Readonly<Record<string, unknown>>
  if (typeof error === 'object' && error !== null && !Array.isArray(error)) return { ...error }
  const text = [error, message, detail].find((part) => typeof part === 'string')
  return text === undefined ? null : { message: text }
}
