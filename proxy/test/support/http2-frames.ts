import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { createTestCa } from './test-ca.ts'

/** Frames of HTTP/2 (RFC 9113, 6), for hosts that say what no library would let them say. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export const DATA = 0
export const HEADERS = 1
const RST_STREAM = 3
const SETTINGS = 4
export const PING = 6
const GOAWAY = 7
const WINDOW_UPDATE = 8
export const END_STREAM = 1
const ACK = 1
export const END_HEADERS = 4
const HEAD_BYTES = 9
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function uint32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4)
  return bytes
}

/** `:status: 200` alone, by its place in the static table (RFC 7541, appendix A). */
export const ok = (stream: number, flags = 0): Buffer =>
  frame(HEADERS, END_HEADERS | flags, stream, Buffer.from([0x88]))
export const data = (stream: number, content: string | Buffer, flags = 0): Buffer =>
  frame(DATA, flags, stream, Buffer.from(content as string))
export const reset = (stream: number, code: number): Buffer => frame(RST_STREAM, 0, stream, uint32(code))
export const goAway = (last: number, code: number): Buffer => frame(GOAWAY, 0, 0, uint32(last, code))
export const windowUpdate = (stream: number, bytes: number): Buffer =>
  frame(WINDOW_UPDATE, 0, stream, uint32(bytes))
export const settings = (values: Readonly<Record<number, number>>): Buffer =>
  frame(
    SETTINGS,
    0,
    0,
    Buffer.concat(
      Object.entries(values).map(([id, value]) => {
        const setting = Buffer.alloc(6)
        setting.writeUInt16BE(Number(id), 0)
        setting.writeUInt32BE(value, 2)
        return setting
      }),
    ),
  )
/** SETTINGS_INITIAL_WINDOW_SIZE. */
export const INITIAL_WINDOW = 4

export interface FrameHost extends AsyncDisposable {
  readonly ca: string
  readonly port: number
  readonly connections: TLSSocket[]
}

/** A host that answers SETTINGS and PING, and leaves everything else to `said`. */
export async function startFrameHost(
  name: string,
  said: (frame: Frame, socket: TLSSocket) => void,
  values: Readonly<Record<number, number>> = {},
): Promise<FrameHost> {
  const ca = createTestCa()
  const connections: TLSSocket[] = []
  const server = createServer({ ...ca.issue([name]), ALPNProtocols: ['h2'] }, (socket) => {
    connections.push(socket)
    socket.on('error', () => {})
    socket.write(settings(values))
    let left = Buffer.alloc(0)
    let toSkip = PREFACE.length
    socket.on('data', (chunk) => {
      left = Buffer.concat([left, chunk])
      if (left.length < toSkip) return
      left = left.subarray(toSkip)
      toSkip = 0
      while (left.length >= HEAD_BYTES) {
        const end = HEAD_BYTES + left.readUIntBE(0, 3)
        if (left.length < end) return
        const [type = 0, flags = 0] = left.subarray(3, 5)
        const came = { type, flags, stream: left.readUInt32BE(5), payload: left.subarray(HEAD_BYTES, end) }
        left = left.subarray(end)
        if (type === SETTINGS && (flags & ACK) === 0) socket.write(frame(SETTINGS, ACK, 0))
        else if (type === PING && (flags & ACK) === 0) socket.write(frame(PING, ACK, 0, came.payload))
        else said(came, socket)
      }
    })
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    ca: ca.certificate,
    port: (server.address() as AddressInfo).port,
    connections,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      server.close()
    },
  }
}
