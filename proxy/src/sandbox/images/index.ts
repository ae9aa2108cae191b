export { type EngineThings, findEngineThings, removeEngineThings } from './engine-things.ts'
export { fetchPackages } from './fetch-packages.ts'
export { buildImages, IMAGE_NAMES } from './image-build.ts'
