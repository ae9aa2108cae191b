/**
 * The way from a process on the host to its endpoint. Deno takes a proxy by URL, and a port of loopback is open to every user
 * of the host: so whoever connects says a word first that only this run's process was given.
 */

import { randomBytes } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { equalInConstantTime } from '../../../kernel/index.ts'

export interface EmbeddedRelay {
  /** With the credentials in it; for the environment of the one process. */
  readonly proxyUrl: string
  /** `address:port` */
  readonly address: string
  close(): void
}

const LISTEN_HOST = '127.0.0.1'
const USER = 'run'
const MAX_HEAD_BYTES = 64 * 1_024
const HEAD_TIMEOUT_MS = 10_000
const MAX_CONNECTIONS = 128
const HEAD_END = '\r\n\r\n'

export async function openRelay(socketPath: string): Promise<EmbeddedRelay> {
  const word = randomBytes(24).toString('hex')
  const credentials = Buffer.from(Buffer.from(`${USER}:${word}`).toString('base64'))
  const open = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    open.add(socket)
    return socket.on('error', () => {}).on('close', () => open.delete(socket))
  }
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    keep(near)
    readHead(near, (head) => {
      if (!knows(head, credentials)) {
        near.end(
          'HTTP/1.1 407 Proxy Authentication Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
        )
        return
      }
      const far = keep(connect({ path: socketPath, allowHalfOpen: true }))
      far.write(head)
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.pipe(to)
        from.on('close', () => {
          if (!from.readableEnded || !from.writableFinished) to.destroy()
        })
      }
    })
  })
  server.maxConnections = MAX_CONNECTIONS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, LISTEN_HOST, resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the relay has no port')
  return {
    proxyUrl: `http://${USER}:${word}@${LISTEN_HOST}:${address.port}`,
    address: `${LISTEN_HOST}:${address.port}`,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

/** Gives everything that has come once a request's head is whole; a connection that never says one is ended. */
function readHead(socket: Socket, take: (head: Buffer) => void): void {
  const giveUp = setTimeout(() => socket.destroy(), HEAD_TIMEOUT_MS)
  socket.once('close', () => clearTimeout(giveUp))
  let seen = Buffer.alloc(0)
  const read = (bytes: Buffer): void => {
    seen = Buffer.concat([seen, bytes])
    if (!seen.includes(HEAD_END)) {
      if (seen.length > MAX_HEAD_BYTES) socket.destroy()
      return
    }
    clearTimeout(giveUp)
    socket.off('data', read)
    socket.pause()
    take(seen)
  }
  socket.on('data', read)
}

function knows(bytes: Buffer, credentials: Buffer): boolean {
  const head = bytes.subarray(0, bytes.indexOf(HEAD_END)).toString('latin1')
  return equalInConstantTime(/^proxy-authorization: *basic +(\S+) *$/im.exec(head)?.[1] ?? '', credentials)
}
