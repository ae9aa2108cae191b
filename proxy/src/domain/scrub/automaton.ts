/**
 * The graph as a deterministic automaton that is built while it reads: one table look-up per byte once the
 * states a text leads to are known, and a bounded number of remembered states whatever the text does.
 */
import { type Graph, ROOT } from './graph.ts'
import { createSkip, type Skip } from './skip.ts'

export type NodeSet = Uint32Array

/** Table entry: not worked out yet. */
const UNKNOWN = -1
/** More than enough for ordinary text; when a text exceeds them, the table is forgotten and built anew. */
const DEFAULT_MAX_STATES = 8192
const MAX_SET_NODES = 1 << 19
const FIRST_STATES = 64
/** What a short text would save by skipping is less than it takes to prepare that. */
const SKIP_FROM_BYTES = 16 * 1_024

export interface Automaton {
  readonly graph: Graph
  /** Column of each byte in the table; all bytes that no rendering contains share one. */
  readonly columnOf: Uint8Array
  /**
   * Next state at `state + columnOf[byte]`, or UNKNOWN, or `-2 - state` when a secret is complete there.
   * States are row offsets. Replaced when it grows: read it again after `step`.
   */
  table(): Int32Array
  /** Works out one entry of the table. The answer is valid in `table()` and has the same form as its entries. */
  step(state: number, byte: number): number
  /** The entry of the table, worked out if need be. */
  next(state: number, byte: number): number
  /** State of a set of live nodes in ascending order. States hold only until the next `step`, sets for ever. */
  stateOf(nodes: NodeSet): number
  nodesOf(state: number): NodeSet
  /** Those of the nodes at which a secret is complete. */
  completeIn(state: number): NodeSet
  /** Most bytes that a match still incomplete in this state can have read. */
  reach(state: number): number
  /** Edges looked at and nodes stored so far: the work that is not one look-up per byte. */
  work(): number
  rememberedStates(): number
  /**
   * For a text of so many bytes. Built once as many have been read as make up for that, in one text or in many; null
   * until then, and where there is none.
   */
  skipFor(bytes: number): Skip | null
}

export function createAutomaton(graph: Graph, maxStates = DEFAULT_MAX_STATES): Automaton {
  const { columnOf, columns } = columnsOf(graph)
  const rootTargets = targetsOfRoot(graph)
  const stamp = new Uint32Array(graph.nodeCount)
  let stampNow = 0
  let table = new Int32Array(FIRST_STATES * columns).fill(UNKNOWN)
  let sets: NodeSet[] = []
  let reaches: number[] = []
  let completes: NodeSet[] = []
  let stateByKey = new Map<string, number>()
  let storedNodes = 0
  let work = 0
  let skip: Skip | null | undefined
  let readBytes = 0

  const forget = (): void => {
    table = new Int32Array(FIRST_STATES * columns).fill(UNKNOWN)
    sets = []
    reaches = []
    completes = []
    stateByKey = new Map()
    storedNodes = 0
    stateOf(new Uint32Array(0))
  }

  const grow = (): void => {
    const larger = new Int32Array(table.length * 2).fill(UNKNOWN)
    larger.set(table)
    table = larger
  }

  const stateOf = (nodes: NodeSet): number => {
    const key = nodes.join()
    const known = stateByKey.get(key)
    if (known !== undefined) return known
    work += nodes.length + 1
    const state = sets.length * columns
    if (state + columns > table.length) grow()
    let reach = 0
    for (const node of nodes) {
      // Nothing can follow a last node, so it holds nothing back.
      if (graph.firstEdge[node] !== graph.firstEdge[node + 1])
        reach = Math.max(reach, graph.depth[node] as number)
    }
    sets.push(nodes)
    reaches.push(reach)
    completes.push(nodes.filter((node) => graph.accepts[node] !== -1))
    stateByKey.set(key, state)
    storedNodes += nodes.length
    return state
  }

  const follow = (nodes: NodeSet, byte: number): NodeSet => {
    stampNow++
    const next: number[] = []
    const visit = (target: number): void => {
      if (stamp[target] === stampNow) return
      stamp[target] = stampNow
      next.push(target)
    }
    for (const target of rootTargets[byte] ?? []) visit(target)
    for (const node of nodes) {
      const end = graph.firstEdge[node + 1] as number
      for (let edge = graph.firstEdge[node] as number; edge < end; edge++) {
        work++
        if (graph.edgeByte[edge] === byte) visit(graph.edgeTarget[edge] as number)
      }
    }
    work += next.length
    return Uint32Array.from(next).sort()
  }

  const step = (state: number, byte: number): number => {
    const nodes = follow(nodesOf(state), byte)
    const isFull = sets.length >= maxStates || storedNodes + nodes.length > MAX_SET_NODES
    if (isFull) forget()
    const target = stateOf(nodes)
    const entry = completeIn(target).length > 0 ? -2 - target : target
    if (!isFull) table[state + (columnOf[byte] as number)] = entry
    return entry
  }

  const nodesOf = (state: number): NodeSet => sets[state / columns] as NodeSet

  const completeIn = (state: number): NodeSet => completes[state / columns] as NodeSet

  const next = (state: number, byte: number): number => {
    const entry = table[state + (columnOf[byte] as number)] as number
    return entry === UNKNOWN ? step(state, byte) : entry
  }

  stateOf(new Uint32Array(0))
  return {
    graph,
    columnOf,
    table: () => table,
    step,
    next,
    stateOf,
    nodesOf,
    completeIn,
    reach: (state) => reaches[state / columns] as number,
    work: () => work,
    rememberedStates: () => sets.length,
    skipFor(bytes) {
      if (skip !== undefined) return skip
      readBytes += bytes
      if (readBytes < SKIP_FROM_BYTES) return null
      skip = createSkip(graph)
      return skip
    },
  }
}

function columnsOf(graph: Graph): { columnOf: Uint8Array; columns: number } {
  const columnOf = new Uint8Array(256)
  const isUsed = new Uint8Array(256)
  for (const byte of graph.edgeByte) isUsed[byte] = 1
  // With all 256 bytes in use there is no byte left for the shared column, so the numbering starts at 0 then.
  let columns = isUsed.includes(0) ? 1 : 0
  for (let byte = 0; byte < 256; byte++) if (isUsed[byte] === 1) columnOf[byte] = columns++
  return { columnOf, columns }
}

function targetsOfRoot(graph: Graph): number[][] {
  const targets: number[][] = Array.from({ length: 256 }, () => [])
  const end = graph.firstEdge[ROOT + 1] as number
  for (let edge = graph.firstEdge[ROOT] as number; edge < end; edge++) {
    const list = targets[graph.edgeByte[edge] as number] as number[]
    list.push(graph.edgeTarget[edge] as number)
  }
  return targets
}
