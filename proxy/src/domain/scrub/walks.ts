/** Walks over the graph along bytes already read: back to where matches began, and on with chosen paths only. */
import type { NodeSet } from './automaton.ts'
import { type Graph, ROOT } from './graph.ts'

interface WalkBack {
  /** The earliest index at which a path to one of the nodes can have begun; `end` if none was found. */
  readonly start: number
  /** Secret of the path that began there. */
  readonly secret: number
  /** Paths were left when the floor was reached, so one may have begun before it. */
  readonly open: boolean
}

export interface Walks {
  /** Follows paths that arrive at the nodes after reading `bytes` up to `end`, back to index `floor`. */
  back(nodes: Iterable<number>, bytes: Uint8Array, end: number, floor: number): WalkBack
  /** Where paths in these nodes are after one more byte. No path begins here. */
  onward(nodes: NodeSet, byte: number): NodeSet
  /** Nodes and edges looked at so far. */
  readonly looked: number
}

export function createWalks(graph: Graph): Walks {
  const { firstEdge, edgeByte, edgeTarget, firstEdgeInto, edgeIntoByte, edgeIntoSource, owner } = graph
  let looked = 0
  return {
    back(nodes, bytes, end, floor) {
      let now = [...nodes]
      let start = end
      let secret = now.length === 0 ? -1 : (owner[now[0] as number] as number)
      for (let index = end - 1; index >= floor && now.length > 0; index--) {
        const byte = bytes[index] as number
        const before = new Distinct()
        for (const target of now) {
          looked++
          const endEdge = firstEdgeInto[target + 1] as number
          for (let edge = firstEdgeInto[target] as number; edge < endEdge; edge++) {
            if (edgeIntoByte[edge] !== byte) continue
            const source = edgeIntoSource[edge] as number
            if (source !== ROOT) before.add(source)
            else {
              const of = owner[target] as number
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
      const next = new Distinct()
      for (const node of nodes) {
        looked++
        const end = firstEdge[node + 1] as number
        for (let edge = firstEdge[node] as number; edge < end; edge++) {
          if (edgeByte[edge] === byte) next.add(edgeTarget[edge] as number)
        }
      }
      return Uint32Array.from(next.values)
    },
    get looked() {
      return looked
    },
  }
}

const FEW = 16

/** Values without repetition: a search while they are few, which they nearly always are, a set beyond that. */
class Distinct {
  readonly values: number[] = []
  private seen: Set<number> | undefined

  add(value: number): void {
    if (this.values.length < FEW ? this.values.includes(value) : this.many().has(value)) return
    this.values.push(value)
    this.seen?.add(value)
  }

  private many(): Set<number> {
    this.seen ??= new Set(this.values)
    return this.seen
  }
}
