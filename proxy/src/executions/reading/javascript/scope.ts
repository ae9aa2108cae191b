import { wordSet } from '../../../kernel/index.ts'
import { type Binding, eachChild, isFunction, type Node, type Program } from './ast.ts'

interface Scope {
  readonly names: Map<string, Binding>
  readonly parent: Scope | null
  readonly owner: Node
}

/** What looks at each node of a program on the way; `parent` is null for the program itself. */
export type Visitor = (node: Node, parent: Node | null) => void

/**
 * Name resolution (lexical scopes, hoisting): says for every identifier that is a reference or a declaration what it stands for
 * (`node.binding`), so that `const run = eval` is eval. Calls `visit`
 * for every node that is code.
 * @returns all bindings of the program
 * @throws RangeError when the tree is nested too deeply
 */
export function resolveNames(program: Program, visit: Visitor): Binding[] {
  const all: Binding[] = []
  const declare = (scope: Scope, id: Node, kind: Binding['kind']): void => {
    const known = scope.names.get(id.name)
    if (known !== undefined) {
      // `var x` twice, or a parameter and a `var` of one name, are one variable.
      if (known.kind !== 'import') known.reassigned ||= known.declaration !== id
      id.binding = known
      return
    }
    const binding: Binding = {
      name: id.name,
      kind,
      declaration: id,
      owner: scope.owner,
      atModule: scope.parent === null,
      reassigned: false,
      captured: false,
    }
    scope.names.set(id.name, binding)
    id.binding = binding
    all.push(binding)
  }
  const refer = (scope: Scope, id: Node, assigned: boolean): void => {
    let at: Scope | null = scope
    while (at !== null) {
      const binding = at.names.get(id.name)
      if (binding !== undefined) {
        id.binding = binding
        if (assigned && binding.declaration !== id) binding.reassigned = true
        if (binding.owner !== scope.owner) binding.captured = true
        return
      }
      at = at.parent
    }
    id.binding = null
  }

  /** Declares what a statement list declares by itself, and the `var`s below it when `vars` is a scope. */
  const hoist = (statements: readonly Node[], scope: Scope): void => {
    for (const statement of statements) {
      const node = declarationOf(statement)
      if (node.type === 'FunctionDeclaration' && node.id !== null) declare(scope, node.id, 'function')
      else if (node.type === 'ClassDeclaration' && node.id !== null) declare(scope, node.id, 'class')
      else if (node.type === 'TSEnumDeclaration' && node.id !== null) declare(scope, node.id, 'enum')
      else if (node.type === 'VariableDeclaration' && node.kind !== 'var') declareAll(node, scope)
      else if (node.type === 'ImportDeclaration' && node.importKind !== 'type') {
        for (const one of node.specifiers) if (one.importKind !== 'type') declare(scope, one.local, 'import')
      } else if (node.type === 'TSImportEqualsDeclaration' && node.id !== null)
        declare(scope, node.id, 'import')
      else if (
        node.type === 'TSModuleDeclaration' &&
        node.id?.type === 'Identifier' &&
        node.declare !== true
      ) {
        declare(scope, node.id, 'const')
      }
    }
  }
  const declareAll = (node: Node, scope: Scope): void => {
    if (node.declare === true) return
    const kind = node.kind === 'var' ? 'var' : node.kind === 'let' ? 'let' : 'const'
    for (const one of node.declarations) for (const id of namesIn(one.id)) declare(scope, id, kind)
  }
  const hoistVars = (node: Node, scope: Scope): void => {
    if (isFunction(node) || (node.type.startsWith('Class') && node.type !== 'ClassBody')) return
    if (node.type === 'VariableDeclaration' && node.kind === 'var') declareAll(node, scope)
    if (node.type.endsWith('Expression') || node.type.endsWith('Literal') || node.type === 'Identifier')
      return
    eachChild(node, (child) => hoistVars(child, scope))
  }

  const walkAll = (nodes: readonly (Node | null)[], scope: Scope, parent: Node): void => {
    for (const node of nodes) if (node !== null) walk(node, scope, parent)
  }
  const child = (scope: Scope, owner = scope.owner): Scope => ({ names: new Map(), parent: scope, owner })

  /** A pattern: the identifiers in it are set, defaults and computed keys are ordinary expressions. */
  const walkPattern = (node: Node, scope: Scope, parent: Node): void => {
    switch (node.type) {
      case 'Identifier':
        visit(node, parent)
        refer(scope, node, true)
        return
      case 'ObjectPattern':
        visit(node, parent)
        for (const property of node.properties) {
          visit(property, node)
          if (property.type === 'RestElement') walkPattern(property.argument as Node, scope, property)
          else {
            if (property.computed) walk(property.key, scope, property)
            else visit(property.key, node)
            walkPattern(property.value, scope, property)
          }
        }
        return
      case 'ArrayPattern':
        visit(node, parent)
        for (const element of node.elements) if (element !== null) walkPattern(element, scope, node)
        return
      case 'AssignmentPattern':
        visit(node, parent)
        walkPattern(node.left, scope, node)
        walk(node.right, scope, node)
        return
      case 'RestElement':
        walkPattern(node.argument as Node, scope, node)
        return
      case 'TSParameterProperty':
        walkPattern(node.parameter, scope, node)
        return
      default:
        walk(node, scope, parent)
    }
  }

  const walkFunction = (node: Node, scope: Scope): void => {
    const inner = child(scope, node)
    if (node.type === 'FunctionExpression' && node.id) declare(inner, node.id, 'function')
    for (const param of node.params) for (const id of namesIn(param)) declare(inner, id, 'param')
    for (const param of node.params) walkPattern(param, inner, node)
    const body = node.body as Node | undefined
    if (body === undefined || body === null) return
    if (body.type !== 'BlockStatement') {
      walk(body, inner, node)
      return
    }
    hoistVars(body, inner)
    hoist(body.body, inner)
    visit(body, node)
    walkAll(body.body, inner, body)
  }

  /** Long sums and chains of calls lean to the left: they are walked in a loop, so that their length needs no stack. */
  const walkChain = (node: Node, scope: Scope, parent: Node | null): void => {
    let at = node
    let above = parent
    for (;;) {
      if (at.type === 'BinaryExpression' || at.type === 'LogicalExpression') {
        visit(at, above)
        walk(at.right, scope, at)
        above = at
        at = at.left
      } else if (CHAINS.has(at.type)) {
        visit(at, above)
        const isMember = at.type.endsWith('MemberExpression')
        if (!isMember) walkAll(at.arguments, scope, at)
        else if (at.computed) walk(at.property, scope, at)
        else visit(at.property, at)
        above = at
        at = isMember ? at.object : at.callee
      } else {
        walk(at, scope, above)
        return
      }
    }
  }

  const walk = (node: Node, scope: Scope, parent: Node | null): void => {
    if (CHAINS.has(node.type)) {
      walkChain(node, scope, parent)
      return
    }
    if (node.type !== 'Identifier' || parent?.type !== 'AssignmentExpression') visit(node, parent)
    switch (node.type) {
      case 'Identifier':
        if (parent?.type === 'AssignmentExpression') visit(node, parent)
        refer(scope, node, false)
        return
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        walkFunction(node, scope)
        return
      case 'ObjectMethod':
      case 'ClassMethod':
      case 'ClassPrivateMethod':
        if (node.computed) walk(node.key, scope, node)
        else visit(node.key, node)
        walkFunction(node, scope)
        return
      case 'ClassDeclaration':
      case 'ClassExpression': {
        const inner = child(scope)
        if (node.type === 'ClassExpression' && node.id) declare(inner, node.id, 'class')
        if (node.superClass) walk(node.superClass, inner, node)
        for (const decorator of node.decorators ?? []) walk(decorator, inner, node)
        walk(node.body, inner, node)
        return
      }
      case 'ClassProperty':
      case 'ClassPrivateProperty':
      case 'ClassAccessorProperty': {
        if (node.computed) walk(node.key, scope, node)
        else visit(node.key, node)
        const value = node.value as Node | null
        // A field's initialiser runs with `this`, as a function of its own.
        if (value) walk(value, child(scope, node), node)
        return
      }
      case 'BlockStatement':
      case 'StaticBlock':
      case 'TSModuleBlock': {
        const inner = child(scope)
        hoist(node.body, inner)
        walkAll(node.body, inner, node)
        return
      }
      case 'SwitchStatement': {
        walk(node.discriminant, scope, node)
        const inner = child(scope)
        for (const one of node.cases) hoist(one.consequent, inner)
        for (const one of node.cases) {
          visit(one, node)
          if (one.test) walk(one.test, inner, one)
          walkAll(one.consequent, inner, one)
        }
        return
      }
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement': {
        const inner = child(scope)
        const head = node.type === 'ForStatement' ? node.init : node.left
        if (head?.type === 'VariableDeclaration') {
          if (head.kind !== 'var') declareAll(head, inner)
          walk(head, inner, node)
          // Set anew for each round.
          if (node.type === 'ForStatement') for (const one of head.declarations) markReassigned(one.id)
        } else if (head) {
          if (node.type === 'ForStatement') walk(head, inner, node)
          else walkPattern(head, inner, node)
        }
        for (const part of node.type === 'ForStatement' ? [node.test, node.update] : [node.right]) {
          if (part) walk(part, inner, node)
        }
        walk(node.body, inner, node)
        return
      }
      case 'CatchClause': {
        const inner = child(scope)
        if (node.param) {
          for (const id of namesIn(node.param)) declare(inner, id, 'param')
          walkPattern(node.param, inner, node)
        }
        walk(node.body, inner, node)
        return
      }
      case 'VariableDeclarator':
        walkPattern(node.id as Node, scope, node)
        if (node.init) walk(node.init, scope, node)
        return
      case 'AssignmentExpression':
        walkPattern(node.left, scope, node)
        walk(node.right, scope, node)
        return
      case 'UpdateExpression': {
        const target = node.argument as Node
        if (target.type === 'Identifier') refer(scope, target, true)
        else walk(target, scope, node)
        return
      }
      case 'ObjectProperty':
        if (node.computed) walk(node.key, scope, node)
        else visit(node.key, node)
        walk(node.value, scope, node)
        return
      case 'LabeledStatement':
        walk(node.body, scope, node)
        return
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
        return
      case 'ImportDeclaration':
        if (node.importKind === 'type') return
        for (const one of node.specifiers) refer(scope, one.local, false)
        return
      case 'ExportNamedDeclaration':
        if (node.exportKind === 'type') return
        if (node.declaration) walk(node.declaration, scope, node)
        else if (!node.source) {
          for (const one of node.specifiers)
            if (one.local.type === 'Identifier') refer(scope, one.local, false)
        }
        return
      case 'TSEnumDeclaration':
        for (const member of enumMembers(node))
          if (member.initializer) walk(member.initializer, scope, member)
        return
      default:
        eachChild(node, (inner) => walk(inner, scope, node))
    }
  }
  const markReassigned = (pattern: Node | null): void => {
    for (const id of pattern === null ? [] : namesIn(pattern)) if (id.binding) id.binding.reassigned = true
  }

  const top: Scope = { names: new Map(), parent: null, owner: program.root }
  hoistVars(program.root, top)
  hoist(program.body, top)
  visit(program.root, null)
  walkAll(program.body, top, program.root)
  return all
}

