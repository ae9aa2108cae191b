/**
 * What the code is given of an answer: the upstream's, with every secret of the run taken out of headers and body.
 * An answer that cannot be searched is not given. The reason phrase is not passed on, and trailers only where the client
 * takes some.
 */

import { type Duplex, Transform } from 'node:stream'
import { currentOwner, onBehalfOf } from '../kernel/index.ts'
import { inLaterTurn, loopTurn, type Scrubber, type ScrubStream, scrubText } from '../scrub/index.ts'
import { type Cut, cutOf, cutting, type RequestedPart } from './byte-range.ts'
import { codingsOf, decodersOf } from './content-coding.ts'
import { flat, type HeaderField, isHopByHop, readFields, valuesOf } from './header-fields.ts'
import { createMessageSearch } from './message-search.ts'
import type { EgressPolicy } from './policy.ts'

export interface ResponseToPrepare {
  /** See `scrubberFor`; null lets everything but hop-by-hop headers pass as it is. */
  readonly scrubber: Scrubber | null
  readonly status: number
  /** Flat name, value … as they came. */
  readonly rawHeaders: readonly string[]
  /** Of the request. */
  readonly method: string
  /** The answer to a WebSocket handshake: `Connection` and `Upgrade` stay. */
  readonly websocket?: boolean
  /** What the request asked for of it; null where any part may come. */
  readonly part?: RequestedPart | null
}

export interface PreparedResponse {
  /** Another than came where there is nothing in the part that was asked for. */
  readonly status: number
  /** Flat name, value …; without `content-length` where the body may change its length. */
  readonly headers: string[]
  /** What the body goes through, in order, for `stream.pipeline`; made anew at each call, empty when it passes as it is. */
  transforms(): Duplex[]
  /**
   * The same without streams, which cost more than the search of a short body does: null when the body passes as it is,
   * `encoded` when it has to be decoded first and only `transforms` will do.
   */
  search(): BodySearch | null | 'encoded'
  /** For a body whose announced length is small enough to be held whole; else null. */
  readonly short: ShortBody | null
}

export interface ShortBody {
  /** Nearly every body holds no secret: that is found out without the parts of a stream. */
  isClean(body: Uint8Array): boolean
  /** For one that is not clean, or of which the turn of the event loop was over before that was known. */
  searchOfBody(): BodySearch
}

/** What looks for secrets in a body. It takes its share of a turn of the event loop, and no more. */
export interface BodySearch {
  /**
   * Adds bytes that are safe to give on to `out`. False when the turn was over before all were read: it is called again in
   * a later one (`inLaterTurn`), with no bytes.
   */
  read(chunk: Uint8Array, out: Uint8Array[]): boolean
  /** The bytes still held back; for a body that came to its end and was read. */
  end(): Uint8Array
}

/** What else a body goes through. */
export interface BodyFilter {
  push(chunk: Uint8Array): Uint8Array
  /** The bytes still held back; for a body that came to its end. */
  end(): Uint8Array
}

/** Null when the run has no secret that the gateway puts in, so that no answer can echo one. */
export const scrubberFor = (policy: EgressPolicy): Scrubber | null =>
  policy.secrets.length === 0 ? null : policy.scrubber()

const SHORT_BYTES = 65_536
const NO_CODINGS: string[] = []
/** Only the daemon says what it refused; an upstream that says it would be believed. */
const OURS = 'x-oauth3-'

export function prepareResponse(
  response: ResponseToPrepare,
): PreparedResponse | { readonly refused: 'answer_unreadable' } {
  const { scrubber, websocket = false } = response
  const fields = readFields(response.rawHeaders)
  if (fields === null) return { refused: 'answer_unreadable' }
  const facts = factsOf(fields)
  if (scrubber === null) {
    const kept = fields.filter(({ name }) => isKept(name, facts, websocket))
    return {
      status: response.status,
      headers: flat(kept),
      transforms: () => [],
      search: () => null,
      short: null,
    }
  }

  const length = lengthOf(facts)
  const hasBody = mayHaveBody(response) && length !== 0
  // Of other codings of the transfer nobody here takes any off: the search would read what they hide.
  if (hasBody && facts.transfer !== null && facts.transfer.trim().toLowerCase() !== 'chunked') {
    return { refused: 'answer_unreadable' }
  }
  const codings = facts.encoding === null ? NO_CODINGS : codingsOf(facts.encoding)
  const isEncoded = codings.length > 0
  const decoders = isEncoded ? decodersOf(codings) : null
  if (hasBody && isEncoded && decoders === null) return { refused: 'answer_unreadable' }
  if (hasBody && facts.packsMessages) return { refused: 'answer_unreadable' }
  const cut = cutFor(response, fields)
  if (cut === null || (cut !== 'whole' && isEncoded)) return { refused: 'answer_unreadable' }
  const kept: HeaderField[] = []
  for (const field of fields) {
    const { name } = field
    if (!isKept(name, facts, websocket)) continue
    if (hasBody && (name === 'content-length' || name === 'content-encoding')) continue
    if (websocket && name === 'sec-websocket-extensions') continue
    kept.push(field)
  }
  const clean = scrubFields(scrubber, kept)
  if (cut !== 'whole') return cutAnswer(response, scrubber, clean, cut, length)
  return new SearchedResponse({
    status: response.status,
    headers: flat(clean),
    scrubber,
    form: formOf(facts.type ?? ''),
    hasBody,
    decoders,
    length,
  })
}

