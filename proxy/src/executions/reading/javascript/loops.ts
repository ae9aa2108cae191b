import type { Node } from './ast.ts'
import { conditionOf } from './conditions.ts'
import { withJumps } from './jumps.ts'
import { elementsOf } from './lists.ts'
import { bindPattern } from './patterns.ts'
import { join, type Outcome, type Run } from './run.ts'
import { anything, constantOf, type Frame, mixed, text, type Value } from './values.ts'

export function loopCondition(run: Run, test: Node | null, frame: Frame): string | null {
  if (test === null) return null
  const label = conditionOf(run.evaluate(test, frame))
  return label === 'limit of calls' ? null : label
}

const DEEPEST_LOOP = 3

/** Rounds of a loop: what a round hands to the next one by turns needs more than two to come round. */
const MOST_ROUNDS = 4

/** A fixpoint: runs a body until it sets nothing new any more, as what it sets is seen by its next round. */
export function loop(run: Run, labels: readonly string[], body: () => void): boolean {
  run.loops++
  try {
    const rounds = run.loops > DEEPEST_LOOP ? 1 : run.loops > 1 ? 2 : MOST_ROUNDS
    for (let round = 0; round < rounds; round++) {
      const ways = withJumps(run, 'loop', labels, () => {
        body()
        return false
      })
      if (ways.every(({ writes }) => writes.length === 0)) break
      const isNew = round === 0 || ways.some(({ writes }) => writes.some(setsNewText))
      join(run, [...ways, { ended: false, writes: [] }])
      if (!isNew) break
    }
  } finally {
    run.loops--
  }
  return false
}

/** Whether a slot that was there before the round gets a text that it did not hold. */
const setsNewText = ({ map, key, value }: Outcome['writes'][number]): boolean => {
  const old = map.get(key)
  if (old === undefined) return false
  return value.some((one) => {
    const constant = constantOf(one)
    return constant !== null && !old.some((other) => constantOf(other) === constant)
  })
}

export function runForEach(run: Run, node: Node, frame: Frame, labels: readonly string[]): boolean {
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
    return loop(run, labels, () => {
      bind(more)
      run.statement(node.body, frame)
    })
  }
  for (const element of each) {
    const ways = withJumps(run, 'loop', labels, () => {
      bind(element)
      run.statement(node.body, frame)
      return false
    })
    join(run, [...ways, { ended: false, writes: [] }])
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
