export { openPool } from './pool.ts'
export { type Relayed, type Relaying, relay } from './relay.ts'
export { drain, streamed } from './streamed-body.ts'
export { openWebSocket } from './websocket.ts'
