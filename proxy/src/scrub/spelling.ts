/**
 * The ways to write one thing (a character, a digit, what may stand between two), as a small graph without cycles from
 * START to END. Built once for each character and shared by all secrets.
 */
export interface Spelling {
  /** Nodes between START and END. */
  readonly inner: number
  /** By node: byte, target, byte, target … */
  readonly out: readonly (readonly number[])[]
  /** By node: byte, source, byte, source … */
  readonly into: readonly (readonly number[])[]
  /** Of the longest way. */
  readonly longest: number
  readonly shortest: number
}

export const START = 0
export const END = 1
export const FIRST_INNER = 2

export class SpellingBuilder {
  readonly #out: number[][] = [[], []]
  readonly #into: number[][] = [[], []]
  readonly #depth: number[] = [0, 0]
  readonly #height: number[] = [0, Number.POSITIVE_INFINITY]
  readonly #seen = new Set<number>()

  node(): number {
    this.#out.push([])
    this.#into.push([])
    this.#height.push(Number.POSITIVE_INFINITY)
    return this.#depth.push(0) - 1
  }

  /** Any of the bytes leads on. Edges into a node must be added before those that leave it. */
  edge(from: number, bytes: readonly number[], to: number): void {
    for (const byte of bytes) {
      const key = (from * 4096 + to) * 256 + byte
      if (this.#seen.has(key)) continue
      this.#seen.add(key)
      this.#out[from]?.push(byte, to)
      this.#into[to]?.push(byte, from)
    }
    this.#height[to] = Math.min(this.#height[to] ?? 0, (this.#height[from] ?? 0) + 1)
    this.#depth[to] = Math.max(this.#depth[to] ?? 0, (this.#depth[from] ?? 0) + 1)
  }

  /** Sets of bytes, one after the other, from any of the nodes. */
  steps(from: number | readonly number[], steps: readonly (readonly number[])[], to: number): void {
    let at: readonly number[] = typeof from === 'number' ? [from] : from
    steps.forEach((bytes, index) => {
      const next = index === steps.length - 1 ? to : this.node()
      for (const node of at) this.edge(node, bytes, next)
      at = [next]
    })
  }

  text(from: number | readonly number[], text: string | Uint8Array, to: number): void {
    this.steps(
      from,
      [...Buffer.from(text as string)].map((byte) => [byte]),
      to,
    )
  }

  /** The nodes at which none up to `most` of the bytes were read. */
  upTo(most: number, from: readonly number[], bytes: readonly number[]): number[] {
    const nodes = [...from]
    let at = from
    for (let count = 0; count < most; count++) {
      const next = this.node()
      for (const node of at) this.edge(node, bytes, next)
      nodes.push(next)
      at = [next]
    }
    return nodes
  }

  /** What ends at any of the nodes is complete. */
  end(nodes: readonly number[]): void {
    for (const node of nodes) {
      if (node === START) continue
      const into = this.#into[node] ?? []
      for (let at = 0; at < into.length; at += 2) this.edge(into[at + 1] as number, [into[at] as number], END)
    }
  }

  build(): Spelling {
    return {
      inner: this.#out.length - FIRST_INNER,
      out: exact(this.#out),
      into: exact(this.#into),
      longest: this.#depth[END] ?? 0,
      shortest: this.#height[END] ?? 0,
    }
  }
}

/**
 * Arrays that were filled by `push` have room for sixteen more, and most hold one edge that many other nodes have as well: a daemon
 * keeps tens of thousands of these, of which a thousand differ.
 */
const exact = (edges: readonly number[][]): (readonly number[])[] =>
  edges.map((one) => {
    if (one.length === 0) return NO_EDGES
    return one.length === 2 ? sharedEdge(one[0] as number, one[1] as number) : one.slice()
  })
const NO_EDGES: readonly number[] = []

const sharedEdges = new Map<number, readonly number[]>()
const MAX_SHARED = 4_096

function sharedEdge(byte: number, node: number): readonly number[] {
  const key = node * 256 + byte
  const known = sharedEdges.get(key)
  if (known !== undefined) return known
  const edge = [byte, node]
  if (sharedEdges.size < MAX_SHARED) sharedEdges.set(key, edge)
  return edge
}

/** The spellings of symbols 0, 1, …. */
export interface Alphabet {
  spelling(symbol: number): Spelling
  /** How many inner nodes the symbols before each have; one more entry holds the number of all. */
  readonly offsets: ArrayLike<number>
  readonly longest: number
  readonly shortest: number
}

export function createAlphabet(spellings: readonly Spelling[]): Alphabet {
  const offsets = [0]
  for (const { inner } of spellings) offsets.push((offsets.at(-1) ?? 0) + inner)
  return {
    spelling: (symbol) => spellings[symbol] as Spelling,
    offsets,
    longest: Math.max(...spellings.map(({ longest }) => longest)),
    shortest: Math.min(...spellings.map(({ shortest }) => shortest)),
  }
}
