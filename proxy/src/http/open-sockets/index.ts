export { createOpenSockets, type OpenSocket, type OpenSockets } from './open-sockets.ts'
