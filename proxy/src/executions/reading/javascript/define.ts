import { setMember } from './assignments.ts'
import type { Node } from './ast.ts'
import { type Run, write } from './run.ts'
import { isUndefined, plainEntries } from './things.ts'
import { only, union, type Value } from './values.ts'

/** The constant name of a property that is handed over as a value: a text or a symbol of the platform's. */
export function nameOf(value: Value): string | null {
  const [one] = value
  if (value.length === 1 && one?.k === 'builtin' && one.name.startsWith('Symbol.')) return one.name
  return value.length === 1 && one?.k === 'primitive' ? String(one.value) : only(value)
}

/** Getters may answer differently each time: `Object.defineProperty(target, key, descriptor)` keeps a getter as one. */
export function define(run: Run, target: Value, key: string | null, descriptor: Value, node: Node): void {
  const own = target.filter((one) => one.k !== 'builtin')
  const accessors = (['get', 'set'] as const).map((kind) => ({
    kind,
    call: run.member(descriptor, kind, node),
  }))
  for (const { kind, call } of accessors) {
    if (isUndefined(call)) continue
    for (const one of own) {
      if (
        (one.k !== 'thing' && one.k !== 'class') ||
        key === null ||
        (one.k === 'thing' && one.role === 'Proxy')
      ) {
        if (kind === 'get') setMember(run, [one], key, run.call(call, [one], [], node), node)
        continue
      }
      const props = one.props as Map<unknown, Value>
      const old = one.props.get(`${kind} ${key}`)
      write(run, props, `${kind} ${key}`, old === undefined ? call : union(old, call))
      run.version++
    }
  }
  const value = run.member(descriptor, 'value', node)
  if (accessors.every(({ call }) => isUndefined(call)) || !isUndefined(value))
    setMember(run, own, key, value, node)
}

/** `Object.defineProperties(target, descriptors)`. */
export function defineAll(run: Run, target: Value, descriptors: Value, node: Node): void {
  const entries = plainEntries(run, descriptors, node)
  if (entries === null)
    setMember(
      run,
      target.filter((one) => one.k !== 'builtin'),
      null,
      run.member(descriptors, null, node),
      node,
    )
  else for (const [key, descriptor] of entries) define(run, target, key, descriptor, node)
}
