import { bodyOf, exprOf, nothing, type Part } from './parts.ts'
import { bind, type Reading } from './reading.ts'
import type { Expr, Handler, Stmt } from './syntax.ts'

/** Adds the `if` statement of these parts to `out`. */
export function ifOf(parts: readonly Part[], at: number, out: Stmt[]): void {
  const branches: { test: Expr; body: readonly Stmt[] }[] = []
  let otherwise: readonly Stmt[] = []
  for (let index = 0; index < parts.length; index++) {
    const name = parts[index]?.name
    if (name === 'else') otherwise = bodyOf(parts[index + 1])
    else if (name === 'if' || name === 'elif') {
      branches.push({ test: exprOf(parts[index + 1]) ?? nothing(at), body: bodyOf(parts[index + 2]) })
    }
  }
  out.push({ k: 'if', at, branches, otherwise })
}

/** Adds the `try` statement of these parts to `out`. */
export function tryOf(reading: Reading, parts: readonly Part[], at: number, out: Stmt[]): void {
  const handlers: Handler[] = []
  let otherwise: readonly Stmt[] = []
  let last: readonly Stmt[] = []
  for (let index = 2; index < parts.length; index++) {
    const name = parts[index]?.name
    if (name === 'else') otherwise = bodyOf(parts[index + 1])
    else if (name === 'finally') last = bodyOf(parts[index + 1])
    else if (name === 'except') {
      let end = index
      while (end < parts.length && parts[end]?.name !== 'Body') end++
      const inside = parts.slice(index + 1, end)
      const as = inside.findIndex((part) => part.name === 'as' || part.name === ',')
      const caught = as < 0 ? null : exprOf(inside[as + 1])
      if (caught?.k === 'name') reading.names.bound.add(caught.id)
      const type = inside.find((part) => exprOf(part) !== null)
      handlers.push({
        type: exprOf(type),
        name: caught?.k === 'name' ? caught.id : null,
        body: bodyOf(parts[end]),
      })
    }
  }
  out.push({ k: 'try', at, body: bodyOf(parts[1]), handlers, otherwise, last })
}

/** Adds the `with` statement of these parts to `out`. */
export function withOf(reading: Reading, parts: readonly Part[], at: number, out: Stmt[]): void {
  const items: { x: Expr; target: Expr | null }[] = []
  const add = (x: Expr, target: Expr | null): void => {
    if (target === null && x.k === 'seq') for (const item of x.items) add(item, null)
    else if (target === null && x.k === 'chain' && x.ops.at(-1) === 'as') {
      const context: Expr =
        x.items.length === 2
          ? (x.items[0] as Expr)
          : { ...x, ops: x.ops.slice(0, -1), items: x.items.slice(0, -1) }
      add(context, x.items.at(-1) as Expr)
    } else {
      if (target !== null) bind(reading.names, target)
      items.push({ x, target })
    }
  }
  for (let index = 0; index < parts.length; index++) {
    const x = exprOf(parts[index])
    if (x === null) continue
    if (parts[index + 1]?.name === 'as') {
      add(x, exprOf(parts[index + 2]))
      index += 2
    } else add(x, null)
  }
  const body = parts.find((part) => part.name === 'Body')
  out.push({ k: 'with', at, items, body: bodyOf(body) })
}
