export { createSandbox } from './create-sandbox.ts'
export { buildImages } from './image-build.ts'
export { createImportResolver, type ImportResolverOptions } from './import-resolver.ts'
export { createWallChecks } from './walls.ts'
