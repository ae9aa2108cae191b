export type { Session } from './ports.ts'
export { type ConsoleAddress, sessionRoutes } from './session-routes.ts'
export { createSessionStore } from './session-store.ts'
export { createSessions, type OpenedSession, type Sessions } from './sessions.ts'
