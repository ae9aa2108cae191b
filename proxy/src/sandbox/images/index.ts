export { type EngineThings, findEngineThings, removeEngineThings } from './engine-things.ts'
export { buildImages } from './image-build.ts'
