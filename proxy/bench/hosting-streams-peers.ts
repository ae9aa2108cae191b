/**
 * The processes of the bench of streams into machines: the machine's end, which pours bytes at a unix socket; the daemon; a bare copy; and the
 * client. Each is started by `fork` with its role as argument, takes one kind of message and answers each with one.
 */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { PlayedDaemon } from './hosting-streams-daemon.ts'
import { answerAsPeer } from './peers.ts'

/** Where the machine's end listens below the folder: `bare` pours at once, `front` behind the head of an upgrade, as images do. */
export const SOCKET = { bare: 'bare.sock', front: 'front.sock' } as const

export interface ClientJob {
  readonly port: number
  /** Opens it by the head of an upgrade; null: bytes come at once. */
  readonly upgrade: { readonly path: string; readonly authorization: string | null } | null
  readonly bytes: number
}

export interface ClientResult {
  /** From the first byte to the last. */
  readonly ms: number
}

/** How the daemon's two streams are opened; an address is good once. */
export interface DaemonAnswer {
  readonly port: number
  readonly vnc: NonNullable<ClientJob['upgrade']>
  readonly cdp: NonNullable<ClientJob['upgrade']>
}

/** As much as a pipe of Node's reads at once, so that it is what fronts of images pass on. */
const CHUNK = Buffer.alloc(65_536, 'a picture of a desktop, or an answer of a browser\n')
const READ_BYTES = 262_144
/** Of the front of a browser's image. */
const VERSION = {
  ...{ Browser: 'Chrome/156', 'Protocol-Version': '1.3', 'User-Agent': 'played' },
  ...{ 'V8-Version': '15', 'WebKit-Version': '537' },
}

function pour(socket: Socket): void {
  socket.on('error', () => {})
  const more = (): void => {
    while (!socket.destroyed && socket.write(CHUNK));
    if (!socket.destroyed) socket.once('drain', more)
  }
  more()
}

async function listening(server: Server, at: string | number): Promise<AddressInfo> {
  server.listen(at as number, typeof at === 'number' ? '127.0.0.1' : undefined)
  await once(server, 'listening')
  return server.address() as AddressInfo
}

async function playMachine(folder: string): Promise<null> {
  const front = createHttpServer((_request, response) => response.end(JSON.stringify(VERSION)))
  front.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n')
    pour(socket as Socket)
  })
  await listening(createServer(pour), join(folder, SOCKET.bare))
  await listening(front, join(folder, SOCKET.front))
  return null
}

/** A copy of bytes and nothing else. */
async function playCopy(folder: string): Promise<number> {
  const server = createServer((near) => {
    const far = connect(join(folder, SOCKET.bare))
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const)
      from.on('error', () => {}).once('close', () => to.destroy())
    far.pipe(near)
    near.pipe(far)
  })
  return (await listening(server, 0)).port
}

/** Counts bytes as they come into one buffer, and nothing else: what it takes is missing from what is measured. Open until the next. */
function createClient(): (job: ClientJob) => Promise<ClientResult> {
  let last: Socket | undefined
  return async ({ port, upgrade, bytes }) => {
    if (last !== undefined && !last.closed) {
      last.destroy()
      await once(last, 'close')
    }
    return await new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(why))
      const buffer = Buffer.alloc(READ_BYTES)
      let isOpen = upgrade === null
      let got = 0
      let began = 0
      const callback = (length: number): boolean => {
        if (!isOpen) {
          const [status = ''] = buffer.toString('latin1', 0, length).split('\r\n')
          isOpen = status.includes(' 101 ')
          if (!isOpen) fail(`it was not opened: ${status}`)
          return isOpen
        }
        if (got === 0) began = performance.now()
        got += length
        if (got >= bytes) resolve({ ms: performance.now() - began })
        return got < bytes
      }
      const socket = connect({ port, host: '127.0.0.1', onread: { buffer, callback } })
      last = socket
      socket.once('close', () => fail(`it ended behind ${got} bytes`)).on('error', () => {})
      if (upgrade !== null) socket.once('connect', () => socket.write(headOf(port, upgrade)))
    })
  }
}

const headOf = (port: number, { path, authorization }: NonNullable<ClientJob['upgrade']>): string =>
  [
    ...[`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, 'Connection: Upgrade', 'Upgrade: websocket'],
    ...[
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol: binary',
    ],
    ...(authorization === null ? [] : [`Authorization: ${authorization}`]),
    '\r\n',
  ].join('\r\n')

if (import.meta.main) {
  let daemon: PlayedDaemon | undefined
  const client = createClient()
  answerAsPeer(
    async (role, message) => {
      if (role === 'machine') return await playMachine(message as string)
      if (role === 'copy') return await playCopy(message as string)
      if (role === 'client') return await client(message as ClientJob)
      if (daemon === undefined) {
        const { playDaemon } = await import('./hosting-streams-daemon.ts')
        daemon = await playDaemon(message as string)
      }
      return await daemon.open()
    },
    async () => await daemon?.[Symbol.asyncDispose](),
  )
}
