/**
 * The graph as a deterministic automaton that is built while it reads: one table look-up per byte once the
 * states a text leads to are known, and a bounded number of remembered states whatever the text does.
 *
 * A NUL leads nowhere and ends nothing: UTF-16 and UTF-32 of ASCII is ASCII with one to three of them between two
 * characters, whatever the text says (escapes and encodings too). More of them in a row end what is under way.
 */

import type { Turn } from '../kernel/index.ts'
import { GRAM_BYTES, GRAM_HASH, gramAt } from './grams.ts'
import type { Graph, GraphNode, NodeSet } from './graph.ts'
import { createSkip, type Skip } from './skip.ts'
import { createWalks, MAX_NULS } from './walks.ts'

/** Table entry: not worked out yet. */
const UNKNOWN = -1
/** More than enough for ordinary text; when a text exceeds them, the table is forgotten and built anew. */
const DEFAULT_MAX_STATES = 8192
const MAX_SET_NODES = 1 << 19
const FIRST_STATES = 16
/** One for each byte. */
const COLUMNS = 256
/** What a short text would save by skipping is less than it takes to prepare that. */
const SKIP_FROM_BYTES = 16 * 1_024
const NUL = 0
/** What goes on for so long is worth states of its own; most of what is no match ends much earlier. */
const FIRST_LOOK_BYTES = 12
/** So is what a text begins so many times. */
const FIRST_LOOKS = 4
const LOOK_COUNTERS_LOG2 = 14

const NO_NODES: NodeSet = []

export interface Automaton {
  readonly graph: Graph
  /**
   * Next state at `state + byte`, or UNKNOWN, or `-2 - state` when a secret is complete there.
   * States are row offsets. Replaced when it grows: read it again after `step`.
   */
  table(): Int32Array
  /** By `state / 256`: 1 where nothing is under way but what the last byte may begin. Replaced like the table. */
  idle(): Uint8Array
  /** Works out one entry of the table. The answer is valid in `table()` and has the same form as its entries. */
  step(state: number, byte: number): number
  /** The entry of the table, worked out if need be. */
  next(state: number, byte: number): number
  /** The state of what was kept. States hold only until the next `step`, what is kept of one for ever. */
  stateOf(kept: Kept): number
  keptOf(state: number): Kept
  /**
   * Whether a path that begins at this index goes on for a while, or to the end, whatever else begins on the way. States for
   * what does not would be many, and each would be needed once.
   */
  goesOn(bytes: Uint8Array, index: number, end: number): boolean
  /** All nodes that are live. */
  nodesOf(state: number): NodeSet
  /** Those of the nodes at which a secret is complete. */
  completeIn(state: number): NodeSet
  /** Most bytes, NULs left out, that a match still incomplete in this state can have read. */
  reach(state: number): number
  /** Edges looked at and nodes stored so far: the work that is not one look-up per byte. */
  work(): number
  rememberedStates(): number
  /**
   * For a text of so many bytes. Null while so little was read, in one text or in many, that preparing it costs more than it
   * saves, and where there is none; undefined when the turn is over before it is there.
   */
  skipFor(bytes: number, turn: Turn): Skip | null | undefined
}

/** What stands for a state for ever. */
export interface Kept {
  /** Live nodes in ascending order, but for those that the last byte led to from the root: they are the same each time. */
  readonly nodes: NodeSet
  /** The last byte, where it leads anywhere from the root; else -1. */
  readonly last: number
  /** So many NULs were read since. */
  readonly nuls: number
}

export const NOTHING_KEPT: Kept = { nodes: NO_NODES, last: -1, nuls: 0 }

interface Begun {
  /** Nodes that the next byte leads to, by that byte. */
  readonly onward: readonly (NodeSet | undefined)[]
  readonly reach: number
}

interface State {
  readonly kept: Kept
  readonly reach: number
  readonly complete: NodeSet
}

