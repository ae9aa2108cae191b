import type { CodeFacts } from '../../facts/index.ts'
import { externalBases } from './attributes.ts'
import { callValue } from './calls.ts'
import { runBody } from './execute.ts'
import { Unreadable } from './limits.ts'
import { newMachine } from './machine.ts'
import { noteWriting } from './names.ts'
import { parsePython } from './parse.ts'
import { createRecorder, type Recorder } from './recorder.ts'
import type { Program } from './syntax.ts'
import { unfollowedAt } from './unfollowed.ts'
import type { ObjectAlt } from './values.ts'

/**
 * What a Python 3 program can be seen to do. Pure and synchronous: no part of the program is run. A program that does
 * not parse, or is beyond the limits of the reader, is `readable: false` with the danger `unreadable_code`; what was found
 * until then is kept.
 */
export function readPython(code: string): CodeFacts {
  // Python itself reads every kind of line end as one, and leaves a byte order mark out.
  const text = code.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const recorder = createRecorder(text)
  try {
    const program = parsePython(text)
    noteWriting(recorder, program)
    const machine = newMachine(recorder, callValue, runBody)
    machine.run(machine.globals, program.body)
    // What nothing was seen to call may still be called: by a library, or by a name that is computed.
    for (let index = 0; index < machine.made.length; index++) {
      const { fn, call } = machine.made[index] as (typeof machine.made)[number]
      if (machine.called.has(fn)) continue
      machine.hidden.length = 0
      const owner = machine.owners.get(fn)
      const hooked =
        fn.name === 'lambda' ||
        fn.name.startsWith('__') ||
        (owner !== undefined && externalBases(owner).length > 0)
      const named =
        owner === undefined ? (program.words.get(fn.name)?.length ?? 0) > 1 : machine.openNames.has(fn.name)
      recorder.unused(!hooked && !named && !machine.decorated.has(fn))
      if (owner === undefined) {
        call()
        continue
      }
      const fresh: ObjectAlt = { t: 'object', of: owner, attributes: new Map() }
      for (const object of owner.objects.length === 0 ? [fresh] : owner.objects.slice(0, 4)) {
        for (const member of owner.members.values()) {
          for (const alt of member)
            if (alt.t === 'function' && alt.fn === fn)
              machine.call([{ ...alt, self: alt.kind === 'static' ? null : [object] }], null, fn.at, null)
        }
      }
    }
    noteUnfollowed(recorder, text, program)
    return recorder.facts(true)
  } catch (error) {
    const at = error instanceof Unreadable ? error.at : 0
    recorder.danger(
      'unreadable_code',
      Math.min(at, Math.max(0, text.length - 1)),
      error instanceof Unreadable ? error.detail : 'is too much to follow',
    )
    return recorder.facts(false)
  }
}

/** Where something changes requests behind the lines, any request to any approved host may be sent. */
function noteUnfollowed(recorder: Recorder, text: string, program: Program): void {
  for (const word of ['get_type_hints', 'ForwardRef', 'evaluate_forward_ref']) {
    const [first] = program.words.get(word) ?? []
    if (first !== undefined) recorder.danger('code_from_text', first, `${word} evaluates texts`)
  }
  const at = unfollowedAt(text, program.words)
  if (at === -1) return
  recorder.unused(false)
  recorder.request({
    line: recorder.lineOf(at),
    host: null,
    method: null,
    path: null,
    websocket: false,
    graphql: null,
    hostFrom: 'computed',
    methodFrom: 'computed',
    pathFrom: 'computed',
  })
}
