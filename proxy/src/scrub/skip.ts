/**
 * Passes over bytes at which no match can begin.
 *
 * Whatever a match looks like, its first bytes are one of the paths that leave the root. Two tables tell so:
 * - the fours that a match begins with, exactly: where none stands, no match begins;
 * - the fours near the beginning of a match: looked at once in every so many bytes, they show that no match lies across
 *   that place, so all the bytes between two looks are passed over at once.
 */

import type { Turn } from '../kernel/index.ts'
import { eachGram, GRAM_BYTES, GRAM_HASH, GRAM_HASH_TOO, GramFilter, GramSet, vicinityOf } from './grams.ts'
import type { Graph } from './graph.ts'

/** Bytes from one look to the next, where matches are long enough: more of them make more fours near the beginning. */
const MAX_STEP = 4
const MAX_STEP_OF_MANY = 2
const MANY_RENDERINGS = 128
/** With more renderings nearly every four is near the beginning of one. */
const MAX_STEPPED_RENDERINGS = 1_024
/** So many times as many fours are near the beginning as are one. */
const NEAR_RATIO = 8
/** Paths looked at for each byte that is read meanwhile, to list what is near the beginning. */
const WORK_PER_BYTE = 0.1

export interface Skip {
  /**
   * The first index from `index` on at which a match may begin, as far as the bytes before `end` tell; the last two
   * of them tell nothing. Nothing may be under way at `index`. A match that begins there goes on for four bytes, or as
   * far as these bytes go.
   */
  from(bytes: Uint8Array, index: number, end: number): number
}

/** Listed bit by bit. */
export interface SkipInTheMaking {
  /**
   * Goes on with it: as far as it is needed to begin with, and for so many bytes of text. Undefined when the turn is over
   * first; null where matches may be too short.
   */
  ready(bytes: number, turn: Turn): Skip | null | undefined
}

export function createSkip(graph: Graph): SkipInTheMaking {
  const starts = new GramSet()
  const listing = listStarts(graph, starts)
  let stepping: Generator<number, Skip, void> | undefined
  let skip: Skip | null | undefined
  let left = 0
  return {
    ready(bytes, turn) {
      while (skip === undefined) {
        const { done, value } = listing.next()
        if (done !== true) {
          if (turn.isOver()) return undefined
          continue
        }
        const many = graph.renderings.length > MANY_RENDERINGS
        const step = Math.min(many ? MAX_STEP_OF_MANY : MAX_STEP, value - GRAM_BYTES + 1)
        skip = step < 1 ? null : skipInSteps(starts, starts.toFilter(), 1)
        const isStepped = step > 1 && graph.renderings.length <= MAX_STEPPED_RENDERINGS
        if (isStepped) stepping = listNear(graph, starts, step)
      }
      left += stepping === undefined ? 0 : bytes * WORK_PER_BYTE
      while (left > 0 && stepping !== undefined) {
        const { done, value } = stepping.next()
        if (done === true) {
          skip = value
          stepping = undefined
        } else left -= value
      }
      return skip
    },
  }
}

/** Yields what was looked at; returns the length of the shortest match. */
function* listStarts(graph: Graph, starts: GramSet): Generator<number, number, void> {
  let shortest = Number.POSITIVE_INFINITY
  for (const { layer } of graph.renderings) {
    shortest = Math.min(shortest, layer.shortest)
    yield* eachGram(yield* vicinityOf(layer, 0), (gram) => starts.add(gram))
  }
  return shortest
}

/** Yields what was looked at. */
function* listNear(graph: Graph, starts: GramSet, step: number): Generator<number, Skip, void> {
  const near = new GramFilter(starts.size * NEAR_RATIO)
  for (const { layer } of graph.renderings) {
    yield* eachGram(yield* vicinityOf(layer, step - 1), (gram) => near.add(gram))
  }
  return skipInSteps(starts, near, step)
}