export function createAutomaton(graph: Graph, maxStates = DEFAULT_MAX_STATES): Automaton {
  let table = new Int32Array(FIRST_STATES * COLUMNS).fill(UNKNOWN)
  let idle = new Uint8Array(FIRST_STATES)
  let states: State[] = []
  let stateByKey = new Map<string, number>()
  const begunBy: (Begun | undefined)[] = []
  let storedNodes = 0
  let work = 0
  let readBytes = 0
  let skip: ReturnType<typeof createSkip> | undefined

  const forget = (): void => {
    table = new Int32Array(FIRST_STATES * COLUMNS).fill(UNKNOWN)
    idle = new Uint8Array(FIRST_STATES)
    states = []
    stateByKey = new Map()
    storedNodes = 0
    stateOf(NOTHING_KEPT)
  }

  const grow = (): void => {
    const larger = new Int32Array(table.length * 2).fill(UNKNOWN)
    larger.set(table)
    table = larger
    const more = new Uint8Array(idle.length * 2)
    more.set(idle)
    idle = more
  }

  const stateOf = (kept: Kept): number => {
    // The first of all, and that of nearly every text: its key need not be written.
    if (kept === NOTHING_KEPT && states.length > 0) return 0
    const { nodes, last, nuls } = kept
    const key = `${last},${nuls},${idsOf(nodes)}`
    const known = stateByKey.get(key)
    if (known !== undefined) return known
    work += nodes.length + 1
    const state = states.length * COLUMNS
    if (state + COLUMNS > table.length) grow()
    let reach = last === -1 ? 0 : begun(last).reach
    const complete: GraphNode[] = []
    for (const node of nodes) {
      // Nothing can follow a last node, so it holds nothing back.
      if (node.depth > reach && !graph.isLast(node)) reach = node.depth
      if (node.accepts && nuls === 0) complete.push(node)
    }
    idle[states.length] = nodes.length === 0 && nuls === 0 ? 1 : 0
    states.push({ kept, reach, complete })
    stateByKey.set(key, state)
    storedNodes += nodes.length
    return state
  }

  /** What one byte from the root leads to; worked out once for each byte that a text has. */
  const begun = (byte: number): Begun => {
    const known = begunBy[byte]
    if (known !== undefined) return known
    const onward: GraphNode[][] = []
    let reach = 0
    for (const node of graph.rootTargets[byte] as NodeSet) {
      reach = Math.max(reach, node.depth)
      graph.eachOut(node, (next, target) => {
        const list = onward[next]
        if (list === undefined) onward[next] = [target]
        else list.push(target)
      })
    }
    const fresh = { onward, reach }
    begunBy[byte] = fresh
    return fresh
  }

  const follow = ({ nodes, last }: Kept, byte: number): NodeSet => {
    const next = new Set(last === -1 ? undefined : begun(last).onward[byte])
    for (const node of nodes) {
      for (const target of graph.out(node, byte)) next.add(target)
    }
    work += nodes.length + next.size
    return next.size === 0 ? NO_NODES : [...next].sort((a, b) => a.id - b.id)
  }

  const onward = (kept: Kept, byte: number): Kept => {
    if (byte !== NUL) {
      const last = (graph.rootTargets[byte] as NodeSet).length === 0 ? -1 : byte
      return { nodes: follow(kept, byte), last, nuls: 0 }
    }
    const isNothing = kept.nodes.length === 0 && kept.last === -1
    return isNothing || kept.nuls === MAX_NULS ? NOTHING_KEPT : { ...kept, nuls: kept.nuls + 1 }
  }

  const step = (state: number, byte: number): number => {
    const next = onward((states[state / COLUMNS] as State).kept, byte)
    const isFull = states.length >= maxStates || storedNodes + next.nodes.length > MAX_SET_NODES
    if (isFull) forget()
    const target = stateOf(next)
    const entry = completeIn(target).length > 0 ? -2 - target : target
    if (!isFull) table[state + byte] = entry
    return entry
  }

  const completeIn = (state: number): NodeSet => (states[state / COLUMNS] as State).complete

  const next = (state: number, byte: number): number => {
    const entry = table[state + byte] as number
    return entry === UNKNOWN ? step(state, byte) : entry
  }

  const walks = createWalks(graph)

  const looks = new Uint8Array(1 << LOOK_COUNTERS_LOG2)
  let looksLeft = looks.length

  const goesOn = (bytes: Uint8Array, index: number, end: number): boolean => {
    if (index + GRAM_BYTES <= end) {
      const counter = Math.imul(gramAt(bytes, index), GRAM_HASH) >>> (32 - LOOK_COUNTERS_LOG2)
      if (looks[counter] === FIRST_LOOKS) return true
      looks[counter] = (looks[counter] as number) + 1
      looksLeft--
      if (looksLeft === 0) {
        // Beginnings that come once each would fill the counters in time.
        looks.fill(0)
        looksLeft = looks.length
      }
    }
    let nodes: NodeSet = NO_NODES
    let first = -1
    let read = 0
    for (let at = index; read < FIRST_LOOK_BYTES; at++) {
      if (at >= end) return true
      const byte = bytes[at] as number
      if (byte === NUL) continue
      read++
      if (read === 1) first = byte
      else if (read === 2) nodes = begun(first).onward[byte] ?? NO_NODES
      else nodes = walks.onward(nodes, byte)
      if (read === 1) continue
      if (nodes.length === 0) return false
      for (const node of nodes) if (node.accepts) return true
    }
    return true
  }

  stateOf(NOTHING_KEPT)
  return {
    graph,
    goesOn,
    table: () => table,
    idle: () => idle,
    step,
    next,
    stateOf,
    keptOf: (state) => (states[state / COLUMNS] as State).kept,
    nodesOf(state) {
      const { nodes, last } = (states[state / COLUMNS] as State).kept
      return last === -1 ? nodes : [...nodes, ...(graph.rootTargets[last] as NodeSet)]
    },
    completeIn,
    reach: (state) => (states[state / COLUMNS] as State).reach,
    work: () => work + graph.looked + walks.looked,
    rememberedStates: () => states.length,
    skipFor(bytes, turn) {
      readBytes += bytes
      if (readBytes < SKIP_FROM_BYTES) return null
      skip ??= createSkip(graph)
      return skip.ready(bytes, turn)
    },
  }
}

function idsOf(nodes: NodeSet): string {
  let ids = ''
  for (const { id } of nodes) ids += `${id},`
  return ids
}
