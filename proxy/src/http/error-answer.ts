import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ErrorRequestHandler } from 'express'
import { type AppError, asAppError } from '../kernel/index.ts'

/**
 * What a server of the daemon answers when it does not do what was asked, in whichever form its clients read: that of
 * the APIs, a vendor's, the gateway's. Statuses come from the tables of codes, writing is here.
 */
export interface ErrorAnswer {
  readonly status: number
  /** In the status line; HTTP/2 has none. */
  readonly phrase?: string
  /** Flat name, value …, with the content type and without the length. */
  readonly headers: readonly string[]
  readonly body: string
}

interface ErrorSink {
  writeHead(status: number, headers: string[]): unknown
  writeHead(status: number, phrase: string, headers: string[]): unknown
  end(body: string): unknown
}

/** The form of the APIs: `{"error": {"code", "message", "details"?}}`, with Retry-After where that is known. */
function apiErrorAnswer(error: AppError, beside: object): ErrorAnswer {
  const { retryAfterSeconds, status } = error
  return {
    status,
    headers: [
      ...['Content-Type', 'application/json; charset=utf-8'],
      ...(retryAfterSeconds === undefined ? [] : ['Retry-After', String(retryAfterSeconds)]),
      ...(error.code === 'unauthenticated' ? ['WWW-Authenticate', 'Bearer realm="oauth3"'] : []),
    ],
    body: JSON.stringify({ ...beside, ...error.toBody() }),
  }
}

const headersOf = ({ headers, body }: ErrorAnswer): string[] => [
  ...headers,
  'content-length',
  String(Buffer.byteLength(body)),
]

/** The head must not be out yet. */
export function answerError(response: ErrorSink, answer: ErrorAnswer): void {
  const headers = headersOf(answer)
  if (answer.phrase === undefined) response.writeHead(answer.status, headers)
  else response.writeHead(answer.status, answer.phrase, headers)
  response.end(answer.body)
}

/** To a connection that has no response object: CONNECT, an upgrade, what the parser could not read. It is closed. */
export function writeError(socket: Duplex, answer: ErrorAnswer): void {
  if (!socket.writable) return void socket.destroy()
  const headers = headersOf(answer)
  const lines = [`HTTP/1.1 ${answer.status} ${answer.phrase ?? 'Refused'}`]
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`)
  socket.end(`${lines.join('\r\n')}\r\nconnection: close\r\n\r\n${answer.body}`)
}

/** In the form of the APIs, with what a surface tells `beside` it; a body that was not read to its end is thrown away. */
export function answerApiError(response: ServerResponse, error: AppError, beside: object = {}): void {
  if (response.headersSent || response.destroyed) return
  if (!response.req.complete) dropRest(response)
  answerError(response, apiErrorAnswer(error, beside))
}

/** In the form of the APIs, for the opening of a WebSocket that nobody has answered. */
export const refuseUpgrade = (socket: Duplex, caught: unknown, log: ErrorLog): void =>
  writeError(socket, apiErrorAnswer(knownError(caught, log), {}))

const LINGER_MS = 2_000

/**
 * A body that nobody reads is thrown away as it comes, for a moment: closing at once would reset the connection, and the
 * caller would lose the answer that tells why.
 */
export function dropRest(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('Connection', 'close')
  const { req: request } = response
  request.resume()
  const timer = setTimeout(() => request.destroy(), LINGER_MS).unref()
  request.once('close', () => clearTimeout(timer))
}

interface ErrorLog {
  error(details: object, message: string): void
}

/** What a caller is told of anything thrown; a defect goes to the log, and the caller learns only that there was one. */
export function knownError(error: unknown, log: ErrorLog): AppError {
  const known = asAppError(error)
  if (known.code === 'internal') log.error({ err: error }, 'a request failed inside the daemon')
  return known
}

/** Ends a router: whatever its handlers throw is answered in the form of the APIs. */
export const createErrorHandler =
  (log: ErrorLog, form: (error: AppError) => AppError = (error) => error): ErrorRequestHandler =>
  (error, _request, response, _next) => {
    if (response.headersSent) response.destroy()
    else answerApiError(response, form(knownError(error, log)))
  }
