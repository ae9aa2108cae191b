import { keyAt, skipBlanks, valueEnd } from './json-members.ts'

/** What a value is, by its first byte. */
export type ValueKind = 'object' | 'list' | 'string' | 'scalar'

/**
 * Called for each value of a body, in order, outer ones first. `key` is null for what stands in a list, and '' for a key that
 * is longer than any that is asked for. `start` is its first byte, `end` behind its last (of objects and lists: 0, for they are only
 * beginning). What it answers is the place that the value's own members and elements are told with.
 */
export type Enter<Place> = (
  place: Place,
  key: string | null,
  kind: ValueKind,
  start: number,
  end: number,
) => Place

const KEY_BYTES = 128
const [QUOTE, OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA] = [
  ...([0x22, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c] as const),
]

/** Walks through a body that `visitMembers` has found to be whole; linear in time, without making objects of it. */
export function walkValues<Place>(bytes: Buffer, root: Place, enter: Enter<Place>): void {
  const places: Place[] = []
  const isObject: boolean[] = []
  let depth = -1
  let at = skipBlanks(bytes, 0)
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1
      at = skipBlanks(bytes, at + 1)
      continue
    }
    if (byte === COMMA) {
      at = skipBlanks(bytes, at + 1)
      continue
    }
    let key: string | null = null
    let start = at
    if (depth >= 0 && isObject[depth]) {
      const keyEnd = valueEnd(bytes, at)
      if (keyEnd === -1) return
      key = keyEnd - at > KEY_BYTES ? '' : (keyAt(bytes, at, keyEnd) ?? '')
      start = skipBlanks(bytes, skipBlanks(bytes, keyEnd) + 1)
    }
    const place = depth < 0 ? root : (places[depth] as Place)
    const first = bytes[start]
    if (first === OPEN_OBJECT || first === OPEN_LIST) {
      const inner = depth < 0 ? root : enter(place, key, first === OPEN_OBJECT ? 'object' : 'list', start, 0)
      depth += 1
      places[depth] = inner
      isObject[depth] = first === OPEN_OBJECT
      at = skipBlanks(bytes, start + 1)
      continue
    }
    const end = valueEnd(bytes, start)
    if (end === -1) return
    enter(place, key, first === QUOTE ? 'string' : 'scalar', start, end)
    at = skipBlanks(bytes, end)
  }
}
