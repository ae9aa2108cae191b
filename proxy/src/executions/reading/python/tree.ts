import type { parser } from '@lezer/python'

/** The concrete syntax tree that the parser makes of a text. */
export type Tree = ReturnType<typeof parser.parse>
/** A place in that tree, which moves. */
export type TreeCursor = ReturnType<Tree['cursor']>
