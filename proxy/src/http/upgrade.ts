import type { IncomingMessage } from 'node:http'

/** The one upgrade that is served (RFC 6455, 4.2.1). Of any other an ordinary request is made (RFC 9110, 7.8). */
export const isWebSocketUpgrade = (request: IncomingMessage): boolean =>
  request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket'
