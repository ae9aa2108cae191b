/** Walks over the graph along bytes already read: back to where matches began, and on with chosen paths only. */
import type { Graph, GraphNode, NodeSet } from './graph.ts'

export const MAX_NULS = 3

interface WalkBack {
  /** The earliest index at which a path to one of the nodes can have begun; `end` if none was found. */
  readonly start: number
  /** Secret of the path that began there. */
  readonly secret: number
  /** Paths were left when the floor was reached, so one may have begun before it. */
  readonly open: boolean
}

export interface Walks {
  /**
   * Follows paths that arrive at the nodes after reading `bytes` up to `end`, back to index `floor`. After `most` nodes it is given up:
   * one may have begun at the floor.
   */
  back(nodes: Iterable<GraphNode>, bytes: Uint8Array, end: number, floor: number, most?: number): WalkBack
  /** Where paths in these nodes are after one more byte. No path begins here. */
  onward(nodes: NodeSet, byte: number): NodeSet
  /** Nodes and edges looked at so far. */
  readonly looked: number
}

export function createWalks(graph: Graph): Walks {
  let looked = 0
  return {
    back(nodes, bytes, end, floor, most = Number.POSITIVE_INFINITY) {
      let now = [...nodes]
      let start = end
      let secret = now.length === 0 ? -1 : (now[0] as GraphNode).owner
      const until = looked + most
      let nuls = 0
      for (let index = end - 1; index >= floor && now.length > 0; index--) {
        if (looked + now.length > until) return { start: floor, secret, open: true }
        const byte = bytes[index] as number
        if (byte === NUL) {
          nuls += 1
          // No path goes over more.
          if (nuls > MAX_NULS) return { start, secret, open: false }
          continue
        }
        nuls = 0
        const before = new Distinct()
        for (const target of now) {
          looked++
          for (const source of graph.into(target, byte)) {
            if (source !== graph.root) before.add(source)
            else {
              const of = target.owner
              secret = start === index ? Math.min(secret, of) : of
              start = index
            }
          }
        }
        now = before.values
      }
      return { start, secret, open: now.length > 0 }
    },
    onward(nodes, byte) {
      if (byte === NUL) return nodes
      const next = new Distinct()
      for (const node of nodes) {
        looked++
        for (const target of graph.out(node, byte)) next.add(target)
      }
      return next.values
    },
    get looked() {
      return looked
    },
  }
}

/** Passed over, as the automaton does. */
const NUL = 0
const FEW = 16

/** Values without repetition: a search while they are few, which they nearly always are, a set beyond that. */
class Distinct {
  readonly values: GraphNode[] = []
  private seen: Set<GraphNode> | undefined

  add(value: GraphNode): void {
    if (this.values.length < FEW ? this.values.includes(value) : this.many().has(value)) return
    this.values.push(value)
    this.seen?.add(value)
  }

  private many(): Set<GraphNode> {
    this.seen ??= new Set(this.values)
    return this.seen
  }
}
