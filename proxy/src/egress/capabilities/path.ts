/**
 * Paths of requests and patterns of paths, compared by segment (RFC 3986, 3.3 and 6.2.2). A pattern is `/` and
 * segments: a literal one, `*` for exactly one segment that is not empty, and `**` at the end for everything below.
 */

/** Segments as they were written, percent forms of ordinary characters undone; what stays encoded is in capitals. */
type Segments = readonly string[]

export const ANY_PATH = '/**'
const MAX_PATTERN_CHARS = 512

/** Printable ASCII; a fragment is no part of a request. */
const PLAIN = /^\/[\x21\x22\x24-\x7e]*$/

/** A path as it was written, and every way in which servers read it; each is approved, or none. */
export interface PathReadings {
  readonly written: Segments
  readonly readings: readonly Segments[]
}

/**
 * Path normalisation, against path traversal: reads the path of a request, without its query. Servers disagree about encoded slashes, backslashes and question marks, and
 * about what stands behind a semicolon: each reading is given, and a path is approved only if every one of them is. Null
 * for what has no safe reading: dot segments, doubled slashes, broken or doubled percent forms, text that is not UTF-8.
 */
export function readPath(path: string): PathReadings | null {
  // A star is no wildcard here; written as a percent form it is the literal that a pattern can name.
  const plain = (path.split('?', 1)[0] as string).replaceAll('*', '%2A')
  const written = PLAIN.test(plain) ? canonicalSegments(plain) : null
  const readings = written && readingsOf(written)
  return written && readings && { written, readings }
}

/** Null when one of them is not safe. */
function readingsOf(written: Segments): readonly Segments[] | null {
  const text = written.join('/')
  if (!/[%;]/.test(text)) return isSafe(written) ? [written] : null
  const readings = [text, text.replace(/%2F|%5C/g, '/')]
  readings.push(...readings.map((reading) => reading.replace(/(?:%3F|%23).*$/s, '')))
  readings.push(...readings.map((reading) => reading.replace(/(?:;|%3B)[^/]*/g, '')))
  const all = [...new Set(readings)].map((reading) => reading.split('/'))
  return all.every(isSafe) ? all : null
}

/** `/a/b` as `['a', 'b']`; `/` as `['']`. Null when a percent form in it is no character. */
function canonicalSegments(plain: string): Segments | null {
  const segments = plain.slice(1).split('/').map(canonicalSegment)
  return segments.includes(null) ? null : (segments as string[])
}

const UNRESERVED = /^[A-Za-z0-9\-._~!$&'()+,=:@]$/
/** Control characters, and a percent sign that begins another percent form once it is decoded. */
const NEVER = /%(?:[01][0-9A-F]|7F)|%25[0-9A-Fa-f]{2}/

/** Null when a percent form is broken, encodes a control character, or is encoded twice. */
function canonicalSegment(written: string): string | null {
  if (!written.includes('%')) return written
  if (/%(?![0-9A-Fa-f]{2})/.test(written)) return null
  const canonical = written.replace(/%([0-9A-Fa-f]{2})/g, (form, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return UNRESERVED.test(character) ? character : form.toUpperCase()
  })
  return NEVER.test(canonical) || !isUtf8(canonical) ? null : canonical
}

/** What a path is taken apart by. */
const marksOf = (text: string): string => text.replace(/[^/\\.?#;%]/g, '')

function isUtf8(segment: string): boolean {
  try {
    const text = decodeURIComponent(segment)
    // Servers that fold wide letters into ASCII would find a slash or a dot where there was none.
    const folded = text.normalize('NFKC')
    return folded === text || marksOf(folded) === marksOf(text)
  } catch {
    return false
  }
}

const isSafe = (segments: Segments): boolean =>
  segments.every((segment, index) => {
    if (segment === '' && index < segments.length - 1) return false
    // Some servers leave blanks and dots at the end of a name out, so more than the two dot segments are.
    return !/^(?:\.|%20|\+)+$/.test(segment) && !segment.includes('\\')
  })

/** A pattern in its canonical form. */
export interface PathPattern {
  readonly text: string
  /** Without the `**` at the end. */
  readonly segments: Segments
  /** It ends in `**`. */
  readonly below: boolean
}

const WILD = '*'

/** Reads a pattern; `problem` completes a sentence that begins with its text. */
export function parsePathPattern(text: string): PathPattern | { readonly problem: string } {
  if (text.length > MAX_PATTERN_CHARS) return { problem: `is longer than ${MAX_PATTERN_CHARS} characters` }
  if (!/^\/[\x21-\x7e]*$/.test(text))
    return { problem: 'is not a path of printable ASCII that begins with /' }
  if (/[?#\\]/.test(text)) return { problem: 'holds ?, # or a backslash; a pattern ends with the path' }
  const canonical = canonicalSegments(text)
  if (canonical === null || readingsOf(canonical) === null) {
    return { problem: 'holds dot segments, doubled slashes or percent forms that servers read differently' }
  }
  const below = canonical.at(-1) === '**'
  const segments = below ? canonical.slice(0, -1) : canonical
  if (segments.some((segment) => segment !== WILD && segment.includes('*'))) {
    return { problem: 'takes * for a whole segment only, and ** at the end' }
  }
  return { text: `/${canonical.join('/')}`, segments, below }
}

/**
 * Whether the pattern approves the path in every reading of it. A literal segment with an encoded slash was approved letter by
 * letter, so where the path holds exactly that one there is nothing to read differently.
 */
export function pathMatches(pattern: PathPattern, { written, readings }: PathReadings): boolean {
  if (!segmentsMatch(pattern, written)) return false
  if (!pattern.segments.some(isAmbiguous)) return readings.every((reading) => segmentsMatch(pattern, reading))
  const plain = (segment: string, index: number): string =>
    isAmbiguous(pattern.segments[index] ?? '') ? 'x' : segment
  const beside = readingsOf(written.map(plain))
  const plainPattern = { ...pattern, segments: pattern.segments.map(plain) }
  return beside?.every((reading) => segmentsMatch(plainPattern, reading)) ?? false
}

const isAmbiguous = (segment: string): boolean => /[%;]/.test(segment)

function segmentsMatch({ segments, below }: PathPattern, path: Segments): boolean {
  if (below ? !isBelow(path, segments.length) : path.length !== segments.length) return false
  return segments.every((segment, index) => (segment === WILD ? path[index] !== '' : path[index] === segment))
}

/** A slash alone at the end is not below: most servers take `/a/` for `/a`. */
const isBelow = (path: Segments, length: number): boolean =>
  path.length > length && (length === 0 || path.length > length + 1 || path[length] !== '')

/** Whether every path of `inner` is one of `outer`. */
export function pathCovers(outer: PathPattern, inner: PathPattern): boolean {
  if (inner.below && !outer.below) return false
  const length = outer.segments.length
  if (outer.below ? inner.segments.length < length : inner.segments.length !== length) return false
  // `/a/**` reaches below /a, so it covers neither `/a` itself nor `/a/`.
  if (outer.below && !inner.below && !isBelow(inner.segments, length)) return false
  return outer.segments.every((segment, index) =>
    segment === WILD ? inner.segments[index] !== '' : inner.segments[index] === segment,
  )
}
