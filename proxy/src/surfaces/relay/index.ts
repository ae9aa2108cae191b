export { openPool } from './pool.ts'
export { relay } from './relay.ts'
export { drain, streamed } from './streamed-body.ts'
export { openWebSocket } from './websocket.ts'
