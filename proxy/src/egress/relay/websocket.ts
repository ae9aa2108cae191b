import { type ClientRequest, request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { inLaterTurn, type Scrubber } from '../../scrub/index.ts'
import {
  type ApprovedAddresses,
  createFrameScrubber,
  type EgressDial,
  EgressDialError,
  type FrameRewriter,
  prepareResponse,
} from '../index.ts'
import type { EarlyBytes } from './early-bytes.ts'

/** Why nothing came of a WebSocket. */
type WebSocketRefusal = EgressDialError['reason'] | 'answer_unreadable'

export interface WebSocketOpening {
  readonly socket: Socket
  /** What the client sent behind the head of its request; whoever reads it notices that the client leaves. */
  readonly early: EarlyBytes
  readonly target: { readonly scheme: 'https' | 'http'; readonly host: string; readonly port: number }
  readonly approved: ApprovedAddresses
  readonly method: string
  /** Path and query. */
  readonly path: string
  /** Flat name, value …, `connection` and `upgrade` among them. */
  readonly headers: readonly string[]
  /** Looks for secrets in what comes back; null where there are none. */
  readonly scrubber: Scrubber | null
  /** What the client's frames go through; they pass as they are without it. */
  readonly sent?: FrameRewriter | null
  readonly dial: EgressDial
  readonly onStatus: (status: number) => void
  readonly onRequestBytes: (bytes: number) => void
  readonly onResponseBytes: (bytes: number) => void
  /** Nothing was answered yet: the caller says why. */
  readonly refuse: (why: WebSocketRefusal) => void
  readonly fail: (error: unknown) => void
}

/**
 * A WebSocket has an upstream connection of its own. What comes back is searched frame by frame, and so is what the client sends
 * where something may have to be put in. Both ends end together.
 */
export function openWebSocket(opening: WebSocketOpening): void {
  const { socket, target, dial, fail } = opening
  const left = new AbortController()
  let isSettled = false
  socket.once('close', () => left.abort(new Error('the client left')))
  const handshake: Handshake = {
    refuse(why) {
      if (isSettled) return void socket.destroy()
      isSettled = true
      opening.refuse(why)
    },
    answer(status, headers) {
      isSettled = true
      opening.onStatus(status)
      writeHead(socket, status, headers)
    },
  }

  const way = target.scheme === 'https' ? 'dialTls' : 'dial'
  dial[way](target, opening.approved, left.signal).then(
    (upstream) => {
      socket.once('close', () => upstream.destroy())
      upstream.once('close', () => socket.destroySoon())
      try {
        shakeHands(opening, upstream, handshake)
      } catch (error) {
        upstream.destroy()
        fail(error)
      }
    },
    (error: unknown) => {
      if (!socket.destroyed) handshake.refuse(error instanceof EgressDialError ? error.reason : 'unreachable')
    },
  )
}

interface Handshake {
  refuse(why: WebSocketRefusal): void
  answer(status: number, headers: readonly string[]): void
}

function shakeHands(opening: WebSocketOpening, upstream: Socket, { refuse, answer }: Handshake): void {
  const { method, path, headers, socket } = opening
  const asked: ClientRequest = httpRequest({
    createConnection: () => upstream,
    method,
    path,
    headers: [...headers],
    setHost: false,
  })
  asked.on('error', () => refuse('unreachable'))
  asked.once('upgrade', (told, _socket, head) => {
    const given = headersFor(opening, told, true)
    if (given === null || told.statusCode !== 101) return refuse('answer_unreadable')
    answer(101, given.headers)
    connectBoth(opening, upstream, head)
  })
  // The upstream would rather not: its answer is an ordinary one, and the last on this connection.
  asked.once('response', (told) => {
    const given = headersFor(opening, told, false)
    if (given === null) return refuse('answer_unreadable')
    answer(told.statusCode ?? 502, [...given.headers, 'connection', 'close'])
    told.on('data', (chunk: Buffer) => opening.onResponseBytes(chunk.length))
    pipeline([told, ...given.transforms(), socket], () => upstream.destroy())
  })
  asked.end()
}

function headersFor({ scrubber }: WebSocketOpening, answer: IncomingMessage, websocket: boolean) {
  const prepared = prepareResponse({
    scrubber,
    status: answer.statusCode ?? 502,
    rawHeaders: answer.rawHeaders,
    method: 'GET',
    websocket,
  })
  return 'refused' in prepared ? null : prepared
}

function writeHead(socket: Socket, status: number, headers: readonly string[]): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`]
  for (let at = 0; at + 1 < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

const NO_BYTES = new Uint8Array(0)

function connectBoth(opening: WebSocketOpening, upstream: Socket, head: Buffer): void {
  const { socket, scrubber } = opening
  const frames = scrubber === null ? null : createFrameScrubber(scrubber)
  const giveBack = (chunk: Buffer): void => {
    opening.onResponseBytes(chunk.length)
    giveOn(chunk)
  }
  const giveOn = (chunk: Uint8Array): void => {
    let clean: Uint8Array
    try {
      clean = frames === null ? chunk : frames.push(chunk)
    } catch {
      // Bytes that cannot be searched are not given on.
      return void socket.destroy()
    }
    if (clean.length > 0) socket.write(clean)
    if (frames?.isWaiting === true) {
      upstream.pause()
      inLaterTurn(() => (socket.destroyed ? undefined : giveOn(NO_BYTES)))
    } else if (socket.writableNeedDrain) {
      upstream.pause()
      socket.once('drain', () => upstream.resume())
    } else if (upstream.isPaused()) upstream.resume()
  }
  const sendOn = (chunk: Buffer): void => {
    opening.onRequestBytes(chunk.length)
    let placed: Uint8Array
    try {
      placed = opening.sent?.push(chunk) ?? chunk
    } catch {
      // What cannot be read as frames could carry anything.
      return void socket.destroy()
    }
    if (placed.length === 0 || upstream.write(placed)) return
    socket.pause()
    upstream.once('drain', () => socket.resume())
  }
  const early = opening.early.take()
  upstream.on('data', giveBack)
  socket.on('data', sendOn)
  upstream.once('end', () => socket.destroySoon())
  socket.once('end', () => upstream.destroySoon())
  socket.resume()
  if (early.length > 0) sendOn(early)
  if (head.length > 0) giveBack(head)
}
