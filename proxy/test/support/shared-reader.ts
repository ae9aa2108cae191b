import type { ProgramReader } from '../../src/executions/facts/index.ts'
import { createProgramReader } from '../../src/executions/program-reader/index.ts'

let reader: ProgramReader | undefined

/** One for all daemons of a file: its processes take longer to start than most tests take to run. They end with this process. */
export const sharedReader = (): ProgramReader => {
  reader ??= createProgramReader()
  return reader
}
