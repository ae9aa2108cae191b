export { createCloudbotRow } from './cloudbot.ts'
