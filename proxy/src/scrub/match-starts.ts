/**
 * Where completed matches began, in work proportional to the text even where matches overlap at every byte.
 *
 * A match is walked back to its beginning. Where that has cost much more than the region of overlapping matches
 * is long, the paths which began before the region are worked out once and followed from then on: while none of
 * them is complete, a match that reaches into the region can only lengthen it, and is walked back no further
 * than to the region's end.
 */
import { type Automaton, NOTHING_KEPT } from './automaton.ts'
import type { GraphNode, NodeSet } from './graph.ts'
import type { Walks } from './walks.ts'

interface MatchStart {
  /** Of a match that only lengthens the region before it: some position inside that region. */
  readonly start: number
  readonly secret: number
}

/** The bytes at hand: `bytes[0]` stands at position `base`, and no match under way began before it. */
interface Window {
  readonly bytes: Uint8Array
  readonly base: number
}

interface MatchStarts {
  /** Beginnings, in order, of the matches that are complete at `position`, where `live` nodes are reached. */
  of(complete: NodeSet, position: number, window: Window, reach: number): MatchStart[]
  /** Call before bytes up to the position go away. */
  catchUp(position: number, window: Window): void
}

/** Bytes walked for each byte of a region before its earlier paths are worked out. */
const WALK_RATIO = 16

interface MatchRegion {
  start: number
  end: number
  walked: number
  /** Paths that began before the region, as they stand at a position; absent while they need not be known. */
  earlier: { nodes: NodeSet; at: number } | undefined
}

export function createMatchStarts(automaton: Automaton, walks: Walks): MatchStarts {
  let region: MatchRegion = { start: -1, end: -1, walked: 0, earlier: undefined }

  const include = (start: number, position: number): void => {
    if (start >= region.end) region = { start, end: position, walked: 0, earlier: undefined }
    else if (start < region.start) region = { ...region, start, end: position, earlier: undefined }
    else region.end = position
  }

  const catchUp = (position: number, { bytes, base }: Window): void => {
    const { earlier } = region
    if (earlier === undefined) return
    while (earlier.at < position && earlier.nodes.length > 0) {
      earlier.nodes = walks.onward(earlier.nodes, bytes[earlier.at - base] as number)
      earlier.at++
    }
    earlier.at = position
  }

  /** Paths alive at the position began within its reach, so reading starts there. */
  const findEarlier = (position: number, window: Window, reach: number): void => {
    const from = Math.max(window.base, position - reach)
    let state = automaton.stateOf(NOTHING_KEPT)
    for (let at = from; at < region.start; at++) {
      const byte = window.bytes[at - window.base] as number
      const entry = automaton.next(state, byte)
      state = entry < 0 ? -2 - entry : entry
    }
    region.earlier = { nodes: automaton.nodesOf(state), at: Math.max(from, region.start) }
    catchUp(position, window)
  }

  const walk = (node: GraphNode, position: number, { bytes, base }: Window, floor: number): MatchStart => {
    if (node.plain !== undefined) {
      // Most matches are the value as it stands: comparing it is cheaper than walking.
      const start = position - node.plain.length
      if (start >= floor && Buffer.compare(bytes.subarray(start - base, position - base), node.plain) === 0) {
        return { start, secret: node.owner }
      }
    }
    const before = walks.looked
    const onlyLengthens = floor > base
    let found = walks.back([node], bytes, position - base, Math.max(0, floor - base))
    let start = base + found.start
    if (onlyLengthens && found.open) {
      if (start === position) start = floor - 1
      else {
        // It may have begun behind the region's end or before it: only the whole way back tells.
        found = walks.back([node], bytes, position - base, 0)
        start = base + found.start
      }
    }
    region.walked += walks.looked - before
    return { start, secret: node.owner }
  }

  return {
    of(complete, position, window, reach) {
      catchUp(position, window)
      const { earlier } = region
      const mayBeginEarlier = earlier === undefined || earlier.nodes.some((node) => node.accepts)
      const floor = mayBeginEarlier ? window.base : region.end
      const found: MatchStart[] = []
      for (const node of complete) found.push(walk(node, position, window, floor))
      found.sort((a, b) => a.start - b.start)
      for (const { start } of found) include(start, position)
      const isDear = region.walked > reach + WALK_RATIO * (region.end - region.start)
      if (region.earlier === undefined && isDear) findEarlier(position, window, reach)
      return found
    },
    catchUp,
  }
}
