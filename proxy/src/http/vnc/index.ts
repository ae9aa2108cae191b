export { createVncRow } from './vnc.ts'