/** A class, for there is one for each answer: its methods are made once. */
class SearchedResponse implements PreparedResponse, ShortBody {
  readonly status: number
  readonly headers: string[]
  readonly short: ShortBody | null
  readonly #scrubber: Scrubber
  readonly #form: ReturnType<typeof formOf>
  readonly #hasBody: boolean
  /** Null where the body comes as it is. */
  readonly #decoders: (() => Duplex[]) | null

  constructor(parts: {
    readonly status: number
    readonly headers: string[]
    readonly scrubber: Scrubber
    readonly form: ReturnType<typeof formOf>
    readonly hasBody: boolean
    readonly decoders: (() => Duplex[]) | null
    readonly length: number | null
  }) {
    const { hasBody, decoders, form, length } = parts
    this.status = parts.status
    this.headers = parts.headers
    this.#scrubber = parts.scrubber
    this.#form = form
    this.#hasBody = hasBody
    this.#decoders = decoders
    const isShort = length !== null && length <= SHORT_BYTES
    this.short = hasBody && decoders === null && form === 'text' && isShort ? this : null
  }

  transforms(): Duplex[] {
    return this.#hasBody ? [...(this.#decoders?.() ?? []), createSearchTransform(this.searchOfBody())] : []
  }

  search(): BodySearch | null | 'encoded' {
    if (!this.#hasBody) return null
    return this.#decoders === null ? this.searchOfBody() : 'encoded'
  }

  isClean(body: Uint8Array): boolean {
    return this.#scrubber.isClean(body, loopTurn)
  }

  searchOfBody(): BodySearch {
    return this.#form === 'messages'
      ? searchAtOnce(createMessageSearch(this.#scrubber))
      : searchBy(this.#scrubber.stream({ keepLength: this.#form === 'lengths' }))
  }
}

/** Trailers as they may be given: without secrets, and without what is the gateway's to say. */
export function prepareTrailers(scrubber: Scrubber | null, rawTrailers: readonly string[]): string[] {
  const fields = (readFields(rawTrailers) ?? []).filter(
    ({ name }) =>
      !isHopByHop(name) && !name.startsWith(OURS) && name !== 'content-length' && name !== 'content-encoding',
  )
  return flat(scrubber === null ? fields : scrubFields(scrubber, fields))
}

const searchBy = (stream: ScrubStream): BodySearch => ({
  read: (chunk, out) => stream.read(chunk, out, loopTurn),
  end: () => stream.end(),
})

/** What reads all it is given, of a part or of messages. */
function searchAtOnce(filter: BodyFilter): BodySearch {
  return {
    read(chunk, out) {
      const clean = filter.push(chunk)
      if (clean.length > 0) out.push(clean)
      return true
    },
    end: () => filter.end(),
  }
}

/** HEAD and 304 describe a body that does not come; its length may stay. */
const mayHaveBody = ({ method, status }: ResponseToPrepare): boolean =>
  method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304

/** What the fields that say how a message is carried say; several of one name are one list. Null where there is none. */
interface Facts {
  connection: ReadonlySet<string> | null
  /** How often a length is announced, and the last. */
  lengths: number
  length: string
  transfer: string | null
  encoding: string | null
  /** The first. */
  type: string | null
  /** Messages of gRPC and Connect are packed one by one, inside a body that says nothing of it. */
  packsMessages: boolean
}

function factsOf(fields: readonly HeaderField[]): Facts {
  const facts: Facts = {
    connection: null,
    lengths: 0,
    length: '',
    transfer: null,
    encoding: null,
    type: null,
    packsMessages: false,
  }
  let connection: string | null = null
  for (const { name, value } of fields) {
    if (name === 'content-length') {
      facts.lengths += 1
      facts.length = value
    } else if (name === 'content-type') facts.type ??= value
    else if (name === 'transfer-encoding') facts.transfer = listed(facts.transfer, value)
    else if (name === 'content-encoding') facts.encoding = listed(facts.encoding, value)
    else if (name === 'connection') connection = listed(connection, value)
    else if (MESSAGE_CODINGS.has(name) && value.trim().toLowerCase() !== 'identity')
      facts.packsMessages = true
  }
  // An upstream may lose any header of its own answer.
  if (connection !== null && !CONNECTION_OPTIONS.has(connection))
    facts.connection = new Set(partsOf(connection))
  return facts
}

const listed = (before: string | null, value: string): string =>
  before === null ? value : `${before},${value}`

const partsOf = (list: string): string[] => list.split(',').map((part) => part.trim().toLowerCase())

/** Alone, they name no field. */
const CONNECTION_OPTIONS: ReadonlySet<string> = new Set(['keep-alive', 'close'])

const isKept = (name: string, { connection }: Facts, websocket: boolean): boolean =>
  !(isHopByHop(name) || connection?.has(name) || name.startsWith(OURS)) ||
  (websocket && (name === 'connection' || name === 'upgrade'))

/** The one length that is announced; null when none is, or more than one. */
const lengthOf = ({ transfer, lengths, length }: Facts): number | null =>
  transfer === null && lengths === 1 && /^[0-9]{1,15}$/.test(length) ? Number(length) : null

const isClean = (scrubber: Scrubber, text: string): boolean => scrubber.isClean(Buffer.from(text, 'latin1'))

function scrubFields(scrubber: Scrubber, fields: readonly HeaderField[]): readonly HeaderField[] {
  // What holds no secret when it is put together holds none in any part: one reading is enough for nearly all.
  let names = ''
  for (const { name } of fields) names += `${name}\n`
  if (isClean(scrubber, names + joined(fields))) return fields
  const clean: HeaderField[] = []
  for (const { name, value } of fields) {
    // A name cannot hold a marker, so the field goes as a whole; so does one that completes what others began.
    const field = { name, value: scrubText(scrubber, value, { encoding: 'latin1' }) }
    if (isClean(scrubber, name) && isClean(scrubber, joined([...clean, field]))) clean.push(field)
  }
  return clean
}

function joined(fields: readonly HeaderField[]): string {
  let all = ''
  for (const { value } of fields) all += value
  return all
}

const MESSAGE_CODINGS: ReadonlySet<string> = new Set(['grpc-encoding', 'connect-content-encoding'])

/** Whether a body says the lengths of its parts in bytes: one that became longer or shorter would break the rest. */
function formOf(type: string): 'messages' | 'lengths' | 'text' {
  if (MESSAGES.test(type)) return 'messages'
  return LENGTHS.test(type) ? 'lengths' : 'text'
}
const MESSAGES = /^\s*application\/(?:grpc(?!-web-text)|connect\+)/i
const LENGTHS = /^\s*application\/(?:grpc|proto|x-protobuf|vnd\.google\.protobuf)/i

/** `whole` when nothing is to be cut; null when it cannot be told what. */
function cutFor(
  { status, part = null }: ResponseToPrepare,
  fields: readonly HeaderField[],
): ReturnType<typeof cutOf> | 'whole' {
  if (part === 'none') return isPart(fields) ? null : 'whole'
  if (part === null || status !== 206) return 'whole'
  const [contentRange, ...more] = valuesOf(fields, 'content-range')
  // Several parts come in a body of their own form, which names none in its head.
  return contentRange === undefined || more.length > 0 ? null : cutOf(part, contentRange)
}

/** Says that it is some bytes of a whole. Ranges of other units are pages of lists. */
const isPart = (fields: readonly HeaderField[]): boolean =>
  fields.some(
    ({ name, value }) =>
      (name === 'content-range' && /^\s*bytes\s+[0-9]/i.test(value)) ||
      (name === 'content-type' && /^\s*multipart\/byteranges/i.test(value)),
  )

/** The part that was asked for; secrets in it, and over its borders, are masked byte by byte. */
function cutAnswer(
  response: ResponseToPrepare,
  scrubber: Scrubber,
  fields: readonly HeaderField[],
  cut: Exclude<ReturnType<typeof cutOf>, null>,
  length: number | null,
): PreparedResponse {
  const others = fields.filter(({ name }) => name !== 'content-range' && name !== 'content-length')
  const part: Cut = 'unsatisfiable' in cut ? { skip: 0, length: 0, contentRange: cut.unsatisfiable } : cut
  const isExact = length !== null || 'unsatisfiable' in cut
  const headers = [
    ...others,
    { name: 'content-range', value: part.contentRange },
    // What came is as long as it said, so the part is, too.
    ...(isExact ? [{ name: 'content-length', value: String(part.length) }] : []),
  ]
  const hasBody = mayHaveBody(response)
  const search = (): BodySearch => searchAtOnce(cutting(scrubber.stream({ keepLength: true }), part))
  return {
    status: 'unsatisfiable' in cut ? 416 : response.status,
    headers: flat(headers),
    transforms: () => (hasBody ? [createSearchTransform(search())] : []),
    search: () => (hasBody ? search() : null),
    short: null,
  }
}

const NO_BYTES = new Uint8Array(0)

/** Gives on what is safe as soon as it is; a body that breaks off never gives what was still held back. */
function createSearchTransform(search: BodySearch): Transform {
  const owner = currentOwner()
  const transform = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      const go = (bytes: Uint8Array): void => {
        const out: Uint8Array[] = []
        const isRead = search.read(bytes, out)
        for (const piece of out) transform.push(piece)
        if (isRead) done()
        else onBehalfOf(owner, () => inLaterTurn(goOn))
      }
      const goOn = (): void => {
        if (transform.destroyed) return
        try {
          go(NO_BYTES)
        } catch (error) {
          transform.destroy(error as Error)
        }
      }
      go(chunk)
    },
    flush(done) {
      const rest = search.end()
      done(null, rest.length === 0 ? undefined : rest)
    },
  })
  return transform
}
