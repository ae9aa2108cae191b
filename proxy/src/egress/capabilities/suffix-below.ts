import {
  edgeChild,
  edgeLength,
  edgeStart,
  labelText,
  nodeFlags,
  rulesRoot,
} from 'tldts/dist/cjs/src/data/trie.js'

interface Edge {
  readonly label: string
  readonly child: number
}

/**
 * An ending that strangers register under and that ends with the name, by the Public Suffix List: `s3.amazonaws.com` of `amazonaws.com`;
 * the name itself where they register two labels below it (`*.compute.amazonaws.com`). Undefined where there is none: whoever has the
 * name has everything below it.
 */
export function suffixBelow(name: string): string | undefined {
  const starts = labelStarts()
  const edgesOf = (node: number): readonly Edge[] =>
    Array.from({ length: at(edgeStart, node + 1) - at(edgeStart, node) }, (_, index) => {
      const edge = at(edgeStart, node) + index
      const start = at(starts, edge)
      return { label: labelText.slice(start, start + at(edgeLength, edge)), child: at(edgeChild, edge) }
    })
  const firstBelow = (node: number, below: string): string | undefined => {
    for (const { label, child } of edgesOf(node)) {
      const ending = label === '*' ? below : `${label}.${below}`
      const found = at(nodeFlags, child) !== 0 ? ending : firstBelow(child, ending)
      if (found !== undefined) return found
    }
    return undefined
  }
  let nodes = [rulesRoot]
  for (const label of name.split('.').reverse())
    nodes = nodes.flatMap((node) =>
      edgesOf(node).flatMap((edge) => (edge.label === label || edge.label === '*' ? [edge.child] : [])),
    )
  for (const node of nodes) {
    const found = firstBelow(node, name)
    if (found !== undefined) return found
  }
  return undefined
}

/** Of each edge: where its label begins. It is asked rarely, so that nothing is kept. */
function labelStarts(): Uint32Array {
  const starts = new Uint32Array(edgeLength.length)
  for (let edge = 1; edge < starts.length; edge += 1)
    starts[edge] = at(starts, edge - 1) + at(edgeLength, edge - 1)
  return starts
}

const at = (numbers: ArrayLike<number>, index: number): number => numbers[index] ?? 0
