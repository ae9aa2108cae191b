/**
 * The graph of everything that a secret can look like, one path for each rendering. It is never laid out: a node is a
 * number that says where in which rendering it is, and its edges are worked out when they are asked for. So a long
 * value costs what its characters take to list, and renderings of renderings cost nothing until a text is on one.
 *
 * Renderings share their positions, so a text which escapes some characters and leaves others plain is a path
 * like any other; listing such mixtures one by one would be exponential. The graph has no cycle, so every
 * match has a longest length, and that bounds what a stream must hold back.
 */

/** The node every match starts from; it has no name and never stands in a set of live nodes. */
export const ROOT = 0

export type Visit = (label: number, node: number) => void

/** Labels are bytes, or symbols that a layer above writes as bytes. Nodes are 0 (the root) up to `size`, exclusive. */
export interface Layer {
  readonly size: number
  /** Visits the edges that leave a node; some may come twice. */
  out(node: number, visit: Visit): void
  /** Visits the edges that lead to a node, by where they come from. */
  into(node: number, visit: Visit): void
  accepts(node: number): boolean
  /** No path to this node is longer; in labels. */
  depth(node: number): number
  /** Labels of the shortest match, or fewer. */
  readonly shortest: number
}

/** The symbols, one after the other. */
export function createChain(symbols: ArrayLike<number>): Layer {
  const { length } = symbols
  return {
    size: length + 1,
    out(node, visit) {
      if (node < length) visit(symbols[node] as number, node + 1)
    },
    into(node, visit) {
      if (node > ROOT) visit(symbols[node - 1] as number, node - 1)
    },
    accepts: (node) => node === length,
    depth: (node) => node,
    shortest: length,
  }
}

export interface GraphNode {
  readonly id: number
  /** Whether a secret is complete here. */
  readonly accepts: boolean
  /** Index of the secret this node is on the way to. */
  readonly owner: number
  /** Length in bytes of the longest path from the root to this node, or more. */
  readonly depth: number
  /** The value as it stands, where this is the end of a rendering that may be that. */
  readonly plain: Uint8Array | undefined
}

export type NodeSet = readonly GraphNode[]

export interface Graph {
  readonly renderings: readonly Rendering[]
  readonly root: GraphNode
  /** Where a byte leads to from a node, but for the root. */
  out(node: GraphNode, byte: number): readonly GraphNode[]
  /** From where a byte leads to it. */
  into(node: GraphNode, byte: number): readonly GraphNode[]
  /** All edges that leave a node. */
  eachOut(node: GraphNode, visit: (byte: number, target: GraphNode) => void): void
  /** Nothing follows it. */
  isLast(node: GraphNode): boolean
  /** Edges looked at so far, those that are kept at hand left out. */
  readonly looked: number
  /** Works out what the root leads to, bit by bit: yields a number of edges now and then. */
  prepare(): Generator<number, void, void>
  /** Nodes that the root leads to, by the byte. */
  readonly rootTargets: readonly (readonly GraphNode[])[]
  /** Length in bytes of the longest possible match, or more. */
  readonly longestMatch: number
}

export interface Rendering {
  readonly secret: number
  /** Its labels are bytes. */
  readonly layer: Layer
  readonly plain?: Uint8Array
}

/** Nodes that are kept at hand, with the edges that texts have taken; beyond that they are worked out anew. */
const MAX_KEPT = 1 << 17

type Edges = Map<number, readonly Node[]>

/** Found again by its number as long as it is kept. Two of one number are the same node. */
class Node implements GraphNode {
  readonly id: number
  readonly place: number
  readonly accepts: boolean
  readonly owner: number
  readonly depth: number
  readonly plain: Uint8Array | undefined
  /** Those that texts have taken. Few nodes are ever left again. */
  out: Edges | undefined = undefined
  into: Edges | undefined = undefined
  /** Nothing follows it; undefined while nobody asked. */
  isLast: boolean | undefined = undefined

  constructor(id: number, place: number, facts: Omit<GraphNode, 'id'>) {
    this.id = id
    this.place = place
    this.accepts = facts.accepts
    this.owner = facts.owner
    this.depth = facts.depth
    this.plain = facts.plain
  }
}

const NO_NODES: readonly Node[] = []

export function createGraph(renderings: readonly Rendering[]): Graph {
  /** The root of each layer is the root of all; its other nodes are numbered on from its base. */
  const bases: number[] = []
  let size = 0
  let longestMatch = 0
  for (const { layer } of renderings) {
    bases.push(size)
    size += layer.size
    longestMatch = Math.max(longestMatch, layer.depth(layer.size - 1))
  }
  if (!Number.isSafeInteger(size)) throw new RangeError('too many secrets, or too long ones')

  const root = new Node(ROOT, -1, { accepts: false, owner: -1, depth: 0, plain: undefined })
  const kept = new Map<number, Node>()

  const nodeAt = (place: number, local: number): Node => {
    if (local === ROOT) return root
    const id = (bases[place] as number) + local
    const found = kept.get(id)
    if (found !== undefined) return found
    if (kept.size >= MAX_KEPT) forget()
    const { layer, secret, plain } = renderings[place] as Rendering
    const accepts = layer.accepts(local)
    const node = new Node(id, place, {
      accepts,
      plain: accepts ? plain : undefined,
      owner: secret,
      depth: layer.depth(local),
    })
    kept.set(id, node)
    return node
  }

  /** Edges hold on to the nodes that they lead to, so they go too. */
  const forget = (): void => {
    for (const node of kept.values()) {
      node.out = undefined
      node.into = undefined
    }
    kept.clear()
  }

  let looked = 0
  const along = (node: Node, way: 'out' | 'into', byte: number): readonly Node[] => {
    const known = node[way]?.get(byte)
    if (known !== undefined) return known
    const { place } = node
    const locals = new Set<number>()
    renderings[place]?.layer[way](node.id - (bases[place] as number), (label, local) => {
      looked++
      if (label === byte) locals.add(local)
    })
    const nodes = locals.size === 0 ? NO_NODES : [...locals].map((local) => nodeAt(place, local))
    node[way] ??= new Map()
    node[way].set(byte, nodes)
    return nodes
  }

  function* prepare(): Generator<number, void, void> {
    if (rootTargets !== undefined) return
    const targets = Array.from({ length: 256 }, () => new Set<Node>())
    for (const [place, { layer }] of renderings.entries()) {
      let edges = 0
      layer.out(ROOT, (byte, target) => {
        edges++
        targets[byte]?.add(nodeAt(place, target))
      })
      yield edges
    }
    rootTargets = targets.map((nodes) => [...nodes])
  }

  let rootTargets: Node[][] | undefined
  return {
    renderings,
    root,
    prepare,
    out: (node, byte) => along(node as Node, 'out', byte),
    into: (node, byte) => along(node as Node, 'into', byte),
    eachOut(node, visit) {
      const { place, id } = node as Node
      renderings[place]?.layer.out(id - (bases[place] as number), (byte, local) => {
        visit(byte, nodeAt(place, local))
      })
    },
    isLast(node) {
      const known = node as Node
      if (known.isLast !== undefined) return known.isLast
      known.isLast = true
      renderings[known.place]?.layer.out(known.id - (bases[known.place] as number), () => {
        known.isLast = false
      })
      return known.isLast
    },
    get looked() {
      return looked
    },
    get rootTargets() {
      if (rootTargets === undefined) for (const _ of prepare());
      return rootTargets ?? []
    },
    longestMatch,
  }
}
