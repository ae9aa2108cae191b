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
  const kept = fields.filter(({ name }) => !isHopByHop(name) && !named.has(name))
  const upgrade = websocket ? fields.filter(({ name }) => name === 'connection' || name === 'upgrade') : []
  if (scrubber === null)
    return { headers: flat([...kept, ...upgrade]), transforms: () => [], search: () => null }

  const hasBody = mayHaveBody(response, fields)
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
    [...kept, ...upgrade].filter(({ name }) => !isDropped(name)),
  )
  return {
    headers: flat(clean),
    transforms: () =>
      hasBody ? [...(decoder === undefined ? [] : [decoder()]), createScrubTransform(scrubber)] : [],
    search: () => (!hasBody ? null : decoder === undefined ? scrubber.stream() : 'encoded'),
  }
}

/** HEAD and 304 describe a body that does not come; its length may stay. */
function mayHaveBody({ method, status }: ResponseToPrepare, fields: readonly HeaderField[]): boolean {
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return false
  const lengths = valuesOf(fields, 'content-length')
  return lengths.length === 0 || lengths.some((length) => !/^0+$/.test(length))
}

const isClean = (scrubber: Scrubber, text: string): boolean => scrubText(scrubber, text) === text

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
  return valuesOf(fields, 'content-encoding')
    .join(',')
    .split(',')
    .map((encoding) => encoding.trim().toLowerCase())
    .filter((encoding) => encoding !== '' && encoding !== 'identity')
}

/** An upstream may lose any header of its own answer. */
function listedByConnection(fields: readonly HeaderField[]): Set<string> {
  const listed = valuesOf(fields, 'connection').join(',').split(',')
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
