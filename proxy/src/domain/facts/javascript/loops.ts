import type { Node } from './ast.ts'
import { conditionOf } from './conditions.ts'
import { elementsOf } from './lists.ts'
import { bindPattern } from './patterns.ts'
import { branch, join, type Run } from './run.ts'
import { anything, type Frame, mixed, text, type Value } from './values.ts'

export function loopCondition(run: Run, test: Node | null, frame: Frame): string | null {
  if (test === null) return null
  const label = conditionOf(run.evaluate(test, frame))
  return label === 'limit of calls' ? null : label
}

const DEEPEST_LOOP = 3

/** Runs a body until it changes nothing any more, at most twice: what it sets is seen by its next round. */
export function loop(run: Run, body: () => void): boolean {
  run.loops++
  try {
    for (let round = 0; round < (run.loops > DEEPEST_LOOP ? 1 : 2); round++) {
      const outcome = branch(run, () => {
        body()
        return false
      })
      if (outcome.writes.length === 0) break
      join(run, [outcome, { ended: false, writes: [] }])
    }
  } finally {
    run.loops--
  }
  return false
}

export function runForEach(run: Run, node: Node, frame: Frame): boolean {
  const source = run.evaluate(node.right, frame)
  const bind = (value: Value): void => {
    const target =
      node.left.type === 'VariableDeclaration' ? (node.left.declarations[0]?.id as Node) : node.left
    bindPattern(run, target, value, frame, node.left.type === 'VariableDeclaration')
  }
  const each = node.type === 'ForInStatement' ? keysOf(source) : elementsOf(run, source, frame)
  if (each === null) {
    const more =
      node.type === 'ForInStatement' ? anything(mixed([source]).from, { role: 'atom' }) : anyElement(source)
    return loop(run, () => {
      bind(more)
      run.statement(node.body, frame)
    })
  }
  for (const element of each) {
    const outcome = branch(run, () => {
      bind(element)
      run.statement(node.body, frame)
      return false
    })
    join(run, [outcome, { ended: false, writes: [] }])
  }
  return false
}

export const anyElement = (source: Value): Value => {
  const { from, secrets, hidden } = mixed([source])
  return [...anything(from, { secrets, hidden })]
}

function keysOf(value: Value): Value[] | null {
  const keys: Value[] = []
  for (const alternative of value) {
    if (alternative.k === 'thing' && alternative.rest === null) {
      for (const key of alternative.props.keys()) keys.push(text(key))
    } else if (alternative.k === 'items' && alternative.more === null) {
      for (let index = 0; index < alternative.items.length; index++) keys.push(text(String(index)))
    } else return null
  }
  return keys.length <= 32 ? keys : null
}
