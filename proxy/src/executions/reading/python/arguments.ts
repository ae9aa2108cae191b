import { join, mergeTaints, NOTHING, type Taint, taint, taintOf, type Value } from './values.ts'

/** The arguments of one call. `rest` and `restNamed` are what unpacked arguments may hold. */
export interface Call {
  readonly args: readonly Value[]
  readonly named: ReadonlyMap<string, Value>
  readonly rest: Value
  readonly restNamed: Value
}

/** `fn()`. */
export const NO_ARGUMENTS: Call = { args: [], named: new Map(), rest: NOTHING, restNamed: NOTHING }

/** Every value that a call gives. */
export function allArguments(call: Call): Value[] {
  return [...call.args, ...call.named.values(), call.rest, call.restNamed]
}

/** What a parameter gets, by place or name. */
export const argument = (call: Call, place: number, name: string): Value =>
  call.named.get(name) ?? call.args[place] ?? join(place >= 0 ? call.rest : NOTHING, call.restNamed)

/** Where the data of all arguments comes from. */
export function taintOfCall(call: Call): Taint {
  let of = taint(0)
  for (const value of allArguments(call)) of = mergeTaints(of, taintOf(value))
  return of
}
