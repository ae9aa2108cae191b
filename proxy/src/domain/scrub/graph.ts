/**
 * The graph of everything a secret can look like: one edge per byte, one path per rendering.
 *
 * Renderings share their positions, so a text which escapes some characters and leaves others plain is a path
 * like any other; listing such mixtures one by one would be exponential. The graph has no cycle, so every
 * match has a longest length, and that bounds what a stream must hold back.
 */

/** The node every match starts from; it has no name and never stands in a set of live nodes. */
export const ROOT = 0

const NO_SECRET = -1

export interface Graph {
  readonly nodeCount: number
  /** Edges of node n are those with index firstEdge[n] up to firstEdge[n + 1]. */
  readonly firstEdge: Uint32Array
  readonly edgeByte: Uint8Array
  readonly edgeTarget: Uint32Array
  /** The same edges by the node they lead to, for walking back to where a match began. */
  readonly firstEdgeInto: Uint32Array
  readonly edgeIntoByte: Uint8Array
  readonly edgeIntoSource: Uint32Array
  /** Index of the secret which is complete at this node, or -1. */
  readonly accepts: Int32Array
  /** Index of the secret this node is on the way to. */
  readonly owner: Int32Array
  /** Length in bytes of the longest path from the root to this node. */
  readonly depth: Uint32Array
  /** Length in bytes of the longest possible match. */
  readonly longestMatch: number
}

export interface GraphBuilder {
  /** A new node of the given secret. */
  node(secret: number): number
  /** The node is reached by any of these bytes. Edges into a node must be added before those that leave it. */
  edge(from: number, bytes: readonly number[], to: number): void
  /** A chain of edges over fresh nodes; every step is one byte of the given alternatives. */
  chain(from: number, steps: readonly (readonly number[])[], to: number): void
  /** Gives `to` the edges that already leave `from`. */
  copyEdges(from: number, to: number): void
  accept(node: number): void
  build(): Graph
}

export function createGraphBuilder(): GraphBuilder {
  const edges: number[][] = [[]]
  const owner: number[] = [NO_SECRET]
  const accepts: number[] = [NO_SECRET]
  const depth: number[] = [0]

  const edgesOf = (node: number): number[] => {
    const list = edges[node]
    if (list === undefined) throw new RangeError('unknown node')
    return list
  }
  const deepen = (from: number, to: number): void => {
    depth[to] = Math.max(depth[to] ?? 0, (depth[from] ?? 0) + 1)
  }
  const node = (secret: number): number => {
    edges.push([])
    owner.push(secret)
    accepts.push(NO_SECRET)
    depth.push(0)
    return edges.length - 1
  }
  const edge = (from: number, bytes: readonly number[], to: number): void => {
    const list = edgesOf(from)
    for (const byte of bytes) list.push(byte, to)
    deepen(from, to)
  }

  return {
    node,
    edge,
    chain(from, steps, to) {
      const secret = owner[to] ?? NO_SECRET
      let at = from
      steps.forEach((bytes, index) => {
        const next = index === steps.length - 1 ? to : node(secret)
        edge(at, bytes, next)
        at = next
      })
    },
    copyEdges(from, to) {
      const list = edgesOf(to)
      for (const value of edgesOf(from)) list.push(value)
    },
    accept(at) {
      accepts[at] = owner[at] ?? NO_SECRET
    },
    build() {
      const nodeCount = edges.length
      const firstEdge = new Uint32Array(nodeCount + 1)
      const firstEdgeInto = new Uint32Array(nodeCount + 1)
      edges.forEach((list, source) => {
        firstEdge[source + 1] = (firstEdge[source] as number) + list.length / 2
        for (let i = 1; i < list.length; i += 2) {
          const target = list[i] as number
          firstEdgeInto[target + 1] = (firstEdgeInto[target + 1] as number) + 1
        }
      })
      for (let i = 0; i < nodeCount; i++) {
        firstEdgeInto[i + 1] = (firstEdgeInto[i + 1] as number) + (firstEdgeInto[i] as number)
      }
      const edgeCount = firstEdge[nodeCount] as number
      const edgeByte = new Uint8Array(edgeCount)
      const edgeTarget = new Uint32Array(edgeCount)
      const edgeIntoByte = new Uint8Array(edgeCount)
      const edgeIntoSource = new Uint32Array(edgeCount)
      const nextInto = firstEdgeInto.slice()
      let write = 0
      edges.forEach((list, source) => {
        for (let i = 0; i < list.length; i += 2) {
          const byte = list[i] as number
          const target = list[i + 1] as number
          edgeByte[write] = byte
          edgeTarget[write] = target
          write++
          const into = nextInto[target] as number
          edgeIntoByte[into] = byte
          edgeIntoSource[into] = source
          nextInto[target] = into + 1
        }
      })
      let longestMatch = 0
      accepts.forEach((secret, index) => {
        if (secret !== NO_SECRET) longestMatch = Math.max(longestMatch, depth[index] ?? 0)
      })
      return {
        nodeCount,
        firstEdge,
        edgeByte,
        edgeTarget,
        firstEdgeInto,
        edgeIntoByte,
        edgeIntoSource,
        accepts: Int32Array.from(accepts),
        owner: Int32Array.from(owner),
        depth: Uint32Array.from(depth),
        longestMatch,
      }
    },
  }
}
