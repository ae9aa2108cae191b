import { type Reading, type Token, tokensOf } from './reading.ts'
import type { Expr, Stmt } from './syntax.ts'
import type { TreeCursor } from './tree.ts'

/** A child of a statement: a token, an expression or a body that is read. */
export type Part = Token | { readonly name: 'Body'; readonly from: number; readonly body: readonly Stmt[] }

/** The children of the node under the cursor, expressions and bodies among them read. The cursor comes back to the node. */
export function partsOf(reading: Reading, cursor: TreeCursor): Part[] {
  const bodies: Part[] = []
  const tokens = tokensOf(reading, cursor, 'Body')
  if (cursor.firstChild()) {
    do {
      if (cursor.name === 'Body') bodies.push({ name: 'Body', from: cursor.from, body: reading.body(cursor) })
    } while (cursor.nextSibling())
    cursor.parent()
  }
  let next = 0
  return tokens.map((token) => (token.name === 'Body' ? (bodies[next++] as Part) : token))
}

/** The statements of a part; none when it is no body. */
export const bodyOf = (part: Part | undefined): readonly Stmt[] =>
  part !== undefined && 'body' in part ? part.body : []

/** The expression that a part is, or null. */
export const exprOf = (part: Part | undefined): Expr | null =>
  part !== undefined && 'x' in part ? (part.x ?? null) : null

/** Stands where the program has no expression. */
export const nothing = (at: number): Expr => ({ k: 'const', at, v: null })
