/**
 * Ranges of bytes (RFC 9110, 14). A part that the code asks for could cut a secret into pieces too small to be recognised, so
 * more is asked for on both sides: as much as the longest rendering of a secret has. That is searched, and the part cut out.
 */

export type ByteRange =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | null }
  | { readonly kind: 'suffix'; readonly length: number }

/** What was asked for in place of a range, and by how many bytes it is wider at either end. */
export interface WidenedRange {
  /** The field that it was asked for with. */
  readonly field: string
  readonly asked: ByteRange
  readonly marginBytes: number
}

/** By which names a part is asked for: the standard's, the one before it that servers still read (Apache), and Azure's. */
export const RANGE_FIELD = /^(?:range|request-range|x-ms-range)$/

/** No part was asked for by any of those names, so none that comes can be searched over its borders. */
export type RequestedPart = WidenedRange | 'none'

/** One range of bytes; null for several, and for every other unit: what such a part leaves out cannot be told. */
export function parseByteRange(value: string): ByteRange | null {
  const parts = /^\s*bytes\s*=\s*([0-9]{0,15})\s*-\s*([0-9]{0,15})\s*$/i.exec(value)
  if (parts === null) return null
  const [, first = '', last = ''] = parts
  if (first === '') return last === '' ? null : { kind: 'suffix', length: Number(last) }
  if (last === '') return { kind: 'from', first: Number(first), last: null }
  return Number(last) < Number(first) ? null : { kind: 'from', first: Number(first), last: Number(last) }
}

export function formatWidened({ asked, marginBytes }: Omit<WidenedRange, 'field'>): string {
  if (asked.kind === 'suffix') return `bytes=-${asked.length + marginBytes}`
  const first = Math.max(0, asked.first - marginBytes)
  return `bytes=${first}-${asked.last === null ? '' : asked.last + marginBytes}`
}

/** What is cut out of the part that came. */
export interface Cut {
  /** Bytes of it before those that were asked for. */
  readonly skip: number
  readonly length: number
  /** The `content-range` of what is left. */
  readonly contentRange: string
}

/**
 * Cuts what was asked for out of a part with this `content-range`. `unsatisfiable`: there is nothing at that place, what came is
 * margin only. Null when the part is not wide enough to be searched over its borders.
 */
export function cutOf(
  { asked, marginBytes }: Omit<WidenedRange, 'field'>,
  contentRange: string,
): Cut | { readonly unsatisfiable: string } | null {
  const parts = /^\s*bytes\s+([0-9]{1,15})-([0-9]{1,15})\/([0-9]{1,15}|\*)\s*$/i.exec(contentRange)
  if (parts === null) return null
  const [from, to] = [Number(parts[1]), Number(parts[2])]
  const total = parts[3] === '*' ? null : Number(parts[3])
  if (to < from || (total !== null && to >= total)) return null
  const isEnd = total !== null && to === total - 1
  if (asked.kind === 'suffix' && !isEnd) return null
  const first = asked.kind === 'from' ? asked.first : Math.max(0, (total ?? 0) - asked.length)
  const searchedTo = isEnd ? to : to - marginBytes
  const last = Math.min(asked.kind === 'from' ? (asked.last ?? searchedTo) : searchedTo, searchedTo)
  if (total !== null && first >= total) return { unsatisfiable: `bytes */${total}` }
  if (from > Math.max(0, first - marginBytes) || last < first) return null
  return {
    skip: first - from,
    length: last - first + 1,
    contentRange: `bytes ${first}-${last}/${total ?? '*'}`,
  }
}

interface Search {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
}

/** What a search that keeps lengths gives, without what was asked for beyond the part. */
export function cutting(search: Search, { skip, length }: Pick<Cut, 'skip' | 'length'>): Search {
  let at = 0
  const cut = (bytes: Uint8Array): Uint8Array => {
    const begin = Math.max(0, skip - at)
    const end = Math.max(begin, skip + length - at)
    at += bytes.length
    return bytes.subarray(Math.min(begin, bytes.length), Math.min(end, bytes.length))
  }
  return { push: (chunk) => cut(search.push(chunk)), end: () => cut(search.end()) }
}
