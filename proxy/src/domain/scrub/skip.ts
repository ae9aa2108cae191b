/**
 * Passes over bytes at which no match can begin, without reading most of them.
 *
 * Whatever a match looks like, its first bytes are one of the paths that leave the root. Four neighbours among
 * them, looked at once in every so many bytes, are enough to see that none of those paths lies here: either they are
 * among the fours of some path, which a table of their hashes says, or one of them begins an escape or a separator, of
 * which there are too many to list, and which are rare in ordinary text.
 */
import { type Graph, type Layer, ROOT } from './graph.ts'

const GRAM = 4
/** More bytes a step, but also more fours that let one stop: beyond this, ordinary text stops it too often. */
const MAX_WINDOW_BYTES = 10
/** Below this a step is hardly longer than the look-up that it saves. */
const MIN_WINDOW_BYTES = 6
const HASH_BITS = 22
/** Beyond so many, most texts are stopped everywhere. */
const MAX_GRAMS = 1 << 20
/** Edges looked at for each byte that is read meanwhile. */
const WORK_PER_BYTE = 0.02
/** What escapes, soft line breaks and separators begin with, and a NUL. */
const MARKS = new Uint8Array(256)
for (const byte of Buffer.from('\\%&=\n\r\0')) MARKS[byte] = 1

export interface Skip {
  /**
   * The first index from `index` on at which a match may begin, as far as these bytes tell; the ones near their end
   * tell nothing. Nothing may be under way at `index`.
   */
  from(bytes: Uint8Array, index: number): number
  /** What stopped it lies before this many bytes behind the answer: it need not be asked again until there. */
  readonly windowBytes: number
}

/** Prepared bit by bit. */
export interface SkipInTheMaking {
  /** Goes on with it for so many bytes of text; null while it is not ready, and where matches may be too short. */
  ready(bytes: number): Skip | null
}

export function createSkip(graph: Graph): SkipInTheMaking {
  const isGram = new Uint32Array(1 << (HASH_BITS - 5))
  let left = 0
  let found: Skip | null | undefined
  const making = prepare(graph, isGram)
  return {
    ready(bytes) {
      if (found !== undefined) return found
      left += Math.ceil(bytes * WORK_PER_BYTE)
      while (left > 0) {
        const { done, value } = making.next()
        if (done === true) {
          found = value === null ? null : skipOver(isGram, value)
          return found
        }
        left -= value
      }
      return null
    },
  }
}

const hashOf = (gram: number): number => Math.imul(gram ^ (gram >>> 15), 0x9e3779b1) >>> (32 - HASH_BITS)

function skipOver(isGram: Uint32Array, windowBytes: number): Skip {
  const step = windowBytes - GRAM + 1
  return {
    windowBytes,
    from(bytes, index) {
      const last = bytes.length - GRAM
      let at = index + windowBytes - GRAM
      while (at <= last) {
        const a = bytes[at] as number
        const b = bytes[at + 1] as number
        const c = bytes[at + 2] as number
        const d = bytes[at + 3] as number
        const gram = a | (b << 8) | (c << 16) | (d << 24)
        const hash = Math.imul(gram ^ (gram >>> 15), 0x9e3779b1) >>> (32 - HASH_BITS)
        if (((isGram[hash >>> 5] as number) >>> (hash & 31)) & 1) break
        if (MARKS[a] || MARKS[b] || MARKS[c] || MARKS[d]) break
        at += step
      }
      return at - windowBytes + GRAM
    },
  }
}

/** Fills the table; yields what it has looked at since the last time, returns the window, or null for none. */
function* prepare(graph: Graph, isGram: Uint32Array): Generator<number, number | null, void> {
  let windowBytes = MAX_WINDOW_BYTES
  for (const { layer } of graph.renderings) {
    windowBytes = Math.min(windowBytes, layer.shortest)
    yield windowBytes
  }
  if (windowBytes < MIN_WINDOW_BYTES) return null
  let grams = 0
  for (const { layer } of graph.renderings) {
    grams += yield* addGrams(layer, windowBytes - GRAM, isGram)
    if (grams > MAX_GRAMS) return null
  }
  return windowBytes
}

/** Adds the fours that begin at most so many bytes behind the beginning of a match; returns how many were new. */
function* addGrams(layer: Layer, bytes: number, isGram: Uint32Array): Generator<number, number, void> {
  let grams = 0
  let looked = 0

  /** The nodes that each byte leads to; marks are no part of a four. */
  const parted = (nodes: Iterable<number>): Map<number, Set<number>> => {
    const byByte = new Map<number, Set<number>>()
    for (const node of nodes) {
      layer.out(node, (byte, target) => {
        looked++
        const found = byByte.get(byte)
        if (found === undefined) byByte.set(byte, new Set([target]))
        else found.add(target)
      })
    }
    return byByte
  }

  const add = function* (
    nodes: Iterable<number>,
    length: number,
    gram: number,
  ): Generator<number, void, void> {
    for (const [byte, targets] of parted(nodes)) {
      if (MARKS[byte] === 1) continue
      const longer = gram | (byte << (8 * length))
      if (length < GRAM - 1) {
        yield* add(targets, length + 1, longer)
        continue
      }
      const hash = hashOf(longer)
      const word = hash >>> 5
      const bit = 1 << (hash & 31)
      if (((isGram[word] as number) & bit) !== 0) continue
      isGram[word] = (isGram[word] as number) | bit
      grams++
    }
    yield looked
    looked = 0
  }

  const near = new Set<number>([ROOT])
  let level = new Set<number>([ROOT])
  for (let distance = 0; distance < bytes; distance++) {
    const next = new Set<number>()
    for (const targets of parted(level).values()) {
      for (const target of targets) {
        if (!near.has(target)) next.add(target)
        near.add(target)
      }
    }
    level = next
    yield looked
    looked = 0
  }
  yield* add(near, 0, 0)
  return grams
}
