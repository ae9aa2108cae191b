export { createOpenSockets, type OpenSocket } from './open-sockets.ts'
