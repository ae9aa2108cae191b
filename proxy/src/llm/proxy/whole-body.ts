import type { Readable } from 'node:stream'
import { HeldBody, streamed } from '../../egress/relay/index.ts'
import { AppError, type LoopTurns, type TokenBuckets } from '../../kernel/index.ts'
import {
  type BodyQuestions,
  type BodyReading,
  type BodyScan,
  createTokenMask,
  type DeepScan,
  type LargeBodies,
  readBody,
  type SpendingFacts,
  type Splice,
  splicedPieces,
} from '../usage/index.ts'
import type { Caller } from './caller.ts'
import type { Exchange } from './exchange.ts'
import type { IdleTimeouts } from './idle-timeouts.ts'
import type { Reading } from './read-head.ts'
import { type LlmRefusal, refused } from './refusal.ts'
import {
  BODY_IDLE_MS,
  type BodyPart,
  BodyReader,
  type createBodyBudget,
  MAX_UNGRANTED_BYTES,
  MAX_WHOLE_BYTES,
} from './request-body.ts'
import { mayQuoteFiles } from './request-scope.ts'

/** What is known of a body: read whole, or only where it begins. */
export interface Body {
  /** `unread`: it may say anything. */
  readonly known: 'none' | 'read' | 'unread'
  readonly whole: Buffer | null
  /** What came of one that is not read whole. */
  readonly begun: readonly Buffer[] | null
  scan: BodyScan | null
  readonly usageWish: Splice | null
  /** What the request may use, where that may be limited; null where nobody asked. */
  readonly spending: SpendingFacts | null
  /** What is named deeper; null where it is still to be looked for. */
  readonly deep: DeepScan | null
  /** Whether it quotes a file of the account; null where nobody asked. */
  readonly quotesFile: boolean | null
}

export interface WholeBodyDeps {
  readonly budget: ReturnType<typeof createBodyBudget>
  readonly idleTimeouts: IdleTimeouts
  readonly largeBodies: LargeBodies
  readonly turns: LoopTurns
  /** Milliseconds of the event loop that bodies took. */
  readonly readingTime: TokenBuckets
}

const UNREAD: Body = {
  known: 'unread',
  whole: null,
  begun: null,
  scan: null,
  usageWish: null,
  spending: null,
  deep: null,
  quotesFile: null,
}
const NO_BODY: Body = { ...UNREAD, known: 'none' }
/** As much as one piece of a connection. What is larger is read off the event loop. */
const SMALL_BYTES = 65_536
/** Up to here the way to a thread and back takes longer than the worst of bodies. */
const TINY_BYTES = 8_192
/**
 * What bodies of one agent may take of the event loop, in milliseconds: hundreds of usual ones of 64 KiB a second, and
 * a few that are made to take long. What is over that is read in threads.
 */
export const READING_TIME = { perSecond: 50, burst: 50 }

/** The one charset that JSON has (RFC 8259, 8.1), said or not. */
const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-?8"?[ \t]*)?$/

/** What is not read before it goes on; null for what has to be. */
export function kindOfBody({ head: { contentType, isEncoded, bodyBytes } }: Reading): Body | null {
  if (bodyBytes === 0) return NO_BODY
  const isJson = contentType === '' || JSON_TYPE.test(contentType)
  return !isJson || isEncoded || (bodyBytes ?? 0) > MAX_WHOLE_BYTES ? UNREAD : null
}

/** What is asked of a body that is read whole. */
export interface BodyWishes {
  /** What the request may use is limited. */
  readonly isLimited: boolean
  /** Asks for leave to take more than a small body; null where something is granted to the agent already. */
  readonly agree: (() => Promise<LlmRefusal | null>) | null
}

/**
 * Reads the body as far as it may be. Where nothing is granted to the agent a small body is read, since the owner is asked for its
 * model; of a longer one nothing more is taken until `agree` has asked for leave.
 */
export async function wholeBody(
  agent: Caller,
  reading: Reading,
  exchange: Exchange,
  deps: WholeBodyDeps,
  { isLimited, agree }: BodyWishes,
): Promise<Body | LlmRefusal> {
  const hold = deps.budget.open(agent.id)
  exchange.keep(hold)
  const reader = new BodyReader(exchange.request, { hold, idleTimeouts: deps.idleTimeouts })
  const refusal = agree === null ? null : await firstPart(reader, reading, agree)
  if (refusal !== null) return refusal
  return readWhole(await reader.upTo(MAX_WHOLE_BYTES), agent, reading, exchange, deps, isLimited)
}

/** Reads a small body, and asks for leave to read more of a longer one. */
async function firstPart(
  reader: BodyReader,
  { head }: Reading,
  agree: NonNullable<BodyWishes['agree']>,
): Promise<LlmRefusal | null> {
  const isLong = (head.bodyBytes ?? 0) > MAX_UNGRANTED_BYTES
  const first = isLong ? null : await reader.upTo(MAX_UNGRANTED_BYTES)
  if (typeof first === 'string') return noBody(first)
  return first?.whole === true ? null : await agree()
}

