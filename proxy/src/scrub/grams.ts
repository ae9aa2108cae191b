/** Runs of four bytes on the paths of a layer, and tables to look them up in. A gram holds its first byte lowest. */
import type { Layer } from './graph.ts'

export const GRAM_BYTES = 4

export const gramAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  ((bytes[at + 3] as number) << 24)

/** Edges and paths that are looked at between two places at which the work may pause. */
const WORK_AT_ONCE = 4_096

/** The nodes near the root in the order of their distance, by number, with the edges that leave them. */
export interface Vicinity {
  /** The edges of a node begin here, and end where those of the next begin. */
  readonly edgesFrom: readonly number[]
  readonly byteOf: readonly number[]
  readonly targetOf: readonly number[]
  /** So many nodes are no further from the root than the distance. */
  readonly near: number
}

/** As far as grams reach that begin so many bytes behind a match's beginning. Yields the edges looked at. */
export function* vicinityOf(layer: Layer, distance: number): Generator<number, Vicinity, void> {
  const nodes = [0]
  const numberOf = new Map([[0, 0]])
  const edgesFrom = [0]
  const byteOf: number[] = []
  const targetOf: number[] = []
  let near = 0
  let yielded = 0
  for (let level = 0, at = 0; level < distance + GRAM_BYTES; level++) {
    const end = nodes.length
    if (level === distance) near = end
    for (; at < end; at++) {
      layer.out(nodes[at] as number, (byte, target) => {
        let number = numberOf.get(target)
        if (number === undefined) {
          number = nodes.push(target) - 1
          numberOf.set(target, number)
        }
        byteOf.push(byte)
        targetOf.push(number)
      })
      edgesFrom.push(byteOf.length)
      if (byteOf.length - yielded < WORK_AT_ONCE) continue
      yield byteOf.length - yielded
      yielded = byteOf.length
    }
  }
  while (edgesFrom.length <= nodes.length) edgesFrom.push(byteOf.length)
  yield byteOf.length - yielded
  return { edgesFrom, byteOf, targetOf, near }
}

/** Gives the grams that begin at the near nodes to `add`, some more than once. Yields the paths looked at. */
export function* eachGram(
  { edgesFrom, byteOf, targetOf, near }: Vicinity,
  add: (gram: number) => void,
): Generator<number, void, void> {
  let work = 0
  for (let node = 0; node < near; node++) {
    const endA = edgesFrom[node + 1] as number
    for (let a = edgesFrom[node] as number; a < endA; a++) {
      const one = byteOf[a] as number
      const nodeA = targetOf[a] as number
      const endB = edgesFrom[nodeA + 1] as number
      for (let b = edgesFrom[nodeA] as number; b < endB; b++) {
        const byteB = byteOf[b] as number
        const two = one | (byteB << 8)
        const nodeB = targetOf[b] as number
        const endC = edgesFrom[nodeB + 1] as number
        for (let c = edgesFrom[nodeB] as number; c < endC; c++) {
          const byteC = byteOf[c] as number
          const three = two | (byteC << 16)
          const nodeC = targetOf[c] as number
          const first = edgesFrom[nodeC] as number
          const endD = edgesFrom[nodeC + 1] as number
          for (let d = first; d < endD; d++) add(three | ((byteOf[d] as number) << 24))
          work += endD - first + 1
        }
      }
    }
    if (work < WORK_AT_ONCE) continue
    yield work
    work = 0
  }
  yield work
}

/** Fibonacci hashing: the upper bits of the product depend on all of the gram. */
export const GRAM_HASH = 0x9e3779b1
/** Another odd number, for a second bit. */
export const GRAM_HASH_TOO = 0x85ebca6b
/** So one of a hundred others, or fewer, is taken for one that was added. */
const BITS_EACH = 24
const MIN_LOG2_BITS = 13
/** Larger tables are not at hand in the processor's caches, which costs more than they tell. */
const MAX_LOG2_BITS = 22

/**
 * A Bloom filter: what it does not have was not added; of what it has, a little was not. Both bits of a gram are in one
 * word, so that a look-up reads memory once: bits `hash >>> (shift - 5)` and `hashToo >>> 27`, modulo 32, of the word at
 * `hash >>> shift`.
 */
export class GramFilter {
  readonly words: Uint32Array
  readonly shift: number

  /** For so many grams. */
  constructor(grams: number) {
    const log2Bits = Math.ceil(Math.log2(grams * BITS_EACH + 1))
    const log2 = Math.min(Math.max(log2Bits, MIN_LOG2_BITS), MAX_LOG2_BITS)
    this.words = new Uint32Array(1 << (log2 - 5))
    this.shift = 32 - (log2 - 5)
  }

  add(gram: number): void {
    const hash = Math.imul(gram, GRAM_HASH)
    const place = hash >>> this.shift
    this.words[place] = (this.words[place] as number) | this.#bits(gram, hash)
  }

  has(gram: number): boolean {
    const hash = Math.imul(gram, GRAM_HASH)
    const bits = this.#bits(gram, hash)
    return ((this.words[hash >>> this.shift] as number) & bits) === bits
  }

  #bits(gram: number, hash: number): number {
    return (1 << (hash >>> (this.shift - 5))) | (1 << (Math.imul(gram, GRAM_HASH_TOO) >>> 27))
  }
}

const FIRST_SLOTS_LOG2 = 10
/** Slots for each gram, or more: nearly every look-up ends at the first. */
const SLOTS_EACH = 3

/** Exactly what was added. No gram is 0, for no rendering has a NUL. */
export class GramSet {
  slots = new Int32Array(1 << FIRST_SLOTS_LOG2)
  shift = 32 - FIRST_SLOTS_LOG2
  size = 0

  add(gram: number): void {
    if (this.has(gram)) return
    this.size++
    if (this.size * SLOTS_EACH > this.slots.length) this.#grow()
    this.#put(gram)
  }

  has(gram: number): boolean {
    const slots = this.slots
    const mask = slots.length - 1
    let slot = Math.imul(gram, GRAM_HASH) >>> this.shift
    for (;;) {
      const found = slots[slot] as number
      if (found === 0) return false
      if (found === gram) return true
      slot = (slot + 1) & mask
    }
  }

  /** Of each its first three bytes, with a NUL behind them. */
  firstThree(): GramSet {
    const three = new GramSet()
    for (const gram of this.slots) if (gram !== 0) three.add(gram & 0xffffff)
    return three
  }

  toFilter(): GramFilter {
    const filter = new GramFilter(this.size)
    for (const gram of this.slots) if (gram !== 0) filter.add(gram)
    return filter
  }

  #put(gram: number): void {
    const slots = this.slots
    const mask = slots.length - 1
    let slot = Math.imul(gram, GRAM_HASH) >>> this.shift
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = gram
  }

  #grow(): void {
    const before = this.slots
    this.slots = new Int32Array(before.length * 2)
    this.shift -= 1
    for (const gram of before) if (gram !== 0) this.#put(gram)
  }
}
