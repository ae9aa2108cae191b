import type { Node } from './ast.ts'
import { type Run, write } from './run.ts'
import { type Alternative, type Frame, union, type Value } from './values.ts'

/** The parameters that the `arguments` of a call of a sloppy function share their places with. */
const SHARED = new WeakMap<Alternative, { readonly node: Node; readonly frame: Frame }>()

export function linkArguments(list: Value, node: Node, frame: Frame): void {
  for (const one of list) SHARED.set(one, { node, frame })
}

/** `arguments[at] = value` may set the parameter in that place. */
export function argumentSet(run: Run, list: Alternative, at: number, value: Value): void {
  const shared = SHARED.get(list)
  const param = shared?.node.params[at]
  if (shared === undefined || param?.type !== 'Identifier' || !param.binding) return
  const old = shared.frame.variables.get(param.binding)
  write(run, shared.frame.variables, param.binding, old === undefined ? value : union(old, value))
  run.version++
}

/** `arguments` with what its parameters were set to since. */
export function withParameters(list: Value, frame: Frame): Value {
  const [one] = list
  const shared = one === undefined ? undefined : SHARED.get(one)
  if (one?.k !== 'items' || shared === undefined) return list
  shared.node.params.forEach((param, index) => {
    if (param.type !== 'Identifier' || param.binding?.reassigned !== true) return
    const [old, now] = [one.items[index], frame.variables.get(param.binding)]
    if (old !== undefined && now !== undefined) one.items[index] = union(old, now)
  })
  return list
}
