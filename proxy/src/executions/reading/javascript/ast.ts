import { parse } from '@babel/parser'
import { wordSet } from '../../../kernel/index.ts'

/**
 * A node of the syntax tree, as one bag of every field that this reader looks at. A field is there only on the types that
 * have it (https://github.com/babel/babel/blob/main/packages/babel-parser/ast/spec.md): look at `type` first.
 */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly loc: { readonly start: { readonly line: number } }
  readonly name: string
  /** A node of a property or field; `raw` and `cooked` of a piece of a template. What a literal is: `literalOf`. */
  readonly value: Node & { readonly raw: string; readonly cooked: string | null }
  readonly pattern: string
  readonly flags: string
  readonly operator: string
  readonly kind: string
  readonly computed: boolean
  readonly optional: boolean
  readonly async: boolean
  readonly generator: boolean
  readonly static: boolean
  readonly shorthand: boolean
  readonly delegate: boolean
  readonly exportKind: string | undefined
  readonly importKind: string | undefined
  readonly declare: boolean | undefined
  readonly extra: { readonly raw?: string; readonly parenthesized?: boolean } | undefined
  readonly id: Node | null
  readonly key: Node
  readonly callee: Node
  readonly object: Node
  readonly property: Node
  readonly left: Node
  readonly right: Node
  readonly test: Node | null
  readonly consequent: Node & readonly Node[]
  readonly alternate: Node | null
  readonly argument: Node | null
  readonly init: Node | null
  readonly update: Node | null
  readonly param: Node | null
  readonly block: Node
  readonly handler: Node | null
  readonly finalizer: Node | null
  readonly expression: Node
  readonly discriminant: Node
  readonly superClass: Node | null
  readonly tag: Node
  readonly quasi: Node
  readonly label: Node | null
  readonly local: Node
  readonly imported: Node
  readonly exported: Node
  readonly declaration: Node | null
  readonly source: Node | null
  readonly initializer: Node | null
  readonly parameter: Node
  readonly decorators: readonly Node[] | null | undefined
  readonly body: Node & readonly Node[]
  readonly params: readonly Node[]
  readonly arguments: readonly Node[]
  readonly elements: readonly (Node | null)[]
  readonly properties: readonly Node[]
  readonly declarations: readonly Node[]
  readonly expressions: readonly Node[]
  readonly quasis: readonly Node[]
  readonly specifiers: readonly Node[]
  readonly cases: readonly Node[]
  readonly members: readonly Node[]
  readonly directives: readonly Node[]
  /** Set by the scope pass on references: what the name stands for; null for a global. */
  binding?: Binding | null
}

/** A name that the program declares. */
export interface Binding {
  readonly name: string
  readonly kind: 'const' | 'let' | 'var' | 'param' | 'function' | 'class' | 'import' | 'enum'
  readonly declaration: Node
  /** The function (or program) that it belongs to. */
  readonly owner: Node
  readonly atModule: boolean
  /** Something assigns to it after its declaration. */
  reassigned: boolean
  /** Code in an inner function reads it. */
  captured: boolean
}

export interface Program {
  readonly body: readonly Node[]
  readonly root: Node
  /** Names that the program uses, beside where it declares them: what is in here may be called. */
  readonly mentioned: Set<string>
  /** An ES module for certain (strict), not a script. */
  readonly module: boolean
}

const COMMON = {
  plugins: ['typescript', 'decorators', 'sourcePhaseImports'] as (
    | 'typescript'
    | 'decorators'
    | 'sourcePhaseImports'
  )[],
  attachComment: false,
  errorRecovery: false,
  allowReturnOutsideFunction: true,
  allowAwaitOutsideFunction: true,
}

/**
 * Parses a program as the runtimes do: an ES module, else a CommonJS script.
 * @returns the reason as text when it is neither
 */
export function parseProgram(code: string): Program | string {
  let problem = ''
  for (const sourceType of ['module', 'script'] as const) {
    try {
      const file = parse(code, {
        ...COMMON,
        sourceType,
        allowNewTargetOutsideFunction: sourceType === 'script',
      })
      const root = file.program as unknown as Node
      // Without these, Node runs it as a script, where `this` of a plain call is the global object.
      const module = root.body.some((one) => /^(?:Import|Export)/.test(one.type))
      return { root, body: root.body, mentioned: new Set(), module: module && sourceType === 'module' }
    } catch (error) {
      if (error instanceof RangeError) return 'nested too deeply'
      if (problem === '') problem = error instanceof Error ? error.message : 'no program'
    }
  }
  return problem
}

/** The value of a literal. */
export const literalOf = (node: Node): string | number | boolean => node.value as unknown as string

export const lineOf = (node: Node): number => node.loc.start.line

export const isFunction = (node: Node): boolean =>
  node.type === 'FunctionDeclaration' ||
  node.type === 'FunctionExpression' ||
  node.type === 'ArrowFunctionExpression' ||
  node.type === 'ObjectMethod' ||
  node.type === 'ClassMethod' ||
  node.type === 'ClassPrivateMethod'

/** The expression inside type assertions and parentheses, which change nothing at run time. */
export function bare(node: Node): Node {
  let inner = node
  while (WRAPPERS.has(inner.type)) inner = inner.expression
  return inner
}

const WRAPPERS = wordSet(`
  TSAsExpression TSSatisfiesExpression TSNonNullExpression TSTypeAssertion TSInstantiationExpression
  ParenthesizedExpression ExpressionStatement`)

const NOT_CHILDREN = wordSet('loc extra binding typeAnnotation typeParameters typeArguments returnType')
/** Calls `visit` for every direct child that is code; nodes of types are no code. */
export function eachChild(node: Node, visit: (child: Node) => void): void {
  const bag = node as unknown as Record<string, unknown>
  for (const field in bag) {
    const value = bag[field]
    if (typeof value !== 'object' || value === null || NOT_CHILDREN.has(field)) continue
    if (Array.isArray(value)) {
      for (const item of value) if (isCode(item)) visit(item)
    } else if (isCode(value)) visit(value)
  }
}

const isCode = (value: unknown): value is Node => {
  const type = (value as { type?: unknown } | null)?.type
  return typeof type === 'string' && !(type.startsWith('TS') && !TS_CODE.has(type))
}

/** Nodes of TypeScript that stand for something at run time. */
const TS_CODE = wordSet(`
  TSAsExpression TSSatisfiesExpression TSNonNullExpression TSTypeAssertion TSInstantiationExpression
  TSEnumDeclaration TSEnumBody TSEnumMember TSModuleDeclaration TSModuleBlock TSParameterProperty
  TSExportAssignment TSImportEqualsDeclaration TSExternalModuleReference`)
