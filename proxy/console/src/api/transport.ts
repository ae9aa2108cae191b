import type { RouteRequest, RouteTransport } from '../../../src/contracts/client.ts'
import { sessionEnded } from '../state/session-signals.ts'

/** A refusal of the daemon, in its words; `offline` where it did not answer. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly details: unknown
  constructor(status: number, code: string, message: string, details?: unknown) {
    super(message)
    this.status = status
    this.code = code
    this.details = details
  }
}

export const API = '/console/api'

/** Sends to the console's API, and throws an `ApiError` for anything but an answer that succeeded. */
async function request({ method, path, body, content }: RouteRequest): Promise<Response> {
  const init: RequestInit = { method, credentials: 'same-origin', headers: { accept: 'application/json' } }
  if (body !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': 'application/json' }
    init.body = JSON.stringify(body)
  }
  if (content !== undefined) {
    init.headers = { accept: 'application/json', 'content-type': 'application/octet-stream' }
    init.body = content as Blob
  }
  const response = await fetch(`${API}${path}`, init).catch((): never => {
    throw new ApiError(0, 'offline', 'The daemon cannot be reached.')
  })
  if (response.ok) return response
  const error = await refusalOf(response)
  if (response.status === 401) sessionEnded()
  throw error
}

async function refusalOf(response: Response): Promise<ApiError> {
  const { error } = (await response.json().catch(() => ({}))) as {
    error?: { code?: string; message?: string; details?: unknown }
  }
  return new ApiError(
    response.status,
    error?.code ?? 'internal',
    error?.message ?? `The daemon answered ${response.status}.`,
    error?.details,
  )
}

export const httpTransport: RouteTransport = {
  async send(call) {
    const response = await request(call)
    if (!(response.headers.get('content-type') ?? '').includes('json')) return undefined
    return response.json()
  },
  async bytes(call) {
    const response = await request(call)
    const cutOff = (): never => {
      throw new ApiError(0, 'offline', 'The file was cut off on its way.')
    }
    return new Uint8Array(await response.arrayBuffer().catch(cutOff))
  },
  async *lines(call) {
    const { body } = await request(call)
    if (body === null) return
    const reader = body.pipeThrough(new TextDecoderStream()).getReader()
    let rest = ''
    for (;;) {
      const { done, value } = await reader.read()
      const lines = (rest + (value ?? '')).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
      if (done) return
    }
  },
  strangeAnswer: () =>
    new ApiError(0, 'internal', 'The daemon answered in a form that this page does not know.'),
}
