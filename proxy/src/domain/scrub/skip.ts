/**
 * Passes over bytes at which no match can begin, without reading most of them.
 *
 * Whatever a match looks like, its first bytes are one of the paths that leave the root. Two neighbours among
 * them, looked at once in every so many bytes, are enough to see that none of those paths lies here.
 */
import { type Graph, ROOT } from './graph.ts'

/** More bytes a step, but also more pairs that let one stop: beyond this, ordinary text stops it too often. */
const MAX_WINDOW_BYTES = 16
/** Below this a step is hardly longer than the look-up that it saves. */
const MIN_WINDOW_BYTES = 4

export interface Skip {
  /**
   * The first index from `index` on at which a match may begin, as far as these bytes tell; the ones near their end
   * tell nothing. Nothing may be under way at `index`.
   */
  from(bytes: Uint8Array, index: number): number
  /** What stopped it lies before this many bytes behind the answer: it need not be asked again until there. */
  readonly windowBytes: number
}

/** Null where matches may be too short to be worth it. */
export function createSkip(graph: Graph): Skip | null {
  const levels = levelsOf(graph)
  if (levels.length < MIN_WINDOW_BYTES) return null
  const windowBytes = levels.length
  const isPair = pairsOf(graph, levels)
  const step = windowBytes - 1
  return {
    windowBytes,
    from(bytes, index) {
      const last = bytes.length - 1
      let at = index + windowBytes - 2
      while (at < last) {
        if (isPair[((bytes[at] as number) << 8) | (bytes[at + 1] as number)] === 1) break
        at += step
      }
      return at - windowBytes + 2
    },
  }
}

/** The nodes at each distance from the root, as far as every match reaches and the window does. */
function levelsOf(graph: Graph): ReadonlySet<number>[] {
  const levels: Set<number>[] = []
  let level = new Set([ROOT])
  while (levels.length < MAX_WINDOW_BYTES) {
    levels.push(level)
    const next = new Set<number>()
    for (const node of level) {
      const end = graph.firstEdge[node + 1] as number
      for (let edge = graph.firstEdge[node] as number; edge < end; edge++) {
        next.add(graph.edgeTarget[edge] as number)
      }
    }
    for (const node of next) if (graph.accepts[node] !== -1) return levels
    level = next
  }
  return levels
}

function pairsOf(graph: Graph, levels: readonly ReadonlySet<number>[]): Uint8Array {
  const { firstEdge, edgeByte, edgeTarget } = graph
  const isPair = new Uint8Array(1 << 16)
  const seen = new Set<number>()
  for (const level of levels.slice(0, -1)) {
    for (const node of level) {
      if (seen.has(node)) continue
      seen.add(node)
      const end = firstEdge[node + 1] as number
      for (let edge = firstEdge[node] as number; edge < end; edge++) {
        const between = edgeTarget[edge] as number
        const endBetween = firstEdge[between + 1] as number
        for (let second = firstEdge[between] as number; second < endBetween; second++) {
          isPair[((edgeByte[edge] as number) << 8) | (edgeByte[second] as number)] = 1
        }
      }
    }
  }
  return isPair
}
