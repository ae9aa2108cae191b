import type { Expr, Stmt } from './syntax.ts'
import type { TreeCursor } from './tree.ts'

/** What one body binds, gathered while it is read. */
export interface Names {
  readonly bound: Set<string>
  readonly outer: Set<string>
  generator: boolean
}

/** State of one reading of a text, and the two readers that all others come back to. */
export interface Reading {
  readonly code: string
  depth: number
  names: Names
  readonly words: Map<string, number[]>
  /** Names that are not plain ASCII, as Python reads them. */
  readonly normalized: Map<string, string>
  readonly escaped: number[]
  /** Offsets of addresses with dots or slashes that are not what they seem. */
  readonly odd: number[]
  /** Where patterns of `match` stand. */
  readonly patterns: { readonly from: number; readonly to: number }[]
  /** Annotations with calls, which Python runs where the function is made. */
  annotations: Expr[]
  /** Reads the expression under the cursor, which comes back to it. */
  expression(cursor: TreeCursor): Expr
  /** Reads the statements under the cursor, which stands on a Script or a Body and comes back to it. */
  body(cursor: TreeCursor): Stmt[]
}

/** A child of a syntax node: an expression already read, or a token with its text. */
export interface Token {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly x?: Expr
}

/** Names of the nodes that are expressions. */
export const EXPRESSION: ReadonlySet<string> = new Set(
  'VariableName Number String FormatString ContinuedString None Boolean Ellipsis ... ParenthesizedExpression TupleExpression ArrayExpression SetExpression DictionaryExpression ComprehensionExpression ArrayComprehensionExpression SetComprehensionExpression DictionaryComprehensionExpression CallExpression MemberExpression BinaryExpression UnaryExpression ConditionalExpression LambdaExpression NamedExpression AwaitExpression YieldExpression'.split(
    ' ',
  ),
)
const WORDS_KEPT = 16
const NOT_ASCII = /[^\0-\x7f]/

/** No names yet. */
export const newNames = (): Names => ({ bound: new Set(), outer: new Set(), generator: false })

/** The name as Python reads it (NFKC), noted as it is written. */
export function nameAt(reading: Reading, from: number, to: number): string {
  const raw = reading.code.slice(from, to)
  const seen = reading.words.get(raw)
  if (seen === undefined) {
    reading.words.set(raw, [from])
    if (NOT_ASCII.test(raw)) reading.normalized.set(raw, raw.normalize('NFKC'))
  } else if (seen.length < WORDS_KEPT) seen.push(from)
  return reading.normalized.size === 0 ? raw : (reading.normalized.get(raw) ?? raw)
}

/** The children of the node under the cursor, expressions read. The cursor comes back to the node. */
export function tokensOf(reading: Reading, cursor: TreeCursor, skip = ''): Token[] {
  const tokens: Token[] = []
  if (!cursor.firstChild()) return tokens
  do {
    const name = cursor.name
    const { from, to } = cursor
    if (name === 'Comment') continue
    if (name === skip) tokens.push({ name, from, to })
    else if (EXPRESSION.has(name)) tokens.push({ name, from, to, x: reading.expression(cursor) })
    else if (name === 'TypeDef') {
      const inner = tokensOf(reading, cursor).find((token) => token.x !== undefined)
      tokens.push(inner?.x === undefined ? { name, from, to } : { name, from, to, x: inner.x })
    } else tokens.push({ name, from, to })
  } while (cursor.nextSibling())
  cursor.parent()
  return tokens
}

/** Marks the names that an assignment to `target` binds. */
export function bind(names: Names, target: Expr): void {
  if (target.k === 'name') names.bound.add(target.id)
  else if (target.k === 'star') bind(names, target.x)
  else if (target.k === 'seq') for (const item of target.items) bind(names, item)
}

/** Expressions parted by commas from `start` on, as one; `stop` is the first index that is not read. */
export function listOf(tokens: readonly Token[], start: number, stop: number, at: number): Expr {
  const items: Expr[] = []
  let comma = false
  for (let index = start; index < stop; index++) {
    const token = tokens[index] as Token
    if (token.name === ',') comma = true
    else if (token.name === '*' && tokens[index + 1]?.x !== undefined) {
      items.push({ k: 'star', at: token.from, x: (tokens[index + 1] as Token).x as Expr })
      index++
    } else if (token.x !== undefined && token.name !== 'TypeDef') items.push(token.x)
  }
  const only = items[0]
  return items.length === 1 && !comma && only !== undefined ? only : { k: 'seq', at, items }
}
