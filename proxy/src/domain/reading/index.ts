/** Reads programs. Only the worker that reads them opens this room: its parsers are large, and hostile code is their input. */
export { readProgram } from './read-program.ts'
