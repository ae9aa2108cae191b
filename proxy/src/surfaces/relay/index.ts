export { relay } from './relay.ts'
export { streamed } from './streamed-body.ts'
export { openWebSocket } from './websocket.ts'
