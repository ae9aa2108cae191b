/** tldts 7.6.0 has the Public Suffix List as these arrays, and no call that tells what lies below a name. */
declare module 'tldts/dist/cjs/src/data/trie.js' {
  /** Of each node: 0 where no rule ends in it. */
  export const nodeFlags: Uint8Array
  /** Of each node, and one more: its first edge. */
  export const edgeStart: Uint16Array
  /** Of each edge: the length of its label. */
  export const edgeLength: Uint8Array
  /** Of each edge: the node that it leads to. */
  export const edgeChild: Uint16Array
  /** The labels of all edges, in their order. */
  export const labelText: string
  export const rulesRoot: number
}
