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

/** Edges in order of arrival, in arrays that double: a run waits while hundreds of thousands are added. */
interface EdgeList {
  readonly count: number
  add(from: number, byte: number, to: number): void
  from(edge: number): number
  byte(edge: number): number
  to(edge: number): number
  /** The edge from the same node that was added before this one, or -1. */
  previous(edge: number): number
}

function createEdgeList(lastEdge: readonly number[]): EdgeList {
  const FIELDS = 4
  let values = new Int32Array(4096)
  let count = 0
  return {
    get count() {
      return count
    },
    add(from, byte, to) {
      const at = count * FIELDS
      if (at === values.length) {
        const larger = new Int32Array(values.length * 2)
        larger.set(values)
        values = larger
      }
      values[at] = from
      values[at + 1] = byte
      values[at + 2] = to
      values[at + 3] = lastEdge[from] as number
      count++
    },
    from: (edge) => values[edge * FIELDS] as number,
    byte: (edge) => values[edge * FIELDS + 1] as number,
    to: (edge) => values[edge * FIELDS + 2] as number,
    previous: (edge) => values[edge * FIELDS + 3] as number,
  }
}

export function createGraphBuilder(): GraphBuilder {
  const lastEdge: number[] = [-1]
  const edges = createEdgeList(lastEdge)
  const owner: number[] = [NO_SECRET]
  const accepts: number[] = [NO_SECRET]
  const depth: number[] = [0]

  const addEdge = (from: number, byte: number, to: number): void => {
    edges.add(from, byte, to)
    lastEdge[from] = edges.count - 1
  }
  const node = (secret: number): number => {
    lastEdge.push(-1)
    owner.push(secret)
    accepts.push(NO_SECRET)
    return depth.push(0) - 1
  }
  const edge = (from: number, bytes: readonly number[], to: number): void => {
    for (const byte of bytes) addEdge(from, byte, to)
    depth[to] = Math.max(depth[to] ?? 0, (depth[from] ?? 0) + 1)
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
      for (let at = lastEdge[from] ?? -1; at !== -1; at = edges.previous(at)) {
        addEdge(to, edges.byte(at), edges.to(at))
      }
    },
    accept(at) {
      accepts[at] = owner[at] ?? NO_SECRET
    },
    build() {
      const nodeCount = owner.length
      const firstEdge = new Uint32Array(nodeCount + 1)
      const firstEdgeInto = new Uint32Array(nodeCount + 1)
      for (let at = 0; at < edges.count; at++) {
        const source = edges.from(at)
        const target = edges.to(at)
        firstEdge[source + 1] = (firstEdge[source + 1] as number) + 1
        firstEdgeInto[target + 1] = (firstEdgeInto[target + 1] as number) + 1
      }
      for (let i = 0; i < nodeCount; i++) {
        firstEdge[i + 1] = (firstEdge[i + 1] as number) + (firstEdge[i] as number)
        firstEdgeInto[i + 1] = (firstEdgeInto[i + 1] as number) + (firstEdgeInto[i] as number)
      }
      const edgeByte = new Uint8Array(edges.count)
      const edgeTarget = new Uint32Array(edges.count)
      const edgeIntoByte = new Uint8Array(edges.count)
      const edgeIntoSource = new Uint32Array(edges.count)
      const nextOut = firstEdge.slice()
      const nextInto = firstEdgeInto.slice()
      for (let at = 0; at < edges.count; at++) {
        const source = edges.from(at)
        const target = edges.to(at)
        const out = nextOut[source] as number
        edgeByte[out] = edges.byte(at)
        edgeTarget[out] = target
        nextOut[source] = out + 1
        const into = nextInto[target] as number
        edgeIntoByte[into] = edges.byte(at)
        edgeIntoSource[into] = source
        nextInto[target] = into + 1
      }
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
