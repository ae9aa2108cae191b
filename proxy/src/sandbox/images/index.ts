export { type EngineThings, findEngineThings, removeEngineThings } from './engine-things.ts'
export { buildImages, IMAGE_NAMES } from './image-build.ts'
