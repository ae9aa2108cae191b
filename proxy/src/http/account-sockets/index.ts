export { type AccountSockets, createAccountSockets } from './account-sockets.ts'
export { CLOSE } from './closes.ts'
export { closeSoon } from './open-sockets.ts'
export type { SocketCall, SocketRow } from './rows.ts'
