/** HTTP/1.1 over sockets, for the paths that are asked most: a strict reader, a server and a pool, without node:http and undici. */
export type { BodyExpectation, MessageHead, MessageProblem, MessageSink } from './message.ts'
export { MessageReader } from './reader.ts'
export { type Http1Connections, type ServerOptions, serveHttp1 } from './server.ts'
export { MalformedAnswer } from './upstream-connection.ts'
export { Http1Pool } from './upstream-pool.ts'
