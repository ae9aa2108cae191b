import type { Node } from './ast.ts'
import { elementsOf } from './lists.ts'
import type { Run } from './run.ts'
import { toTexts } from './texts.ts'
import { isUndefined } from './things.ts'
import { concat, mixed, type Text, type Value } from './values.ts'

/** `String.raw(strings, ...values)` as an ordinary call. */
export function rawText(run: Run, strings: Value, values: readonly Value[], node: Node): Value {
  const own = strings.some((one) => one.k === 'items') ? strings : run.member(strings, 'raw', node)
  const pieces = elementsOf(run, own, null)
  if (pieces === null) return [mixed([strings, ...values])]
  let all: Text[] = [{ k: 'text', parts: [''], hidden: null }]
  pieces.forEach((piece, index) => {
    all = concat(all, toTexts(run, piece))
    const value = values[index]
    if (value !== undefined && index < pieces.length - 1) all = concat(all, toTexts(run, value))
  })
  return all
}

const DEEPEST = 4

/** The functions by which parts of a value say what they are as JSON. */
export function jsonHooks(run: Run, value: Value, node: Node, depth = 0): Value {
  if (depth > DEEPEST) return []
  return value.flatMap((one): Value => {
    if (one.k === 'items')
      return one.items.slice(0, 64).flatMap((item) => jsonHooks(run, item, node, depth + 1))
    if (one.k !== 'thing' || one.role !== null) return []
    const isPlain = one.made === null && one.proto === null
    const has = isPlain
      ? one.props.has('toJSON') || one.props.has('get toJSON')
      : !isUndefined(run.member([one], 'toJSON', node))
    const own = has
      ? run.member([one], 'toJSON', node).filter((method) => method.k === 'function' || method.k === 'bound')
      : []
    return [...own, ...[...one.props.values()].flatMap((item) => jsonHooks(run, item, node, depth + 1))]
  })
}
