import { allArguments, type Call, taintOfCall } from './arguments.ts'
import type { Machine } from './machine.ts'
import { COMPUTED, mergeTaints, type Taint, taint, unknown, type Value } from './values.ts'

/** A call to unknown code, over-approximated: what goes in may come out, functions that go in may be called. */
export function callUnknown(machine: Machine, of: Taint, call: Call, at: number): Value {
  callBacks(machine, call, at, null)
  const all = mergeTaints(of, taintOfCall(call))
  return unknown(all.bits === 0 && all.secrets.length === 0 ? taint(COMPUTED) : all)
}

/** Calls the functions among the arguments, with `given` or with what nothing is known of. */
export function callBacks(machine: Machine, call: Call, at: number, given: Call | null): void {
  for (const value of allArguments(call)) {
    for (const alt of value) {
      if (alt.t === 'function' || alt.t === 'partial') machine.call([alt], given, at, null)
      else if (alt.t === 'bound' && alt.self.t === 'known' && given !== null)
        machine.call([alt], given, at, null)
    }
  }
}
