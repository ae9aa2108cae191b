import { MAX_DEPTH, Unreadable } from './limits.ts'
import {
  EXPRESSION,
  listOf,
  type Names,
  nameAt,
  newNames,
  type Reading,
  type Token,
  tokensOf,
} from './reading.ts'
import { formatAt, joined, stringAt } from './strings.ts'
import type { Arg, Clause, Expr, FunctionNode, Param, Stmt } from './syntax.ts'
import type { TreeCursor } from './tree.ts'

/** The expression under the cursor. */
export function readExpr(reading: Reading, cursor: TreeCursor): Expr {
  const at = cursor.from
  if (++reading.depth > MAX_DEPTH) throw new Unreadable(at, 'nested too deeply')
  const read = exprAt(reading, cursor, at)
  reading.depth--
  return read
}

function exprAt(reading: Reading, cursor: TreeCursor, at: number): Expr {
  const { code } = reading
  switch (cursor.name) {
    case 'VariableName':
      return { k: 'name', at, id: nameAt(reading, at, cursor.to) }
    case 'Number':
      return { k: 'const', at, v: numberOf(code.slice(at, cursor.to)) }
    case 'String':
      return stringAt(reading, at, cursor.to)
    case 'FormatString':
      return formatAt(reading, cursor)
    case 'None':
    case 'Ellipsis':
    case '...':
      return { k: 'const', at, v: null }
    case 'Boolean':
      return { k: 'const', at, v: code.slice(at, cursor.to) === 'True' }
    case 'BinaryExpression':
      return chainAt(reading, cursor, at)
    case 'NamedExpression': {
      const [target, , value] = tokensOf(reading, cursor)
      if (target?.x?.k !== 'name' || value?.x === undefined) throw new Unreadable(at, 'not Python')
      reading.names.bound.add(target.x.id)
      return { k: 'walrus', at, name: target.x.id, x: value.x }
    }
    case 'LambdaExpression':
      return lambdaAt(reading, cursor, at)
    case 'CallExpression':
    case 'MemberExpression':
      return trailerAt(reading, cursor, at)
    default:
      return compoundAt(reading, cursor, at)
  }
}

function compoundAt(reading: Reading, cursor: TreeCursor, at: number): Expr {
  const kind = cursor.name
  const tokens = tokensOf(reading, cursor)
  switch (kind) {
    case 'ContinuedString':
      return joined(tokens, at)
    case 'ParenthesizedExpression':
      return listOf(tokens, 0, tokens.length, at)
    case 'TupleExpression':
    case 'ArrayExpression':
    case 'SetExpression': {
      const list = listOf(tokens, 1, tokens.length - 1, at)
      return list.k === 'seq' && list.at === at ? list : { k: 'seq', at, items: [list] }
    }
    case 'DictionaryExpression': {
      const entries: [Expr | null, Expr][] = []
      for (let index = 0; index < tokens.length; index++) {
        const x = tokens[index]?.x
        if (x === undefined) continue
        if (tokens[index - 1]?.name === '**') entries.push([null, x])
        else {
          const value = tokens[index + 2]?.x
          if (value !== undefined) entries.push([x, value])
          index += 2
        }
      }
      return { k: 'dict', at, entries }
    }
    case 'ConditionalExpression': {
      const [a, , test, , b] = tokens
      if (a?.x === undefined || test?.x === undefined || b?.x === undefined) break
      return { k: 'if', at, test: test.x, a: a.x, b: b.x }
    }
    case 'UnaryExpression':
    case 'AwaitExpression': {
      const x = tokens.at(-1)?.x
      if (x === undefined) break
      if (kind === 'AwaitExpression') return { k: 'wait', at, x }
      return { k: 'unary', at, op: reading.code.slice(at, (tokens[0] as Token).to), x }
    }
    case 'YieldExpression':
      return yieldOf(reading, tokens, at)
    default:
      if (kind.endsWith('ComprehensionExpression')) return comprehension(tokens, 1, tokens.length - 1, at)
  }
  throw new Unreadable(at, 'not Python that this reader knows')
}

/** `yield x`, `yield from x`. */
export function yieldOf(reading: Reading, tokens: readonly Token[], at: number): Expr {
  reading.names.generator = true
  const from = tokens[1]?.name === 'from'
  const any = tokens.some((token) => token.x !== undefined)
  return { k: 'yield', at, x: any ? listOf(tokens, 1, tokens.length, at) : null, from }
}

function comprehension(tokens: readonly Token[], start: number, stop: number, at: number): Expr {
  let first = start
  while (first < stop && tokens[first]?.name !== 'for') first++
  const heads = tokens.slice(start, tokens[first - 1]?.name === 'async' ? first - 1 : first)
  const parts = heads.flatMap((token) => (token.x === undefined ? [] : [token.x]))
  const clauses: Clause[] = []
  for (let index = first; index < stop; ) {
    let inAt = index + 1
    while (inAt < stop && tokens[inAt]?.name !== 'in') inAt++
    const iter = tokens[inAt + 1]?.x
    if (iter === undefined) throw new Unreadable(at, 'not Python that this reader knows')
    const tests: Expr[] = []
    let next = inAt + 2
    while (next < stop && tokens[next]?.name === 'if') {
      const test = tokens[next + 1]?.x
      if (test !== undefined) tests.push(test)
      next += 2
    }
    clauses.push({ target: listOf(tokens, index + 1, inAt, at), iter, tests })
    while (next < stop && tokens[next]?.name !== 'for') next++
    index = next
  }
  const value = parts.at(-1)
  if (value === undefined) throw new Unreadable(at, 'not Python that this reader knows')
  return { k: 'comp', at, key: parts.length > 1 ? (parts[0] as Expr) : null, value, clauses }
}

