import type { Node } from './ast.ts'
import { letEscape } from './escapes.ts'
import { callUnknown } from './functions.ts'
import { branch, join, type Run, spend } from './run.ts'
import { keepsSecret } from './texts.ts'
import { type Alternative, anything, mixed, UNDEFINED, type Value } from './values.ts'

const DEEPEST = 2

/** The functions that are handed over, by themselves or as methods: what they are called is not for the program to say. */
function functionsIn(run: Run, value: Value, depth: number): Value {
  return value.flatMap((one): Value => {
    if (one.k === 'function' || one.k === 'bound') return [one]
    if (one.k !== 'thing' || depth >= DEEPEST) return []
    spend(run, one.props.size >> 4)
    for (const method of one.made?.methods.values() ?? []) run.names.delete(method.node)
    return [...one.props.values()].flatMap((inner) => functionsIn(run, inner, depth + 1))
  })
}

/** A call to unknown code, over-approximated: callbacks are called with what it holds, and its result is made of all of it. */
export function opaque(
  run: Run,
  self: Alternative | null,
  key: string | null,
  args: readonly Value[],
  node: Node,
): Value {
  const all = self === null ? args : [[self], ...args]
  const made = mixed(all)
  const given = self !== null && self.k === 'any' ? mixed([[self]]) : made
  for (const arg of args) letEscape(run, arg, node)
  const callbacks = args.flatMap((arg) => functionsIn(run, arg, 0))
  const results: Value[] = []
  for (const callback of callbacks) {
    const value = anything(given.from, { secrets: given.secrets, hidden: given.hidden })
    // It may be called, or not, or later: what it sets is one of the things that may be.
    const called = branch(run, () => {
      if (callback.k === 'function') results.push(callUnknown(run, callback, value))
      else run.call([callback], UNDEFINED, [value], node)
      return false
    })
    join(run, [called, { ended: false, writes: [] }])
  }
  if (made.secrets.length > 0 && !(key !== null && keepsSecret(key))) {
    const isPackage = self?.k === 'any' && (self.role === 'package' || self.role === 'sender')
    run.sink.secretGoes(made.secrets, isPackage ? 'unknown' : 'computed')
  }
  const { from, secrets, hidden } = mixed([[made], ...results])
  const role = self?.k === 'any' && (self.role === 'package' || self.role === 'sender') ? self.role : null
  return [
    role === null && secrets.length === 0 && hidden === null
      ? mixed([anything(from)])
      : { ...made, from, secrets, hidden, role },
  ]
}
