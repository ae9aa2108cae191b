export { createSandbox, type SandboxOptions } from './create-sandbox.ts'
export { type BuiltImage, buildImages, type ImageBuildOptions } from './image-build.ts'
