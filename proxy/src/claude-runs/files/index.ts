export { createAppFileStore } from './app-file-store.ts'
export { type AppFiles, createAppFiles, FILE_TTL_SECONDS } from './files.ts'
export type { AppFile } from './ports.ts'
