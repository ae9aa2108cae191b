import { ifOf, tryOf, withOf } from './blocks.ts'
import { argsAt, paramsAt, yieldOf } from './expressions.ts'
import { MAX_DEPTH, Unreadable } from './limits.ts'
import { matchAt } from './matches.ts'
import { bodyOf, exprOf, nothing, partsOf } from './parts.ts'
import { bind, listOf, type Names, nameAt, newNames, type Reading, type Token, tokensOf } from './reading.ts'
import type { Arg, Expr, FunctionNode, Param, Stmt } from './syntax.ts'
import type { TreeCursor } from './tree.ts'

/** The statements under the cursor, which stands on a Script or a Body. */
export function bodyAt(reading: Reading, cursor: TreeCursor): Stmt[] {
  const body: Stmt[] = []
  const decorators: Expr[] = []
  if (++reading.depth > MAX_DEPTH) throw new Unreadable(cursor.from, 'nested too deeply')
  if (cursor.firstChild()) {
    do {
      if (cursor.name === ':' || cursor.name === 'Comment') continue
      if (cursor.name === 'ExpressionStatement' && reading.code[cursor.from] === '@') {
        decorators.push(looseDecorator(reading, cursor))
      } else if (decorators.length > 0) definitionAt(reading, cursor, decorators.splice(0), body)
      else statementAt(reading, cursor, body)
    } while (cursor.nextSibling())
    cursor.parent()
  }
  reading.depth--
  return body
}

/** A decorator that was written over as a statement. */
function looseDecorator(reading: Reading, cursor: TreeCursor): Expr {
  const tokens = tokensOf(reading, cursor)
  const x = listOf(tokens, 0, tokens.length, cursor.from)
  return x.k === 'unary' && x.op === '@' ? x.x : x
}

const isLayout = ({ name }: TreeCursor): boolean => name === ';' || name === 'Comment'

function statementAt(reading: Reading, cursor: TreeCursor, out: Stmt[]): void {
  const at = cursor.from
  const { names } = reading
  switch (cursor.name) {
    case 'ExpressionStatement': {
      const tokens = tokensOf(reading, cursor)
      out.push({ k: 'expr', at, x: listOf(tokens, 0, tokens.length, at) })
      return
    }
    case 'AssignStatement':
      assignAt(reading, tokensOf(reading, cursor), at, out)
      return
    case 'UpdateStatement': {
      const tokens = tokensOf(reading, cursor)
      const op = tokens.findIndex((token) => token.name === 'UpdateOp')
      const target = listOf(tokens, 0, op, at)
      bind(names, target)
      const { from, to } = tokens[op] as Token
      out.push({
        k: 'update',
        at,
        target,
        op: reading.code.slice(from, to - 1),
        x: listOf(tokens, op + 1, tokens.length, at),
      })
      return
    }
    case 'StatementGroup':
      if (!cursor.firstChild()) return
      do {
        if (!isLayout(cursor)) statementAt(reading, cursor, out)
      } while (cursor.nextSibling())
      cursor.parent()
      return
    case 'FunctionDefinition':
    case 'ClassDefinition':
      definitionAt(reading, cursor, [], out)
      return
    case 'DecoratedStatement':
      decoratedAt(reading, cursor, out)
      return
    case 'ImportStatement':
      importAt(reading, cursor, out)
      return
    case 'MatchStatement':
      matchAt(reading, cursor, out)
      return
    case 'PassStatement':
      return
    case 'BreakStatement':
    case 'ContinueStatement':
      out.push({ k: 'leave', at })
      return
    default:
      plainAt(reading, cursor, out)
  }
}

