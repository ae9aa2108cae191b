/**
 * What the code is given of an answer: the upstream's, with every secret of the run taken out of headers and body.
 * An answer that cannot be searched is not given. Neither the reason phrase nor trailers are passed on.
 */
import { type Duplex, Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { Scrubber } from '../scrub/index.ts'
import { flat, type HeaderField, isHopByHop, readFields, valuesOf } from './header-fields.ts'
import type { EgressPolicy } from './policy.ts'
import { scrubText } from './scrub-text.ts'

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
}

export interface PreparedResponse {
  /** Flat name, value …; without `content-length` where the body may change its length. */
  readonly headers: string[]
  /** What the body goes through, in order, for `stream.pipeline`; made anew at each call, empty when it passes as it is. */
  transforms(): Duplex[]
  /**
   * The same without streams, which cost more than the search of a short body does: null when the body passes as it is,
   * `encoded` when it has to be decoded first and only `transforms` will do.
   */
  search(): BodySearch | null | 'encoded'
  /** For a body whose announced length is small enough to be held whole: the body as it may be given. Else null. */
  readonly short: ((body: Uint8Array) => Uint8Array) | null
}

export interface BodySearch {
  /** Bytes that are safe to give on. */
  push(chunk: Uint8Array): Uint8Array
  /** The bytes still held back; for a body that came to its end. */
  end(): Uint8Array
}

/** Null when the run has no secret that the gateway puts in, so that no answer can echo one. */
export const scrubberFor = (policy: EgressPolicy): Scrubber | null =>
  policy.secrets.length === 0 ? null : policy.scrubber()

const SHORT_BYTES = 65_536
/** Only the daemon says what it refused; an upstream that says it would be believed. */
const OURS = 'x-oauth3-'

const DECODERS = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
])

export function prepareResponse(
  response: ResponseToPrepare,
): PreparedResponse | { readonly refused: 'answer_unreadable' } {
  const { scrubber, websocket = false } = response
  const fields = readFields(response.rawHeaders)
  if (fields === null) return { refused: 'answer_unreadable' }
  const named = listedByConnection(fields)
  const isKept = ({ name }: HeaderField): boolean =>
    !(isHopByHop(name) || named?.has(name) || name.startsWith(OURS)) ||
    (websocket && (name === 'connection' || name === 'upgrade'))
  if (scrubber === null) {
    return { headers: flat(fields.filter(isKept)), transforms: () => [], search: () => null, short: null }
  }

  const length = lengthOf(fields)
  const hasBody = mayHaveBody(response) && length !== 0
  // Of other codings of the transfer nobody here takes any off: the search would read what they hide.
  const transfer = valuesOf(fields, 'transfer-encoding')
  if (hasBody && transfer.length > 0 && transfer.join(',').trim().toLowerCase() !== 'chunked') {
    return { refused: 'answer_unreadable' }
  }
  const encodings = encodingsOf(fields)
  const decoder = DECODERS.get(encodings[0] ?? '')
  if (hasBody && (encodings.length > 1 || (encodings.length === 1 && decoder === undefined))) {
    return { refused: 'answer_unreadable' }
  }
  const isDropped = (name: string): boolean =>
    (hasBody && (name === 'content-length' || name === 'content-encoding')) ||
    (websocket && name === 'sec-websocket-extensions')
  const clean = scrubFields(
    scrubber,
    fields.filter((field) => isKept(field) && !isDropped(field.name)),
  )
  const isShort = hasBody && decoder === undefined && length !== null && length <= SHORT_BYTES
  return {
    headers: flat(clean),
    transforms: () =>
      hasBody ? [...(decoder === undefined ? [] : [decoder()]), createScrubTransform(scrubber)] : [],
    search: () => (!hasBody ? null : decoder === undefined ? scrubber.stream() : 'encoded'),
    short: isShort ? (body) => scrubShort(scrubber, body) : null,
  }
}

/** Nearly every body holds no secret: that is found out without the parts of a stream. */
function scrubShort(scrubber: Scrubber, body: Uint8Array): Uint8Array {
  if (scrubber.isClean(body)) return body
  const stream = scrubber.stream()
  return Buffer.concat([stream.push(body), stream.end()])
}

/** HEAD and 304 describe a body that does not come; its length may stay. */
const mayHaveBody = ({ method, status }: ResponseToPrepare): boolean =>
  method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304

/** The one length that is announced; null when none is, or more than one. */
function lengthOf(fields: readonly HeaderField[]): number | null {
  let length: number | null = null
  for (const { name, value } of fields) {
    if (name === 'transfer-encoding') return null
    if (name !== 'content-length') continue
    if (length !== null || !/^[0-9]{1,15}$/.test(value)) return null
    length = Number(value)
  }
  return length
}

const isClean = (scrubber: Scrubber, text: string): boolean => scrubber.isClean(Buffer.from(text, 'latin1'))

function scrubFields(scrubber: Scrubber, fields: readonly HeaderField[]): HeaderField[] {
  // What holds no secret when it is put together holds none in any part: one reading is enough for nearly all.
  if (isClean(scrubber, fields.map(({ name }) => name).join('\n')) && isClean(scrubber, joined(fields))) {
    return [...fields]
  }
  const clean: HeaderField[] = []
  for (const { name, value } of fields) {
    // A name cannot hold a marker, so the field goes as a whole; so does one that completes what others began.
    const field = { name, value: scrubText(scrubber, value) }
    if (isClean(scrubber, name) && isClean(scrubber, joined([...clean, field]))) clean.push(field)
  }
  return clean
}

const joined = (fields: readonly HeaderField[]): string => fields.map(({ value }) => value).join('')

function encodingsOf(fields: readonly HeaderField[]): string[] {
  const told = valuesOf(fields, 'content-encoding')
  if (told.length === 0) return told
  return told
    .join(',')
    .split(',')
    .map((encoding) => encoding.trim().toLowerCase())
    .filter((encoding) => encoding !== '' && encoding !== 'identity')
}

/** An upstream may lose any header of its own answer. */
function listedByConnection(fields: readonly HeaderField[]): Set<string> | null {
  const told = valuesOf(fields, 'connection')
  if (told.length === 0) return null
  const listed = told.join(',').split(',')
  return new Set(listed.map((name) => name.trim().toLowerCase()))
}

/** Gives on what is safe as soon as it is; a body that breaks off never gives what was still held back. */
function createScrubTransform(scrubber: Scrubber): Transform {
  const stream = scrubber.stream()
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      const clean = stream.push(chunk)
      done(null, clean.length === 0 ? undefined : clean)
    },
    flush(done) {
      const rest = stream.end()
      done(null, rest.length === 0 ? undefined : rest)
    },
  })
}
