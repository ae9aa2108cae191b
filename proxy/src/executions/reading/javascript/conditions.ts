import { bare, type Node } from './ast.ts'
import { constantOf, mixed, type Value } from './values.ts'

/**
 * Dead code and constant conditions: what a test comes to when the text of the program fixes it. Names that are set once,
 * literals, and comparisons of them. Null when it can be either, or when something might set a part of it anew.
 */
export function decided(test: Node, value: Value): boolean | null {
  if (!isFixed(test, 8)) return null
  let known: boolean | null = null
  for (const alternative of value) {
    let truth: boolean
    if (alternative.k === 'primitive') truth = Boolean(alternative.value)
    else if (alternative.k === 'text') {
      const constant = constantOf(alternative)
      if (constant === null) return null
      truth = constant !== ''
    } else return null
    if (known !== null && known !== truth) return null
    known = truth
  }
  return known
}

function isFixed(node: Node, depth: number): boolean {
  const inner = bare(node)
  if (depth === 0) return false
  switch (inner.type) {
    case 'Identifier':
      return inner.binding === null ? inner.name === 'undefined' : inner.binding?.reassigned === false
    case 'StringLiteral':
    case 'NumericLiteral':
    case 'BooleanLiteral':
    case 'NullLiteral':
      return true
    case 'UnaryExpression':
      return inner.operator === '!' && isFixed(inner.argument as Node, depth - 1)
    case 'BinaryExpression':
    case 'LogicalExpression':
      return isFixed(inner.left, depth - 1) && isFixed(inner.right, depth - 1)
    default:
      return false
  }
}

/** Logic bombs: what a test hangs on that the person does not see (date, chance, machine, a count), or null. */
export function conditionOf(value: Value): string | null {
  let label: string | null = null
  for (const alternative of value) {
    const { hidden } = mixed([[alternative]])
    if (hidden !== null && (label === null || label.startsWith('?'))) label = hidden
  }
  return label
}