function assignAt(reading: Reading, tokens: readonly Token[], at: number, out: Stmt[]): void {
  const groups: Expr[] = []
  let start = 0
  let valued = false
  tokens.forEach((token, index) => {
    if (token.name === 'TypeDef' && token.x !== undefined && !isPlain(token.x))
      out.push({ k: 'expr', at, x: token.x })
    if (token.name !== 'AssignOp') return
    groups.push(listOf(tokens, start, index, at))
    start = index + 1
    valued = true
  })
  const last = listOf(tokens, start, tokens.length, tokens[start]?.from ?? at)
  if (!valued) groups.push(last)
  for (const target of groups) bind(reading.names, target)
  out.push({ k: 'assign', at, targets: groups, x: valued ? last : null })
}

/** An annotation that runs nothing of note. */
const isPlain = (x: Expr): boolean =>
  x.k === 'const' ||
  x.k === 'name' ||
  (x.k === 'attr' && isPlain(x.obj)) ||
  (x.k === 'sub' && isPlain(x.obj) && isPlain(x.index)) ||
  ((x.k === 'seq' || x.k === 'chain') && x.items.every(isPlain))

function decoratedAt(reading: Reading, cursor: TreeCursor, out: Stmt[]): void {
  const decorators: Expr[] = []
  cursor.firstChild()
  do {
    if (cursor.name === 'Decorator') decorators.push(decoratorAt(reading, cursor))
    else if (cursor.name !== 'Comment') definitionAt(reading, cursor, decorators, out)
  } while (cursor.nextSibling())
  cursor.parent()
}

function decoratorAt(reading: Reading, cursor: TreeCursor): Expr {
  let read: Expr | null = null
  const start = cursor.from
  cursor.firstChild()
  do {
    const { name, from, to } = cursor
    if (name === 'VariableName') {
      const id = nameAt(reading, from, to)
      read = read === null ? { k: 'name', at: from, id } : { k: 'attr', at: from, obj: read, name: id }
    } else if (name === 'ArgList' && read !== null) {
      const args: Arg[] = argsAt(reading, cursor)
      read = { k: 'call', at: start, fn: read, args }
    }
  } while (cursor.nextSibling())
  cursor.parent()
  return read ?? nothing(start)
}

function definitionAt(reading: Reading, cursor: TreeCursor, decorators: readonly Expr[], out: Stmt[]): void {
  const at = cursor.from
  const definition: string = cursor.name
  const isClass = definition === 'ClassDefinition'
  if (!isClass && definition !== 'FunctionDefinition')
    throw new Unreadable(at, 'not Python that this reader knows')
  const outer: Names = reading.names
  const inner = newNames()
  let name = ''
  let params: Param[] = []
  let args: Arg[] = []
  let body: Stmt[] = []
  const before = reading.annotations
  reading.annotations = []
  cursor.firstChild()
  do {
    if (cursor.name === 'VariableName') name = nameAt(reading, cursor.from, cursor.to)
    else if (cursor.name === 'ArgList') args = argsAt(reading, cursor)
    else if (cursor.name === 'ParamList') params = paramsAt(reading, cursor, outer)
    else if (cursor.name === 'TypeDef') {
      for (const { x } of tokensOf(reading, cursor)) if (x !== undefined) reading.annotations.push(x)
    } else if (cursor.name === 'Body') {
      const notes = reading.annotations
      reading.names = inner
      body = bodyAt(reading, cursor)
      reading.names = outer
      reading.annotations = notes
    }
  } while (cursor.nextSibling())
  cursor.parent()
  for (const x of reading.annotations) if (!isPlain(x)) out.push({ k: 'expr', at: x.at, x })
  reading.annotations = before
  outer.bound.add(name)
  if (isClass) {
    out.push({ k: 'class', at, name, args, body, decorators })
    return
  }
  for (const param of params) inner.bound.add(param.name)
  for (const free of inner.outer) inner.bound.delete(free)
  const fn: FunctionNode = { at, name, params, body, locals: inner.bound, generator: inner.generator }
  out.push({ k: 'def', at, fn, decorators })
}

