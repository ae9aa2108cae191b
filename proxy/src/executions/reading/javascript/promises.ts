import { anything, builtin, items, union, type Value } from './values.ts'

/** What a promise is settled with by the function that is handed to `start`. */
export function promised(start: (resolve: Value) => void): Value {
  const given = items([])
  start(builtin('resolve', given))
  const [list] = given
  return list?.k === 'items' && list.items.length > 0
    ? union(...list.items.slice(0, 32))
    : anything('computed')
}
