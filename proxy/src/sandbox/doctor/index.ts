export { createEngineCheck, type EngineCheck } from './engine-check.ts'
export { createIsolationChecks } from './isolation.ts'
