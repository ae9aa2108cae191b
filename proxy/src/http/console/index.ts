export { type Console, createConsole } from './console.ts'
export type { ConsoleTenant } from './tenant.ts'
