/**
 * Reads bytes and reports every occurrence of a secret with its place.
 *
 * The automaton tells where a secret is complete, not where it began; that is found by walking the graph back
 * over the bytes just read. A walk is as long as the match it finds, so the whole is linear in the input.
 */
import { type Automaton, type NodeSet, UNKNOWN } from './automaton.ts'
import { type Graph, ROOT } from './graph.ts'

export type OnMatch = (start: number, end: number, secret: number) => void

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
}

interface Beginning {
  readonly start: number
  readonly secret: number
}

export function createScan(automaton: Automaton, onMatch: OnMatch): Scan {
  const { graph } = automaton
  let position = 0
  let steps = 0
  // A set, not a state, since another stream may make the automaton forget its states meanwhile.
  let nodes: NodeSet = new Uint32Array(0)
  let reach = 0

  const beginningsOf = (ends: Iterable<number>, bytes: Uint8Array, base: number): Beginning[] => {
    const found: Beginning[] = []
    for (const node of ends) {
      const { start, looked } = walkBack(graph, node, bytes, position - base)
      steps += looked
      found.push({ start: base + start, secret: graph.owner[node] as number })
    }
    return found.sort((a, b) => a.start - b.start)
  }

  return {
    read(bytes, base) {
      let state = automaton.stateOf(nodes)
      let index = position - base
      steps += bytes.length - index
      while (index < bytes.length) {
        const stop = runUntilEntry(automaton.table(), automaton.columnOf, bytes, state, index)
        state = stop.state
        index = stop.index
        if (index === bytes.length) break
        const byte = bytes[index] as number
        let entry = automaton.table()[state + (automaton.columnOf[byte] as number)] as number
        if (entry === UNKNOWN) entry = automaton.step(state, byte)
        index++
        state = entry < 0 ? -2 - entry : entry
        if (entry >= 0) continue
        position = base + index
        const complete = automaton.nodesOf(state).filter((node) => graph.accepts[node] !== -1)
        for (const { start, secret } of beginningsOf(complete, bytes, base)) onMatch(start, position, secret)
      }
      position = base + bytes.length
      nodes = automaton.nodesOf(state)
      reach = automaton.reach(state)
    },
    safeUntil: () => position - reach,
    underWay(bytes, base) {
      const open = nodes.filter((node) => graph.firstEdge[node] !== graph.firstEdge[node + 1])
      return beginningsOf(open, bytes, base)[0]
    },
    get steps() {
      return steps
    },
  }
}

/** The place in `table` and `bytes` where the plain look-ups end: a negative entry, or the end of the bytes. */
const stopped = { state: 0, index: 0 }

/** The innermost loop. Its answer is overwritten by the next call. */
function runUntilEntry(
  table: Int32Array,
  columnOf: Uint8Array,
  bytes: Uint8Array,
  fromState: number,
  fromIndex: number,
): typeof stopped {
  const end = bytes.length
  let state = fromState
  let index = fromIndex
  while (index < end) {
    const entry = table[state + (columnOf[bytes[index] as number] as number)] as number
    if (entry < 0) break
    state = entry
    index++
  }
  stopped.state = state
  stopped.index = index
  return stopped
}

/** The earliest index at which a path that reads `bytes` up to `end` and arrives at the node can have begun. */
function walkBack(
  graph: Graph,
  node: number,
  bytes: Uint8Array,
  end: number,
): { start: number; looked: number } {
  const { firstEdgeInto, edgeIntoByte, edgeIntoSource } = graph
  let now = [node]
  let start = end
  let looked = 0
  for (let index = end - 1; index >= 0 && now.length > 0; index--) {
    const byte = bytes[index] as number
    const before: number[] = []
    for (const target of now) {
      looked++
      const endEdge = firstEdgeInto[target + 1] as number
      for (let edge = firstEdgeInto[target] as number; edge < endEdge; edge++) {
        if (edgeIntoByte[edge] !== byte) continue
        const source = edgeIntoSource[edge] as number
        if (source === ROOT) start = index
        else if (!before.includes(source)) before.push(source)
      }
    }
    now = before
  }
  return { start, looked }
}
