export { createDialler, type Dialler, type DiallerOptions, DialRefused } from './dialler.ts'
