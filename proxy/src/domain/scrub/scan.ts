/**
 * Reads bytes and reports every occurrence of a secret with its place.
 *
 * The automaton tells where a secret is complete, not where it began; that is found by walking the graph back
 * over bytes just read. Reading stops for good when it has cost more than any plausible text does, so that no
 * text can hold up the process: what was not read must then be withheld.
 */
import type { Automaton, NodeSet } from './automaton.ts'
import { createMatchStarts } from './match-starts.ts'
import type { Skip } from './skip.ts'
import { createWalks, type Walks } from './walks.ts'

/** `start` of a match that overlaps the ones before it may be any position inside what they cover. */
export type OnMatch = (start: number, end: number, secret: number) => void

/** The state of an automaton that is on no path; the first that it has. */
const NOTHING_UNDER_WAY = 0
/** What a short text would save by skipping is less than it takes to prepare that. */
const SKIP_FROM_BYTES = 16 * 1_024
const STEPS_PER_BYTE = 64
/** Building the automaton costs most at the beginning, whatever the length of the text. */
const FREE_STEPS = 4_000_000

export interface Scan {
  /**
   * Reads on from the present position. `bytes[0]` stands at position `base`; every byte from `safeUntil()` of the
   * last call on must still be there. Positions count from the beginning of the input. Matches are reported
   * in order of their ends, and where they end together in order of their beginnings.
   */
  read(bytes: Uint8Array, base: number): void
  /** No match that is still to come begins before this position, nor before an earlier answer. */
  safeUntil(): number
  /** The match under way which began first, if any, with the bytes that `read` was given last. */
  underWay(bytes: Uint8Array, base: number): { start: number; secret: number } | undefined
  /** Bytes read and nodes looked at on the way back so far. */
  readonly steps: number
  /** The work exceeded its bound: bytes from `safeUntil()` on were not read through. */
  readonly exhausted: boolean
}

const NO_NODES: NodeSet = new Uint32Array(0)

/** Without `onMatch` only what is under way at the end is of interest. */
export function createScan(automaton: Automaton, onMatch?: OnMatch): Scan {
  const { graph } = automaton
  let walks: Walks | undefined
  let starts: ReturnType<typeof createMatchStarts> | undefined
  let skip: Skip | null = null
  let position = 0
  let bytesRead = 0
  let building = 0
  let exhausted = false
  // A set, not a state, since another stream may make the automaton forget its states meanwhile.
  let nodes: NodeSet = NO_NODES
  let reach = 0

  return {
    read(bytes, base) {
      if (exhausted) return
      let state = nodes.length === 0 ? NOTHING_UNDER_WAY : automaton.stateOf(nodes)
      let index = position - base
      bytesRead += bytes.length - index
      if (bytesRead >= SKIP_FROM_BYTES) skip ??= automaton.skip()
      const allowed = FREE_STEPS + STEPS_PER_BYTE * bytesRead
      const workBefore = automaton.work() - building
      while (index < bytes.length) {
        let until = bytes.length
        if (state === NOTHING_UNDER_WAY && skip !== null) {
          index = skip.from(bytes, index)
          until = Math.min(index + skip.windowBytes, bytes.length)
        }
        const stop = runUntilEntry(automaton.table(), automaton.columnOf, bytes, state, index, until)
        state = stop.state
        index = stop.index
        if (index === bytes.length) break
        if (stop.atRoot) continue
        if (bytesRead + (walks?.looked ?? 0) + automaton.work() - workBefore > allowed) {
          exhausted = true
          break
        }
        const entry = automaton.next(state, bytes[index] as number)
        index++
        state = entry < 0 ? -2 - entry : entry
        if (entry >= 0 || onMatch === undefined) continue
        position = base + index
        const live = automaton.nodesOf(state)
        const complete = automaton.completeIn(state)
        walks ??= createWalks(graph)
        starts ??= createMatchStarts(automaton, walks)
        const found = starts.of(complete, position, { bytes, base }, automaton.reach(state))
        for (const { start, secret } of found) onMatch(start, position, secret)
        // Finding the beginnings may have made the automaton forget its states.
        if (automaton.nodesOf(state) !== live) state = automaton.stateOf(live)
      }
      position = base + index
      building = automaton.work() - workBefore
      nodes = automaton.nodesOf(state)
      reach = automaton.reach(state)
      starts?.catchUp(position, { bytes, base })
    },
    safeUntil: () => position - reach,
    underWay(bytes, base) {
      const open = nodes.filter((node) => graph.firstEdge[node] !== graph.firstEdge[node + 1])
      if (open.length === 0) return undefined
      const { start, secret } = (walks ?? createWalks(graph)).back(open, bytes, position - base, 0)
      return { start: base + start, secret }
    },
    get steps() {
      return bytesRead + (walks?.looked ?? 0)
    },
    get exhausted() {
      return exhausted
    },
  }
}

/** Where the plain look-ups end. `atRoot`: not at a negative entry; there is nothing under way, or no byte left. */
const stopped = { state: 0, index: 0, atRoot: false }

/** The innermost loops: up to `until` in any case, then while something is under way. The next call overwrites the answer. */
function runUntilEntry(
  table: Int32Array,
  columnOf: Uint8Array,
  bytes: Uint8Array,
  fromState: number,
  fromIndex: number,
  until: number,
): typeof stopped {
  const end = bytes.length
  let state = fromState
  let index = fromIndex
  let entry = 0
  while (index < until) {
    entry = table[state + (columnOf[bytes[index] as number] as number)] as number
    if (entry < 0) break
    state = entry
    index++
  }
  if (entry >= 0 && state !== NOTHING_UNDER_WAY) {
    while (index < end) {
      entry = table[state + (columnOf[bytes[index] as number] as number)] as number
      if (entry < 0) break
      state = entry
      index++
      if (entry === NOTHING_UNDER_WAY) break
    }
  }
  stopped.state = state
  stopped.index = index
  stopped.atRoot = entry >= 0
  return stopped
}