const CHAINS: ReadonlySet<string> = wordSet(`
  BinaryExpression LogicalExpression MemberExpression OptionalMemberExpression CallExpression
  OptionalCallExpression`)

/** Members of an enum, whose place in the tree changed between versions of the parser. */
export const enumMembers = (node: Node): readonly Node[] =>
  (node.members as readonly Node[] | undefined) ?? (node.body as unknown as Node).members

/** The declaration inside an export. */
export const declarationOf = (statement: Node): Node =>
  (statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration') &&
  statement.declaration !== null &&
  statement.declaration !== undefined
    ? statement.declaration
    : statement

/** The identifiers that a pattern declares. */
function namesIn(pattern: Node | null): Node[] {
  if (pattern === null) return []
  switch (pattern.type) {
    case 'Identifier':
      return [pattern]
    case 'ObjectPattern':
      return pattern.properties.flatMap((one) =>
        namesIn(one.type === 'RestElement' ? one.argument : one.value),
      )
    case 'ArrayPattern':
      return pattern.elements.flatMap((one) => namesIn(one))
    case 'AssignmentPattern':
      return namesIn(pattern.left)
    case 'RestElement':
      return namesIn(pattern.argument)
    case 'TSParameterProperty':
      return namesIn(pattern.parameter)
    default:
      return []
  }
}
