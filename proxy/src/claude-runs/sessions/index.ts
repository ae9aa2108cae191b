export type { RunSessionRow } from './ports.ts'
export { createRunSessionStore } from './run-session-store.ts'
export { createRunSessions, type RunSessions, type SessionWish } from './run-sessions.ts'
