import { lineOf, type Node } from './ast.ts'
import { callUnknown } from './functions.ts'
import type { Run } from './run.ts'
import { isUndefined } from './things.ts'
import { thing, unknown, type Value } from './values.ts'

/** What a hook of a client may set on a request without making another one of it. */
const HARMLESS: ReadonlySet<string> = new Set('headers timeout signal metadata params retry'.split(' '))

/** Interceptors: tells a function through which every request of a client goes, when it makes another request of it. */
export function tellHook(run: Run, hook: Value, node: Node): void {
  for (const one of hook) {
    if (one.k !== 'function') continue
    const request = { ...thing(), rest: unknown('computed') }
    const given = callUnknown(run, one, [request])
    const isOther = given.some((made) => made.k !== 'primitive' && made.k !== 'any' && made !== request)
    if (isOther || [...request.props.keys()].some((key) => !HARMLESS.has(key)))
      run.sink.danger('opaque_sender', lineOf(node), 'a hook that makes another request')
  }
}

/** The hooks in the options of a client, and what stands in for its connections. */
export function tellHooks(run: Run, options: Value, node: Node): void {
  for (const one of options) {
    if (one.k !== 'thing' || one.role !== null) continue
    for (const key of ['dispatcher', 'agent', 'fetch', 'adapter'])
      if (one.props.has(key)) tellDispatcher(run, one.props.get(key) ?? [], node)
    for (const key of ['hooks', 'onRequest', 'transformRequest', 'interceptors']) {
      const hooks = one.props.get(key)
      if (hooks !== undefined && !isUndefined(hooks)) tellAll(run, hooks, node, 0)
    }
  }
}

function tellAll(run: Run, hooks: Value, node: Node, depth: number): void {
  for (const one of hooks) {
    if (one.k === 'function') tellHook(run, [one], node)
    if (depth > 2) continue
    if (one.k === 'items') for (const item of one.items) tellAll(run, item, node, depth + 1)
    if (one.k === 'thing')
      for (const [key, item] of one.props)
        if (!/^(?:after|on)?Response|Error|Retry$/i.test(key)) tellAll(run, item, node, depth + 1)
  }
}

/** A connection that is the program's own, or leads through another server. */
export function tellDispatcher(run: Run, dispatcher: Value, node: Node, isGlobal = false): void {
  const isOwn = dispatcher.some(
    (one) =>
      (one.k === 'thing' &&
        (one.made !== null ||
          [...one.props.keys()].some((key) => key !== ' origin') ||
          one.role === 'Proxy')) ||
      one.k === 'function' ||
      (isGlobal && one.k === 'any'),
  )
  if (isOwn) run.sink.danger('opaque_sender', lineOf(node), 'a connection of its own')
}
