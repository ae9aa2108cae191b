export { createBackgroundPool } from './background.ts'