function trailerAt(reading: Reading, cursor: TreeCursor, at: number): Expr {
  const member = cursor.name === 'MemberExpression'
  cursor.firstChild()
  const obj = readExpr(reading, cursor)
  const tokens: Token[] = []
  let args: Arg[] = []
  while (cursor.nextSibling()) {
    const { name, from, to } = cursor
    if (name === 'Comment') continue
    if (name === 'ArgList') args = argsAt(reading, cursor)
    else
      tokens.push(
        EXPRESSION.has(name) ? { name, from, to, x: readExpr(reading, cursor) } : { name, from, to },
      )
  }
  cursor.parent()
  if (!member) return { k: 'call', at, fn: obj, args }
  const first = tokens[0] as Token
  if (first.name === '.') {
    const property = tokens[1]
    if (property === undefined) return obj
    return { k: 'attr', at: property.from, obj, name: nameAt(reading, property.from, property.to) }
  }
  if (!tokens.some((token) => token.name === ':'))
    return { k: 'sub', at, obj, index: listOf(tokens, 1, tokens.length - 1, at) }
  const parts: (Expr | null)[] = [null]
  for (const token of tokens.slice(1, -1)) {
    if (token.name === ':' || token.name === ',') parts.push(null)
    else if (token.x !== undefined) parts[parts.length - 1] = token.x
  }
  return { k: 'sub', at, obj, index: { k: 'slice', at, parts } }
}

/** The arguments under the cursor, which stands on an ArgList. */
export function argsAt(reading: Reading, cursor: TreeCursor): Arg[] {
  const tokens = tokensOf(reading, cursor)
  const args: Arg[] = []
  for (let index = 1; index < tokens.length - 1; index++) {
    const token = tokens[index] as Token
    const next = tokens[index + 1]
    if (token.name === ',') continue
    if (token.name === '*' || token.name === '**') {
      if (next?.x !== undefined) args.push({ name: null, star: token.name, x: next.x })
      index++
      continue
    }
    if (token.x === undefined) continue
    let name: string | null = null
    let x = token.x
    if (next?.name === 'AssignOp' && token.x.k === 'name') {
      const value = tokens[index + 2]?.x
      if (value === undefined) continue
      const walrus = reading.code.slice(next.from, next.to) === ':='
      if (walrus) reading.names.bound.add(token.x.id)
      x = walrus ? { k: 'walrus', at: token.from, name: token.x.id, x: value } : value
      if (!walrus) name = token.x.id
      index += 2
    }
    if (tokens[index + 1]?.name === 'for' || tokens[index + 1]?.name === 'async') {
      const stop = tokens.length - 1
      x = comprehension([{ ...token, x }, ...tokens.slice(index + 1, stop)], 0, stop - index, token.from)
      index = stop
    }
    args.push({ name, star: '', x })
  }
  return args
}

function chainAt(reading: Reading, cursor: TreeCursor, at: number): Expr {
  let levels = 0
  while (cursor.name === 'BinaryExpression') {
    cursor.firstChild()
    levels++
  }
  const items = [readExpr(reading, cursor)]
  const ops: string[] = []
  for (let level = 0; level < levels; level++) {
    const words: string[] = []
    while (cursor.nextSibling()) {
      if (EXPRESSION.has(cursor.name)) items.push(readExpr(reading, cursor))
      else if (cursor.name !== 'Comment') words.push(reading.code.slice(cursor.from, cursor.to))
    }
    ops.push(words.join(' '))
    cursor.parent()
  }
  return { k: 'chain', at, ops, items }
}

function lambdaAt(reading: Reading, cursor: TreeCursor, at: number): Expr {
  const outer = reading.names
  let params: Param[] = []
  let body: Expr | null = null
  reading.names = newNames()
  cursor.firstChild()
  do {
    if (cursor.name === 'ParamList') params = paramsAt(reading, cursor, outer)
    else if (EXPRESSION.has(cursor.name)) body = readExpr(reading, cursor)
  } while (cursor.nextSibling())
  cursor.parent()
  const names = reading.names
  reading.names = outer
  const result: Stmt[] = body === null ? [] : [{ k: 'return', at: body.at, x: body }]
  for (const param of params) names.bound.add(param.name)
  const fn: FunctionNode = {
    at,
    name: 'lambda',
    params,
    body: result,
    locals: names.bound,
    generator: names.generator,
  }
  return { k: 'lambda', at, fn }
}

/** The parameters under the cursor, which stands on a ParamList; their first values belong to the names outside. */
export function paramsAt(reading: Reading, cursor: TreeCursor, outer: Names): Param[] {
  const inner = reading.names
  reading.names = outer
  const tokens = tokensOf(reading, cursor)
  reading.names = inner
  const params: Param[] = []
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index] as Token
    if (token.name === 'TypeDef' && token.x !== undefined) reading.annotations.push(token.x)
    if (token.x?.k !== 'name' || token.name === 'TypeDef') continue
    const before = tokens[index - 1]?.name
    const star = before === '*' || before === '**' ? before : ''
    let next = index + 1
    if (tokens[next]?.name === 'TypeDef') {
      const note = tokens[next]?.x
      if (note !== undefined) reading.annotations.push(note)
      next++
    }
    let initial: Expr | null = null
    if (tokens[next]?.name === 'AssignOp') initial = tokens[++next]?.x ?? null
    else next--
    params.push({ name: token.x.id, star, initial })
    index = next
  }
  return params
}

/** A number as JavaScript holds it. */
function numberOf(text: string): number {
  const plain = text.replaceAll('_', '')
  const value = Number(/^0\d+$/.test(plain) ? Number.parseInt(plain, 10) : plain)
  return Number.isNaN(value) ? Number.parseFloat(plain) : value
}
