export type { AdminHandlers, Owner } from './handlers.ts'
