export { type Console, createConsole } from './console.ts'
export { cookieHeader, readCookie } from './cookies.ts'
export { createOrigins, type Origins, type OriginsDeps } from './origins.ts'
export type { ConsoleTenant } from './tenant.ts'
