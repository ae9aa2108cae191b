import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { BareStart } from './llm-bare.ts'
import { answerAsPeer } from './peers.ts'

/**
 * What Node's sockets cost alone: the key is put into each head, and every other byte is copied as it comes. Nothing is read, framed,
 * searched or counted: a relay on these sockets takes at least this.
 */
async function playCopy({ port, authorization }: BareStart): Promise<number> {
  const free: Upstream[] = []
  const server = createServer({ noDelay: true }, (client) => {
    let upstream: Upstream | undefined
    client.on('error', () => {})
    client.on('close', () => {
      if (upstream?.client === client) upstream.socket.destroy()
    })
    client.on('data', (bytes) => {
      if (!bytes.subarray(0, BEGINNING.length).equals(BEGINNING)) {
        upstream?.socket.write(bytes)
        return
      }
      // An answer of a length is not searched for its end: its connection is its client's for good.
      if (upstream?.client !== client) upstream = free.pop() ?? new Upstream(port, free)
      upstream.client = client
      const head = bytes.toString('latin1').replace(/\r\nauthorization: [^\r]*/i, '')
      upstream.socket.write(head.replace('\r\n', `\r\nauthorization: ${authorization}\r\n`), 'latin1')
    })
  })
  server.listen(0, '127.0.0.1', 1_024)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

const BEGINNING = Buffer.from('POST ')
/** Of a body in chunks (RFC 9112, 7.1). */
const END = Buffer.from('0\r\n\r\n')

/** A connection that is kept for the next request once an answer has come to its end. */
class Upstream {
  readonly socket: Socket
  client: Socket | undefined

  constructor(port: number, free: Upstream[]) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => {})
    this.socket.on('data', (bytes) => {
      this.client?.write(bytes)
      if (!bytes.subarray(-END.length).equals(END)) return
      this.client = undefined
      free.push(this)
    })
  }
}

if (import.meta.main) answerAsPeer(async (_role, message) => await playCopy(message as BareStart))
