/**
 * Content codings (RFC 9110, 8.4.1): what of a `content-encoding` is one, and how a body is taken out of them. Servers
 * write charsets, media types and words such as `none` there, too; no client decodes anything for those.
 */
import type { Duplex } from 'node:stream'
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib'
import { createDecoder, ExpansionLimit, type Unpacking } from './decoder.ts'

/** Windows of HTTP's zstd are at most 8 MiB (RFC 9659, 3): more would be memory that the sender decides on. */
const ZSTD_WINDOW_LOG = 23

const GZIP: Unpacking = { decompressor: () => createGunzip() }
/** Zlib by the standard, and the bare deflate that it holds by habit (RFC 9110, 8.4.1.2). */
const DEFLATE: Unpacking = { decompressor: (first) => (isZlib(first) ? createInflate() : createInflateRaw()) }
const BROTLI: Unpacking = { decompressor: () => createBrotliDecompress() }
const ZSTD: Unpacking = {
  decompressor: () => createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
  joins: true,
}

const UNPACKING: ReadonlyMap<string, Unpacking> = new Map([
  ['gzip', GZIP],
  ['x-gzip', GZIP],
  ['deflate', DEFLATE],
  ['br', BROTLI],
  ['zstd', ZSTD],
])

/** Header of RFC 1950: method 8, and a check over both bytes. */
function isZlib(first: Uint8Array): boolean {
  const [method = 0, flags = 0] = first
  return (method & 0x0f) === 8 && ((method << 8) | flags) % 31 === 0
}

/** Says that nothing is encoded, or how text or a transport stands for it: in no case is there anything to take off. */
const NO_CODING: ReadonlySet<string> = new Set([
  ...['', 'identity', 'none', 'null', 'plain', 'raw', 'text', 'binary', '7bit', '8bit'],
  // Of an upload to S3 that was signed in pieces; the object is kept, and given back, without them.
  'aws-chunked',
  // Of Amazon's JSON protocols: names the form of the message.
  'amz-1.0',
  ...['chunked', 'base64', 'quoted-printable'],
])
const CHARSET = /^(?:charset=)?"?([a-z0-9._:+-]+)"?$/
const MEDIA_TYPE = /^[a-z0-9.+-]+\/[a-z0-9.+-]+$/

function isNoCoding(token: string): boolean {
  if (NO_CODING.has(token) || MEDIA_TYPE.test(token)) return true
  const [, label] = CHARSET.exec(token) ?? []
  return label !== undefined && isCharset(label)
}

function isCharset(label: string): boolean {
  try {
    // Knows the labels of the encoding standard, which are those that servers write.
    return new TextDecoder(label).encoding !== ''
  } catch {
    return false
  }
}

/** The codings of a `content-encoding`, in the order in which they were put on; several fields are one list. */
export const codingsOf = (contentEncoding: string): string[] =>
  contentEncoding
    .toLowerCase()
    .split(',')
    .map((token) => token.trim())
    .filter((token) => !isNoCoding(token))

/** More than one is a mistake already; each costs memory. */
const MAX_CODINGS = 4

/**
 * Makes what takes these codings off, in the order for `stream.pipeline`; none for no codings. Null when one is unknown, or
 * there are too many. A body that unpacks to more than any plausible one does breaks off.
 */
export function decodersOf(codings: readonly string[]): (() => Duplex[]) | null {
  if (codings.length > MAX_CODINGS) return null
  const unpackings: Unpacking[] = []
  for (const coding of codings.toReversed()) {
    const unpacking = UNPACKING.get(coding)
    if (unpacking === undefined) return null
    unpackings.push(unpacking)
  }
  if (unpackings.length === 0) return () => []
  return () => {
    const limit = new ExpansionLimit()
    return unpackings.map((unpacking, index) => createDecoder(unpacking, limit, index === 0))
  }
}
