import type { Duplex } from 'node:stream'
import { answerError, type ErrorAnswer, writeError } from '../../http/index.ts'
import { statusOfRule } from '../../kernel/index.ts'
import { type AskEntry, EGRESS_RULES, type EgressRule } from '../index.ts'
import type { AnswerSink } from '../relay/index.ts'

export interface Refusal {
  readonly rule: EgressRule
  /** Where the request wanted to go; empty when that cannot be told. */
  readonly origin: string
  /** Names of secrets that it is about. */
  readonly secrets: readonly string[]
  /** The entry of `network` that would allow it. */
  readonly ask?: AskEntry
  /** What a person said of it, or why nobody was asked; in place of the rule's own words. */
  readonly why?: string
}

/** Clients print the line as it comes. */
const MAX_PHRASE_CHARS = 200

const wordsOf = ({ rule, why }: Refusal): string => why ?? EGRESS_RULES[rule]

/** The rule as a reason phrase: of a CONNECT that failed, and of much else, it is all that clients show. Nothing of the code's is in it. */
const phraseOf = (refusal: Refusal): string =>
  `${refusal.rule}: ${wordsOf(refusal)}`.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_PHRASE_CHARS)

const LAST_WORDS_MS = 2_000

/** One shape for every refusal, so that code and its author can read which rule it was. */
function bodyOf(refusal: Refusal): string {
  const { rule, origin, secrets, ask } = refusal
  const about = [origin, secrets.length === 0 ? '' : `secret ${secrets.join(', ')}`]
    .filter(Boolean)
    .join('; ')
  const message = `refused: ${wordsOf(refusal)}${about === '' ? '' : ` (${about})`}`
  return JSON.stringify({ error: { code: 'egress_refused', rule, message, ask } })
}

/** Of HTTP/2 the phrase is dropped: it has none. */
export interface RefusableResponse extends AnswerSink {
  writeHead(status: number, headers: string[]): unknown
  writeHead(status: number, phrase: string, headers: string[]): unknown
}

const answerOf = (refusal: Refusal): ErrorAnswer => ({
  status: statusOfRule(refusal.rule),
  phrase: phraseOf(refusal),
  headers: [
    ...['content-type', 'application/json'],
    ...['cache-control', 'no-store'],
    ...['x-oauth3-refused', refusal.rule],
  ],
  body: bodyOf(refusal),
})

/** `last`: nothing more can be read from this connection, so it is closed. */
export function answerRefusal(response: RefusableResponse, refusal: Refusal, last: boolean): void {
  const answer = answerOf(refusal)
  const { headers } = answer
  answerError(response, last ? { ...answer, headers: [...headers, 'connection', 'close'] } : answer)
}

/** For connections that have no response object: CONNECT, upgrades, and what the parser could not read. */
export function writeRefusal(socket: Duplex, refusal: Refusal): void {
  if (socket.writable) {
    // What is still being said is read and dropped for a while: a socket closed over unread bytes loses its last words.
    socket.resume()
    const close = setTimeout(() => socket.destroy(), LAST_WORDS_MS).unref()
    socket.once('close', () => clearTimeout(close))
  }
  writeError(socket, answerOf(refusal))
}
