export { runInit } from './init.ts'
