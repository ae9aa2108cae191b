import { skipBlanks, stringEnd, valueEnd } from './json-bytes.ts'
import { type Word, wordAt } from './json-word.ts'

/**
 * The one walk through a JSON object: checks that it is whole by JSON's grammar, and tells its values to all that read it. Linear
 * in time, without making objects of it; nesting is bounded, and so are the members of the object itself.
 */

/** What a value is, by its first byte. */
export type ValueKind = 'object' | 'list' | 'string' | 'scalar'

/**
 * One that reads a body. Each object and list has a place of the reader's own, with which its members and elements are told; a
 * walk that fails has told some of them by then, and what was made of them counts for nothing.
 */
export interface ValueReader<Place> {
  /** Of the object itself. */
  readonly root: Place
  /**
   * Called for each value, in order, outer ones first; `key` is null for what stands in a list. `start` is its first byte, `end` behind its
   * last (of objects and lists: 0, for they are only beginning). Answers the place of what is in there; null: nothing of it is wanted.
   */
  enter(place: Place, key: Word | null, kind: ValueKind, start: number, end: number): Place | null
  /** An object or list that has a place ends before `end`. */
  leave?(place: Place, end: number): void
}

const [QUOTE, COMMA, COLON] = [0x22, 0x2c, 0x3a] as const
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d] as const
/** Deeper than any request; what nests deeper is not read. */
const MAX_DEPTH = 1_000
/** Members of the object itself: requests have a few dozen. With more of them it is not read, as if it nested too deeply. */
export const MAX_MEMBERS = 1_024

/**
 * Of each level whether it is an object, whether anybody wants it, and the places of all readers; reused, since no walk happens inside
 * another.
 */
const isObjectAt = new Uint8Array(MAX_DEPTH + 1)
const isWantedAt = new Uint8Array(MAX_DEPTH + 1)
const places: unknown[] = []
const KEPT_PLACES = 128
/** So many places were taken in the walk under way. */
let taken = 0

type Readers = readonly ValueReader<unknown>[]

/** Returns where the object's `{` stands, or -1 when the bytes are not one whole JSON object within the bounds. */
export function walkObject(bytes: Buffer, readers: Readers): number {
  try {
    return walk(bytes, readers)
  } finally {
    // Nothing of a body is kept, nor the room that an unusual one took.
    if (places.length > KEPT_PLACES) places.length = 0
    else for (let one = 0; one < taken; one += 1) places[one] = null
  }
}

/** Tells a value at this depth; whether anybody wants what is in it. */
function enter(
  readers: Readers,
  depth: number,
  key: Word | null,
  kind: ValueKind,
  start: number,
  end: number,
): boolean {
  const width = readers.length
  const here = (depth - 1) * width
  if (end === 0) taken = Math.max(taken, here + 2 * width)
  let isWanted = false
  for (let one = 0; one < width; one += 1) {
    const place = places[here + one]
    const inner =
      place === null ? null : (readers[one] as ValueReader<unknown>).enter(place, key, kind, start, end)
    if (end !== 0) continue
    places[here + width + one] = inner
    if (inner !== null) isWanted = true
  }
  return isWanted
}

function leave(readers: Readers, depth: number, end: number): void {
  if (isWantedAt[depth] !== 1) return
  const here = (depth - 1) * readers.length
  for (let one = 0; one < readers.length; one += 1) {
    const place = places[here + one]
    if (place !== null) (readers[one] as ValueReader<unknown>).leave?.(place, end)
  }
}

function walk(bytes: Buffer, readers: Readers): number {
  const open = skipBlanks(bytes, 0)
  if (bytes[open] !== OPEN_OBJECT) return -1
  for (let one = 0; one < readers.length; one += 1) places[one] = (readers[one] as ValueReader<unknown>).root
  taken = readers.length
  isObjectAt[1] = isWantedAt[1] = 1
  let depth = 1
  let members = 0
  let at = skipBlanks(bytes, open + 1)
  /** Whether a bracket may close here: right behind the opening one. */
  let mayClose = true
  for (;;) {
    let end = -1
    const isObject = isObjectAt[depth] === 1
    if (mayClose && bytes[at] === (isObject ? CLOSE_OBJECT : CLOSE_LIST)) {
      end = at + 1
      leave(readers, depth, end)
      depth -= 1
    } else {
      const isWanted = isWantedAt[depth] === 1
      let key: Word | null = null
      if (isObject) {
        if (bytes[at] !== QUOTE) return -1
        const behind = stringEnd(bytes, at)
        if (behind === -1) return -1
        const colon = skipBlanks(bytes, behind)
        if (bytes[colon] !== COLON) return -1
        if (depth === 1) {
          members += 1
          if (members > MAX_MEMBERS) return -1
        }
        if (isWanted) key = wordAt(bytes, at, behind)
        at = skipBlanks(bytes, colon + 1)
      }
      const byte = bytes[at]
      if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        if (depth === MAX_DEPTH) return -1
        const kind = byte === OPEN_OBJECT ? 'object' : 'list'
        isWantedAt[depth + 1] = isWanted && enter(readers, depth, key, kind, at, 0) ? 1 : 0
        depth += 1
        isObjectAt[depth] = byte === OPEN_OBJECT ? 1 : 0
        mayClose = true
        at = skipBlanks(bytes, at + 1)
        continue
      }
      end = valueEnd(bytes, at)
      if (end === -1) return -1
      if (isWanted) enter(readers, depth, key, byte === QUOTE ? 'string' : 'scalar', at, end)
    }
    // A value has ended: brackets may close, then a comma or the end of everything follows.
    for (;;) {
      if (depth === 0) return skipBlanks(bytes, end) === bytes.length ? open : -1
      at = skipBlanks(bytes, end)
      if (bytes[at] !== (isObjectAt[depth] === 1 ? CLOSE_OBJECT : CLOSE_LIST)) break
      end = at + 1
      leave(readers, depth, end)
      depth -= 1
    }
    if (bytes[at] !== COMMA) return -1
    mayClose = false
    at = skipBlanks(bytes, at + 1)
  }
}
