export { createImportEngine, type ImportEngine } from './import-resolver.ts'
