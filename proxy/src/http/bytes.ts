/** Bodies and answers that are bytes as they are: files, which are taken for nothing else on their way. */
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import type { Route, SentFile, Upload } from '../contracts/index.ts'
import { AppError, formatBytes } from '../kernel/index.ts'
import { drained } from './drained.ts'
import { passes } from './passes.ts'

const BYTES = 'application/octet-stream'
const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i
/** Without a byte for so long it is over. */
const IDLE_MS = 30_000
/** All of it, however steadily it goes. */
const WHOLE_MS = 300_000
const PIECE_BYTES = 65_536

const typeOf = ({ headers }: IncomingMessage): string => headers['content-type'] ?? ''
const hasBody = ({ headers }: IncomingMessage): boolean =>
  'transfer-encoding' in headers || Number(headers['content-length'] ?? 0) > 0

/** Against CSRF: neither of these types is sent by a form, or by a script of another origin unasked. */
export function assertBodyType(request: IncomingMessage): void {
  if (hasBody(request) && !JSON_TYPE.test(typeOf(request)) && typeOf(request) !== BYTES)
    throw new AppError('unsupported_media_type', 'Send Content-Type: application/json.')
}

/** Bytes are taken where a route says so, and nothing else is there. */
export function assertBodyOf({ takesBytes }: Route, request: IncomingMessage): void {
  if (takesBytes ? typeOf(request) === BYTES : !hasBody(request) || typeOf(request) !== BYTES) return
  throw new AppError(
    'unsupported_media_type',
    takesBytes ? `Send Content-Type: ${BYTES}.` : 'Send Content-Type: application/json.',
  )
}

const paced = new WeakSet<IncomingMessage>()
/** Whether its reader sees to it that its body does not take for ever. */
export const hasOwnPace = (request: IncomingMessage): boolean => paced.has(request)

/** Throws before a byte of it is read: `invalid_request` without a length, `too_large`. */
export function uploadOf(
  { maxBodyBytes = 0 }: Route,
  request: IncomingMessage,
  assertStill: () => void,
): Upload {
  const { headers } = request
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new AppError('unsupported_media_type', 'Send the body without Content-Encoding.')
  const length = headers['content-length'] ?? ''
  if (!/^[0-9]{1,15}$/.test(length) || 'transfer-encoding' in headers)
    throw new AppError('invalid_request', 'Say first how many bytes come: Content-Length.')
  const bytes = Number(length)
  if (bytes > maxBodyBytes)
    throw new AppError('too_large', `The body is larger than ${formatBytes(maxBodyBytes)}.`)
  return { bytes, source: received(request, assertStill) }
}

async function* received(request: IncomingMessage, assertStill: () => void): AsyncGenerator<Uint8Array> {
  paced.add(request)
  const end = (): void => void request.destroy()
  const idle = setTimeout(end, IDLE_MS)
  const late = setTimeout(end, WHOLE_MS)
  try {
    for await (const piece of request) {
      idle.refresh()
      yield piece as Uint8Array
    }
  } catch {
    throw new AppError('invalid_request', 'The body ended too early.')
  } finally {
    clearTimeout(idle)
    clearTimeout(late)
  }
  if (!request.complete) throw new AppError('invalid_request', 'The body ended too early.')
  // TOCTOU: whoever began it may be nobody by now.
  assertStill()
}

/**
 * As an attachment (RFC 6266), which no browser shows, runs or sniffs: what is in it is untrusted. Backpressure: who reads slowly is waited for,
 * for a while, and who does not read at all is not.
 */
export async function sendFile(response: Response, file: SentFile, assertStill: () => void): Promise<void> {
  using sent = file
  const { name, content, until } = sent
  response.attachment(name)
  response.setHeader('Content-Type', BYTES)
  response.setHeader('Content-Length', content.length)
  response.setHeader('X-Content-Type-Options', 'nosniff')
  response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'")
  response.setHeader('Cache-Control', 'no-store')
  const cut = (): void => void response.destroy()
  until.addEventListener('abort', cut, { once: true })
  const idle = setTimeout(cut, IDLE_MS)
  const late = setTimeout(cut, WHOLE_MS)
  try {
    for (let at = 0; at < content.length && !response.destroyed; at += PIECE_BYTES) {
      if (until.aborted || !passes(assertStill)) return cut()
      response.write(content.subarray(at, at + PIECE_BYTES))
      await drained(response)
      idle.refresh()
    }
  } finally {
    clearTimeout(idle)
    clearTimeout(late)
    until.removeEventListener('abort', cut)
  }
  response.end()
}
