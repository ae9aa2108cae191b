import type { CodeFacts } from '../../facts/index.ts'
import { parseProgram } from './ast.ts'
import { interpret } from './interpret.ts'
import { createLook } from './look.ts'
import { resolveNames } from './scope.ts'
import { createSink } from './sink.ts'

/**
 * Reads a JavaScript or TypeScript program without running any of it: the requests that it can be seen to make, what is
 * dangerous in it, where its secrets go, what it imports. Pure and synchronous; it never throws. Time grows with the
 * length of the program and is bounded by a number of steps, behind which a request of any kind stands for the rest.
 */
export function readJavaScript(code: string): CodeFacts {
  const sink = createSink()
  let readable = true
  const unreadable = (why: string): void => {
    readable = false
    sink.danger('unreadable_code', 1, why)
  }
  try {
    const program = parseProgram(code)
    if (typeof program === 'string') unreadable(program)
    else {
      const look = createLook(code, sink, program.mentioned)
      resolveNames(program, look.visit)
      look.finish()
      interpret(program, sink, code.length)
    }
  } catch (error) {
    unreadable(error instanceof RangeError ? 'nested too deeply' : 'beyond the limits of the reader')
  }
  return sink.facts(readable)
}
