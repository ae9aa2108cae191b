import { performServerHandshake, type ServerHttp2Stream } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Arrival } from './egress-endpoint.ts'
import type { Exchanges } from './exchange.ts'
import { Http2Request, Http2Response } from './http2-ends.ts'

const MAX_STREAMS = 128
const MAX_HEADER_BYTES = 32 * 1_024

/**
 * Serves a tunnel whose code speaks HTTP/2 alone, as clients of gRPC do; what also speaks HTTP/1.1 speaks that. Each stream is a
 * request like any other.
 */
export function serveHttp2(socket: TLSSocket, arrival: Arrival, exchanges: Pick<Exchanges, 'request'>): void {
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES },
    // A host may send a field twice that Node would send once only: it throws for that.
    strictSingleValueFields: false,
  })
  session.on('error', () => socket.destroy())
  session.on('stream', (stream: ServerHttp2Stream, headers, _flags, rawHeaders: string[]) => {
    stream.on('error', () => {})
    const request = new Http2Request(stream, rawHeaders)
    const response = new Http2Response(stream)
    // What still comes when the answer is out is read and dropped.
    response.once('finish', () => request.resume())
    const { expect } = headers
    exchanges.request(
      request,
      response,
      arrival,
      expect === undefined ? 'none' : expect === '100-continue' ? 'continue' : 'unknown',
    )
  })
  // The handshake is done. Node takes that from its own servers, and waits for this event with every other socket.
  socket.emit('secureConnect')
}