function importAt(reading: Reading, cursor: TreeCursor, out: Stmt[]): void {
  const at = cursor.from
  const tokens = tokensOf(reading, cursor)
  const text = (token: Token | undefined): string =>
    token === undefined ? '' : token.x?.k === 'name' ? token.x.id : reading.code.slice(token.from, token.to)
  let index = 1
  const dotted = (): string => {
    let read = ''
    while (index < tokens.length && /^(?:VariableName|\.|\.\.\.|Ellipsis)$/.test(tokens[index]?.name ?? '')) {
      read += text(tokens[index])
      index++
    }
    return read
  }
  const alias = (): string | null => {
    if (tokens[index]?.name !== 'as') return null
    index += 2
    return text(tokens[index - 1])
  }
  if (tokens[0]?.name === 'import') {
    while (index < tokens.length) {
      const module = dotted()
      const as = alias()
      if (module !== '') {
        out.push({ k: 'import', at, module, as })
        reading.names.bound.add(as ?? (module.split('.')[0] as string))
      } else index++
    }
    return
  }
  const module = dotted()
  index++
  if (tokens[index]?.name === '*') {
    out.push({ k: 'from', at, module, names: null })
    return
  }
  const names: { name: string; as: string }[] = []
  while (index < tokens.length) {
    const name = dotted()
    if (name === '') index++
    else {
      const as = alias() ?? name
      names.push({ name, as })
      reading.names.bound.add(as)
    }
  }
  out.push({ k: 'from', at, module, names })
}

function plainAt(reading: Reading, cursor: TreeCursor, out: Stmt[]): void {
  const at = cursor.from
  const kind = cursor.name
  const parts = partsOf(reading, cursor)
  const tokens = parts as Token[]
  const index = (name: string): number => parts.findIndex((part) => part.name === name)
  switch (kind) {
    case 'ReturnStatement':
      out.push({ k: 'return', at, x: parts.length > 1 ? listOf(tokens, 1, parts.length, at) : null })
      return
    case 'YieldStatement':
      out.push({ k: 'expr', at, x: yieldOf(reading, tokens, at) })
      return
    case 'RaiseStatement':
      out.push({ k: 'raise', at, x: exprOf(parts[1]) })
      return
    case 'AssertStatement':
      for (const part of parts) {
        const x = exprOf(part)
        if (x !== null) out.push({ k: 'expr', at, x })
      }
      return
    case 'DeleteStatement':
      out.push({ k: 'delete', at, targets: parts.flatMap((part) => exprOf(part) ?? []) })
      return
    case 'ScopeStatement': {
      const free = parts.flatMap((part) => {
        const x = exprOf(part)
        return x?.k === 'name' ? [x.id] : []
      })
      for (const name of free) reading.names.outer.add(name)
      out.push({ k: 'scope', at, global: parts[0]?.name === 'global', names: free })
      return
    }
    case 'TypeDefinition': {
      const [, name, ...rest] = parts.flatMap((part) => exprOf(part) ?? [])
      if (name !== undefined) rest.unshift(name)
      return
    }
    case 'IfStatement':
      ifOf(parts, at, out)
      return
    case 'WhileStatement':
      out.push({
        k: 'while',
        at,
        test: exprOf(parts[1]) ?? nothing(at),
        body: bodyOf(parts[2]),
        otherwise: bodyOf(parts[4]),
      })
      return
    case 'ForStatement': {
      const start = index('for') + 1
      const inAt = index('in')
      const bodyAtIndex = index('Body')
      const target = listOf(tokens, start, inAt, at)
      bind(reading.names, target)
      const iter = listOf(tokens, inAt + 1, bodyAtIndex, at)
      out.push({
        k: 'for',
        at,
        target,
        iter,
        body: bodyOf(parts[bodyAtIndex]),
        otherwise: bodyOf(parts[bodyAtIndex + 2]),
      })
      return
    }
    case 'TryStatement':
      tryOf(reading, parts, at, out)
      return
    case 'WithStatement':
      withOf(reading, parts, at, out)
      return
  }
  throw new Unreadable(at, 'not Python that this reader knows')
}
