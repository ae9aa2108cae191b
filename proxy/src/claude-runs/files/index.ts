export { createAppFileStore } from './app-file-store.ts'
export { type AppFiles, createAppFiles, FILE_TTL_SECONDS, plainFileName } from './files.ts'
export type { AppFile } from './ports.ts'
