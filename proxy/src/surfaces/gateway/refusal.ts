import type { Duplex } from 'node:stream'
import { type AskEntry, EGRESS_RULES, type EgressRule } from '../../domain/egress/index.ts'
import type { AnswerSink } from '../relay/index.ts'

export interface Refusal {
  readonly rule: EgressRule
  /** Where the request wanted to go; empty when that cannot be told. */
  readonly origin: string
  /** Names of secrets that it is about. */
  readonly secrets: readonly string[]
  /** The entry of `network` that would allow it. */
  readonly ask?: AskEntry
}

const STATUS: Partial<Record<EgressRule, number>> = {
  bad_request: 400,
  too_many_requests: 429,
  gateway_fault: 500,
  unreachable: 502,
  tls_not_verified: 502,
  tls_failed: 502,
  protocol_not_supported: 502,
  answer_unreadable: 502,
}

/** Clients print the line as it comes. */
const MAX_PHRASE_CHARS = 200

/** The rule as a reason phrase: of a CONNECT that failed, and of much else, it is all that clients show. Nothing of the code's is in it. */
const phraseOf = (rule: EgressRule): string =>
  `${rule}: ${EGRESS_RULES[rule]}`.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_PHRASE_CHARS)

const LAST_WORDS_MS = 2_000

export const statusOf = (rule: EgressRule): number => STATUS[rule] ?? 403

/** One shape for every refusal, so that code and its author can read which rule it was. */
function bodyOf({ rule, origin, secrets, ask }: Refusal): string {
  const about = [origin, secrets.length === 0 ? '' : `secret ${secrets.join(', ')}`]
    .filter(Boolean)
    .join('; ')
  const message = `refused: ${EGRESS_RULES[rule]}${about === '' ? '' : ` (${about})`}`
  return JSON.stringify({ error: { code: 'egress_refused', rule, message, ask } })
}

/** Of HTTP/2 the phrase is dropped: it has none. */
export interface RefusableResponse extends AnswerSink {
  writeHead(status: number, headers: string[]): unknown
  writeHead(status: number, phrase: string, headers: string[]): unknown
}

/** `last`: nothing more can be read from this connection, so it is closed. */
export function answerRefusal(response: RefusableResponse, refusal: Refusal, last: boolean): void {
  const body = bodyOf(refusal)
  response.writeHead(statusOf(refusal.rule), phraseOf(refusal.rule), [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    'no-store',
    'x-oauth3-refused',
    refusal.rule,
    ...(last ? ['connection', 'close'] : []),
  ])
  response.end(body)
}

/** For connections that have no response object: CONNECT, upgrades, and what the parser could not read. */
export function writeRefusal(socket: Duplex, refusal: Refusal): void {
  if (!socket.writable) return void socket.destroy()
  // What is still being said is read and dropped for a while: a socket closed over unread bytes loses its last words.
  socket.resume()
  const close = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
  socket.once('close', () => clearTimeout(close))
  const body = bodyOf(refusal)
  socket.end(
    [
      `HTTP/1.1 ${statusOf(refusal.rule)} ${phraseOf(refusal.rule)}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-oauth3-refused: ${refusal.rule}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
