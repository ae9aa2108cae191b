import type { AppError, ErrorCode } from '../../kernel/index.ts'

/**
 * Codes that a WebSocket of an account is closed with (RFC 6455, 7.4.2: 4000–4999 are the application's own): the status of HTTP behind a
 * 4. A browser's script learns nothing of a refused opening, so whoever comes by a ticket is refused by one of these.
 */
export const CLOSE = {
  notSignedIn: 4401,
  refused: 4403,
  notFound: 4404,
  tooMany: 4429,
  unavailable: 4503,
} as const

/** Of messages that are not whole. */
export const TOO_MUCH = 'Too much at once: end a message before the next.'

const OF_CODE: Partial<Record<ErrorCode, number>> = {
  unauthenticated: CLOSE.notSignedIn,
  refused: CLOSE.refused,
  not_found: CLOSE.notFound,
  rate_limited: CLOSE.tooMany,
  internal: 1011,
}
/** Of a close frame (RFC 6455, 5.5). */
const MAX_REASON_BYTES = 123

/** What the close frame for an error says. */
export function closeOf({ code, message }: AppError): { readonly code: number; readonly reason: string } {
  let reason = message
  while (Buffer.byteLength(reason) > MAX_REASON_BYTES) reason = reason.slice(0, -1)
  return { code: OF_CODE[code] ?? CLOSE.unavailable, reason }
}
