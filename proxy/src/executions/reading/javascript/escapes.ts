import type { Node } from './ast.ts'
import { type Run, write } from './run.ts'
import { type Thing, thing, UNDEFINED, union, type Value } from './values.ts'

/** So many objects are watched for what may be set on them elsewhere. */
const MOST_ESCAPED = 64
const DEEPEST = 2

/** Parts of an object by which it says where a request goes. */
const OF_REQUESTS: ReadonlySet<string> = new Set(
  'method url path host hostname port pathname href search protocol origin baseURL prefixUrl body json'.split(
    ' ',
  ),
)

/**
 * Escape analysis: takes down the objects that a value hands to something that cannot be followed, as they may come back
 * from there.
 */
export function letEscape(run: Run, value: Value, node: Node, depth = 0): void {
  for (const one of value) {
    if (one.k === 'items') {
      if (depth < DEEPEST) for (const item of one.items.slice(0, 32)) letEscape(run, item, node, depth + 1)
    } else if (one.k === 'thing' && one.role !== 'Proxy' && !run.escaped.has(one)) {
      if (run.escaped.size >= MOST_ESCAPED) return
      run.escaped.add(one)
      for (const [key, set] of run.loose) setOn(run, one, key, set, node)
      if (depth < DEEPEST) for (const item of one.props.values()) letEscape(run, item, node, depth + 1)
    }
  }
}

/** `something.key = value`: that may be any of the objects that went out of sight, before or after. */
export function setSomewhere(run: Run, key: string | null, value: Value, node: Node): void {
  for (const name of key === null ? [] : [key]) {
    if (!OF_REQUESTS.has(name)) continue
    const old = run.loose.get(name)
    run.loose.set(name, old === undefined ? value : union(old, value))
    for (const one of run.escaped) setOn(run, one, name, value, node)
  }
}

function setOn(run: Run, one: Thing, key: string, value: Value, node: Node): void {
  run.version++
  // A second object makes it one of two things that may have happened.
  if (one.role === 'URL') run.set([one, thing()], key, value, node)
  else if (one.role === null)
    write(run, one.props as Map<unknown, Value>, key, union(one.props.get(key) ?? UNDEFINED, value))
}
