export { createSandbox } from './create-sandbox.ts'
export { buildImages } from './image-build.ts'
export { createImportResolver } from './import-resolver.ts'
export { createWallChecks } from './walls.ts'