/** Looks at one byte in so many whether a match may lie across it and the three behind it. */
function skipInSteps(starts: GramSet, near: GramFilter, step: number): Skip {
  const firstThree = starts.firstThree()
  /** The first of the bytes up to `at`, not before `from`, at which a match may begin that lies across `at`; else -1. */
  const beginning = (bytes: Uint8Array, view: DataView, from: number, at: number, end: number): number => {
    let first = -1
    for (let start = at; start >= from; start--) {
      const gram = view.getInt32(start, true)
      if (start < at && !near.has(gram) && !hasNul(gram)) break
      if (mayBegin(starts, bytes, start, end, gram) && staysNear(view, start, end)) first = start
    }
    return first
  }

  /** Whether the fours behind the first are near a beginning too, as they are in each match. */
  const staysNear = (view: DataView, start: number, end: number): boolean => {
    const last = Math.min(start + step - 1, end - GRAM_BYTES)
    for (let at = start + 1; at <= last; at++) {
      const gram = view.getInt32(at, true)
      if (hasNul(gram)) return true
      if (!near.has(gram)) return false
    }
    return true
  }

  return {
    from(bytes, index, end) {
      const last = end - GRAM_BYTES
      if (index > last) return index
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let at = index + step - 1
      while (at <= last) {
        const nul = indexOfNul(bytes, at, end)
        for (const plainEnd = Math.min(last, nul - GRAM_BYTES); ; at += step) {
          at = nextNear(near, view, at, plainEnd, step)
          if (at > plainEnd) break
          const first = beginning(bytes, view, at - step + 1, at, end)
          if (first !== -1) return first
        }
        for (const nulsEnd = Math.min(last, nul + AROUND_NUL_BYTES); at <= nulsEnd; at += step) {
          const gram = view.getInt32(at, true)
          // No match is read on through four NULs.
          if (gram === 0 || !(near.has(gram) || hasNul(gram))) continue
          const first = beginning(bytes, view, at - step + 1, at, end)
          if (first !== -1) return first
        }
      }
      for (let start = at - step + 1; start <= last; start++) {
        if (mayBegin(starts, bytes, start, end, view.getInt32(start, true))) return start
      }
      const three =
        (bytes[last + 1] as number) | ((bytes[last + 2] as number) << 8) | ((bytes[last + 3] as number) << 16)
      return hasNul(three | LETTER_LAST) || firstThree.has(three) ? last + 1 : last + 2
    },
  }
}

/** The innermost loop: without any call, for which everything would have to be put aside. */
function nextNear(
  { words, shift }: GramFilter,
  view: DataView,
  from: number,
  last: number,
  step: number,
): number {
  const bitShift = shift - 5
  let at = from
  for (; at <= last; at += step) {
    const gram = view.getInt32(at, true)
    const hash = Math.imul(gram, GRAM_HASH)
    const bits = (1 << (hash >>> bitShift)) | (1 << (Math.imul(gram, GRAM_HASH_TOO) >>> 27))
    if (((words[hash >>> shift] as number) & bits) === bits) break
  }
  return at
}

/** Where one NUL is others are nearby, nearly always. */
const AROUND_NUL_BYTES = 64

/** The search of a buffer is the processor's own, many bytes at once. */
function indexOfNul(bytes: Uint8Array, from: number, end: number): number {
  const found = Buffer.prototype.indexOf.call(bytes, 0, from)
  return found === -1 ? end : Math.min(found, end)
}

/** A NUL among the four: it is passed over wherever it stands, so the four that count reach further. */
const hasNul = (gram: number): boolean => ((gram - 0x01010101) & ~gram & 0x80808080) !== 0

/** Makes four of three. */
const LETTER_LAST = 0x61_00_00_00

/** Of four bytes with as many NULs between two as are passed over. */
const MAX_SPREAD_BYTES = 16

/** Whether a path begins with the byte at `at` and those behind it, NULs left out. */
function mayBegin(starts: GramSet, bytes: Uint8Array, at: number, end: number, gram: number): boolean {
  if (!hasNul(gram)) return starts.has(gram)
  if (bytes[at] === 0) return false
  let seen = 0
  let squeezed = 0
  for (let index = at; seen < GRAM_BYTES; index++) {
    if (index >= end) return true
    const byte = bytes[index] as number
    if (byte !== 0) squeezed |= byte << (8 * seen++)
    else if (index - at > MAX_SPREAD_BYTES) return false
  }
  return starts.has(squeezed)
}
