export { createProgramReader } from './program-reader.ts'