function readWhole(
  part: BodyPart,
  agent: Caller,
  { credential, provider }: Reading,
  exchange: Exchange,
  deps: WholeBodyDeps,
  isLimited: boolean,
): Body | LlmRefusal | Promise<Body | LlmRefusal> {
  if (typeof part === 'string') return noBody(part)
  if (!part.whole) return { ...UNREAD, begun: part.parts }
  if (part.bytes === 0) return { ...NO_BODY, whole: Buffer.alloc(0) }
  const isForThread =
    part.bytes > SMALL_BYTES || (part.bytes > TINY_BYTES && deps.readingTime.isOverdrawn(agent.id))
  const questions: BodyQuestions = {
    token: credential.token,
    withSpending: isLimited,
    // Of what is limited all is wanted; of others, what is deeper is looked for on the loop only when somebody asks.
    withDeep: isLimited || isForThread,
    withQuotes: isForThread && (provider === null || mayQuoteFiles(provider)),
  }
  if (isForThread) return readLarge(agent, part.parts, questions, exchange, deps)
  const body = part.parts.length === 1 ? (part.parts[0] as Buffer) : Buffer.concat(part.parts)
  const turn = deps.turns.wait(agent.id)
  if (turn === undefined) return readSmall(agent, body, questions, deps)
  return turn.then(() => readSmall(agent, body, questions, deps))
}

const readSmall = (
  agent: Caller,
  body: Buffer,
  questions: BodyQuestions,
  deps: WholeBodyDeps,
): Body | LlmRefusal =>
  bodyOf(
    body,
    body.length <= TINY_BYTES
      ? readBody(body, questions)
      : onTheLoop(agent, body, deps, () => readBody(body, questions)),
  )

/** Books the time of the event loop that going through a body takes. */
export function onTheLoop<T>(
  agent: Caller,
  body: Buffer,
  { readingTime }: Pick<WholeBodyDeps, 'readingTime'>,
  work: () => T,
): T {
  if (body.length <= TINY_BYTES) return work()
  const began = performance.now()
  const result = work()
  readingTime.take(agent.id, performance.now() - began)
  return result
}

async function readLarge(
  agent: Caller,
  parts: readonly Buffer[],
  questions: BodyQuestions,
  exchange: Exchange,
  { largeBodies }: WholeBodyDeps,
): Promise<Body | LlmRefusal> {
  try {
    const read = await largeBodies.read(agent.id, parts, questions, exchange.gone())
    if (read === null) return refused('bad_request', 'The body takes too long to read.')
    return bodyOf(read.body, read.reading)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const code = error.code === 'shutting_down' ? error.code : 'rate_limited'
    return refused(code, error.message, error.retryAfterSeconds)
  }
}

function noBody(why: Exclude<BodyPart, object>): LlmRefusal {
  return why === 'no_room'
    ? refused('rate_limited', 'Bodies of this agent take all the memory there is for them.', 5)
    : refused('bad_request', 'The body comes in too many and too small pieces.')
}

function bodyOf(whole: Buffer, reading: BodyReading): Body | LlmRefusal {
  const { scan, usageWish, spending, deep, quotesFile } = reading
  if (!('problem' in scan)) {
    return { known: 'read', whole, begun: null, scan, usageWish, spending, deep, quotesFile }
  }
  // What is not JSON is for the provider to refuse. Two readings of one body would be a way around a grant.
  if (scan.problem === 'not_json') return { ...UNREAD, whole, quotesFile }
  const { member = 'a member', wanted } = scan
  return refused(
    'bad_request',
    scan.problem === 'wrong_type'
      ? `In the body, "${member}" has to be ${wanted}.`
      : `The body says "${member}" twice, or in a spelling that only some readers take for it.`,
  )
}

const spliced = (whole: Buffer, splices: readonly Splice[]): Buffer =>
  splices.length === 0 ? whole : Buffer.concat(splicedPieces(whole, splices))

/** The same once more with other splices: a body that was read whole, and the head that it goes with. */
export function heldAgain(
  { whole }: Body,
  splices: readonly Splice[],
  headers: readonly string[],
): { readonly headers: string[]; readonly body: Buffer } {
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string
    // Of the body before; it follows from this one.
    if (name.toLowerCase() !== 'content-length') kept.push(name, headers[at + 1] as string)
  }
  return { headers: kept, body: spliced(whole ?? Buffer.alloc(0), splices) }
}

/** The body as it goes out, with these in it; its length is put in the head where it does not follow from what is given. */
export function bodyToSend(
  body: Body,
  splices: readonly Splice[],
  { head, credential }: Reading,
  { request }: Exchange,
): Readable | Buffer | null {
  const { whole } = body
  if (whole !== null && whole.length <= SMALL_BYTES) {
    return spliced(whole, splices)
  }
  if (whole !== null) {
    const pieces = splicedPieces(whole, splices)
    head.headers.push('content-length', String(pieces.reduce((sum, { length }) => sum + length, 0)))
    return new HeldBody(pieces)
  }
  if (head.bodyBytes === 0) return null
  if (head.bodyBytes !== null) head.headers.push('content-length', String(head.bodyBytes))
  // An encoded body is not looked into; what it hides from the daemon, the vendor reads.
  const { token } = credential
  const rewriter = head.isEncoded || token === null ? null : createTokenMask(token)
  return streamed(request, { begun: body.begun, idleMs: BODY_IDLE_MS, rewriter })
}
