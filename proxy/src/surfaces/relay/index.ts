export { relay } from './relay.ts'
export { type BodyRewriter, streamed } from './streamed-body.ts'
export { openWebSocket } from './websocket.ts'
