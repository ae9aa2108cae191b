import { MAX_DEPTH, Unreadable } from './limits.ts'
import { nothing } from './parts.ts'
import { nameAt, type Reading, tokensOf } from './reading.ts'
import type { Expr, Stmt } from './syntax.ts'
import type { TreeCursor } from './tree.ts'

const isClause = ({ name }: TreeCursor): boolean => name === 'MatchClause'

/** Adds the `match` statement under the cursor to `out`. */
export function matchAt(reading: Reading, cursor: TreeCursor, out: Stmt[]): void {
  const at = cursor.from
  const cases: { names: string[]; guard: Expr | null; body: Stmt[] }[] = []
  let subject: Expr = nothing(at)
  cursor.firstChild()
  do {
    if (cursor.name === 'MatchBody') {
      cursor.firstChild()
      do {
        if (isClause(cursor)) cases.push(clauseAt(reading, cursor))
      } while (cursor.nextSibling())
      cursor.parent()
    } else if (cursor.name !== 'match' && cursor.name !== '*' && cursor.name !== 'Comment')
      subject = reading.expression(cursor)
  } while (cursor.nextSibling())
  cursor.parent()
  out.push({ k: 'match', at, subject, cases })
}

function clauseAt(
  reading: Reading,
  cursor: TreeCursor,
): { names: string[]; guard: Expr | null; body: Stmt[] } {
  const names: string[] = []
  let guard: Expr | null = null
  let body: Stmt[] = []
  cursor.firstChild()
  do {
    if (cursor.name === 'Guard')
      guard = tokensOf(reading, cursor).find((token) => token.x !== undefined)?.x ?? null
    else if (cursor.name === 'Body') body = reading.body(cursor)
    else {
      reading.patterns.push({ from: cursor.from, to: cursor.to })
      capturesAt(reading, cursor, names)
    }
  } while (cursor.nextSibling())
  cursor.parent()
  return { names, guard, body }
}

function capturesAt(reading: Reading, cursor: TreeCursor, names: string[]): void {
  if (cursor.name === 'CapturePattern' || cursor.name === 'VariableName') {
    const name = nameAt(reading, cursor.from, cursor.to)
    names.push(name)
    reading.names.bound.add(name)
    return
  }
  if (++reading.depth > MAX_DEPTH) throw new Unreadable(cursor.from, 'nested too deeply')
  if (cursor.name !== 'AttributePattern' && cursor.firstChild()) {
    do {
      capturesAt(reading, cursor, names)
    } while (cursor.nextSibling())
    cursor.parent()
  }
  reading.depth--
}
