/** Reads programs. Only the worker that reads them imports this module: its parsers are large, and hostile code is their input. */
export { readProgram } from './read-program.ts'
