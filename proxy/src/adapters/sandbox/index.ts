export { createSandbox } from './create-sandbox.ts'
export { buildImages } from './image-build.ts'
