/**
 * Puts something else in place of what WebSocket messages hold (RFC 6455): payloads are read through frame borders and
 * written into frames anew. Nothing is held back but the end of a payload that may begin what is looked for.
 */

import { randomBytes } from 'node:crypto'
import type { Turn } from '../kernel/index.ts'
import { loopTurn, type Scrubber } from '../scrub/index.ts'

/** For what one end sends; one for each connection. */
export interface FrameRewriter {
  /** Whole frames that are safe to pass on. Throws WebSocketFrameError when the stream is not RFC 6455. */
  push(chunk: Uint8Array): Uint8Array
  /**
   * The turn of the event loop was over before all was read: `push` is to be called in a later one (`inLaterTurn`), with no
   * bytes, and nothing more is to be read from the upstream before.
   */
  readonly isWaiting: boolean
}

/** The bytes are not frames that can be searched; the connection has to be closed. */
export class WebSocketFrameError extends Error {
  constructor(problem: string) {
    super(`websocket: ${problem}`)
    this.name = 'WebSocketFrameError'
  }
}

const CONTINUATION = 0x0
const BINARY = 0x2
const CLOSE = 0x8
const PONG = 0xa
const FIN = 0x80
const MASKED = 0x80
const MAX_CONTROL_BYTES = 125
const CLOSE_CODE_BYTES = 2
const MASK_BYTES = 4

const NO_BYTES = new Uint8Array(0)

interface FrameHead {
  readonly isFinal: boolean
  readonly opcode: number
  readonly headBytes: number
  readonly payloadBytes: number
  /** Of a client's frame, which is masked; null of a server's. */
  readonly mask: Uint8Array | null
}

interface MessageRewriter {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
}

interface MessageSearch {
  /** False when the turn was over first: it is called again in a later one, with no bytes. */
  read(bytes: Uint8Array, out: Uint8Array[]): boolean
  end(): Uint8Array
}

interface Message {
  /** Of the next frame to be written. */
  opcode: number
  readonly search: MessageSearch
  /** Payload that is safe and not written yet. */
  ready: Uint8Array[]
}

/** Takes secrets out of what an upstream sends. */
export const createFrameScrubber = (scrubber: Scrubber, turn: Turn = loopTurn): FrameRewriter =>
  createFrameRewriter(
    {
      isClient: false,
      message() {
        const stream = scrubber.stream()
        return { read: (bytes, out) => stream.read(bytes, out, turn), end: () => stream.end() }
      },
    },
    (opcode, payload) => scrubControl(scrubber, opcode, payload),
  )

/** Puts values into what the code sends, message by message. Control frames are looked at, and go as they came: they have little room. */
export const createFramePlacer = (
  rewriterOf: (kind: 'message' | 'control') => MessageRewriter,
): FrameRewriter =>
  createFrameRewriter(
    {
      isClient: true,
      message() {
        const rewriter = rewriterOf('message')
        return {
          read(bytes, out) {
            out.push(rewriter.push(bytes))
            return true
          },
          end: () => rewriter.end(),
        }
      },
    },
    (_opcode, payload) => {
      rewriterOf('control').push(payload)
      return payload
    },
  )

function createFrameRewriter(
  { isClient, message: begin }: { readonly isClient: boolean; readonly message: () => MessageSearch },
  control: (opcode: number, payload: Buffer) => Uint8Array,
): FrameRewriter {
  /** A head, or a control frame, that has not come whole. */
  let partial: Buffer = Buffer.alloc(0)
  let frame: FrameHead | undefined
  /** Of the payload of `frame`, still to come. */
  let missing = 0
  /** Bytes of that payload that came before. */
  let taken = 0
  let message: Message | undefined
  let isClosed = false
  /** Payload that was taken is not read yet, so that nothing behind it can be. */
  let isWaiting = false

  const flush = (out: Uint8Array[], isFinal: boolean): void => {
    if (message === undefined) return
    const payload = Buffer.concat(message.ready)
    if (payload.length === 0 && !isFinal) return
    out.push(formatFrame(message.opcode, isFinal, payload, isClient))
    message.ready = []
    message.opcode = CONTINUATION
  }

  const beginData = (head: FrameHead): void => {
    if ((head.opcode === CONTINUATION) !== (message !== undefined)) {
      throw new WebSocketFrameError('a message began inside another, or goes on without a beginning')
    }
    message ??= { opcode: head.opcode, search: begin(), ready: [] }
    frame = head
    missing = head.payloadBytes
    taken = 0
  }

  const takeData = (bytes: Buffer, out: Uint8Array[]): number => {
    const fresh = bytes.subarray(0, missing)
    const plain = unmasked(fresh, frame?.mask ?? null, taken)
    missing -= fresh.length
    taken += fresh.length
    if (message !== undefined && plain.length > 0) read(message, plain)
    if (missing === 0 && !isWaiting) endFrame(out)
    return fresh.length
  }

  const read = ({ search, ready }: Message, bytes: Uint8Array): void => {
    isWaiting = !search.read(bytes, ready)
  }

  const endFrame = (out: Uint8Array[]): void => {
    if (message !== undefined && frame?.isFinal === true) {
      message.ready.push(message.search.end())
      flush(out, true)
      message = undefined
    }
    frame = undefined
  }

  const takeControl = (head: FrameHead, payload: Buffer, out: Uint8Array[]): void => {
    flush(out, false)
    const plain = unmasked(payload, head.mask, 0)
    out.push(formatFrame(head.opcode, true, control(head.opcode, plain), isClient))
    if (head.opcode === CLOSE) isClosed = true
  }

  return {
    push(chunk) {
      const out: Uint8Array[] = []
      const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      let bytes = partial.length === 0 ? fresh : Buffer.concat([partial, fresh])
      partial = Buffer.alloc(0)
      if (isWaiting && message !== undefined) {
        read(message, NO_BYTES)
        if (missing === 0 && !isWaiting) endFrame(out)
      }
      while (!isClosed && !isWaiting) {
        if (frame !== undefined) {
          bytes = bytes.subarray(takeData(bytes, out))
          if (frame !== undefined || isWaiting) break
          continue
        }
        const head = readHead(bytes, isClient)
        if (head === undefined) break
        const isControl = head.opcode >= CLOSE
        const end = head.headBytes + (isControl ? head.payloadBytes : 0)
        if (bytes.length < end) break
        if (isControl) takeControl(head, bytes.subarray(head.headBytes, end), out)
        else beginData(head)
        bytes = bytes.subarray(end)
      }
      // Nothing follows a close frame.
      if (!isClosed) {
        flush(out, false)
        partial = Buffer.from(bytes)
      }
      return Buffer.concat(out)
    },
    get isWaiting() {
      return isWaiting
    },
  }
}

/** Undefined while the head has not come whole. */
function readHead(bytes: Buffer, isClient: boolean): FrameHead | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const opcode = first & 0x0f
  const isFinal = (first & FIN) !== 0
  const short = second & 0x7f
  if ((first & 0x70) !== 0) throw new WebSocketFrameError('an extension that was not agreed')
  if ((opcode > BINARY && opcode < CLOSE) || opcode > PONG) throw new WebSocketFrameError('an unknown opcode')
  if (((second & MASKED) !== 0) !== isClient) {
    throw new WebSocketFrameError('a masked frame from a server, or one from a client that is not')
  }
  if (opcode >= CLOSE && (!isFinal || short > MAX_CONTROL_BYTES)) {
    throw new WebSocketFrameError('a control frame that is too long or in fragments')
  }
  const lengthBytes = short < 126 ? 2 : short === 126 ? 4 : 10
  const headBytes = lengthBytes + (isClient ? MASK_BYTES : 0)
  if (bytes.length < headBytes) return undefined
  const payloadBytes =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (!Number.isSafeInteger(payloadBytes)) throw new WebSocketFrameError('a frame without end')
  const mask = isClient ? Uint8Array.from(bytes.subarray(lengthBytes, headBytes)) : null
  return { isFinal, opcode, headBytes, payloadBytes, mask }
}

/** `at`: where in the payload the bytes stand. Bytes that were masked are copied. */
function unmasked(bytes: Buffer, mask: Uint8Array | null, at: number): Buffer {
  if (mask === null) return bytes
  const plain = Buffer.allocUnsafe(bytes.length)
  for (let index = 0; index < bytes.length; index += 1) {
    plain[index] = (bytes[index] as number) ^ (mask[(at + index) % MASK_BYTES] as number)
  }
  return plain
}

function formatFrame(opcode: number, isFinal: boolean, payload: Uint8Array, isMasked: boolean): Buffer {
  const { length } = payload
  const lengthBytes = length < 126 ? 2 : length < 0x10000 ? 4 : 10
  const head = Buffer.alloc(lengthBytes)
  head[0] = (isFinal ? FIN : 0) | opcode
  head[1] = lengthBytes === 2 ? length : lengthBytes === 4 ? 126 : 127
  if (lengthBytes === 4) head.writeUInt16BE(length, 2)
  if (lengthBytes === 10) head.writeBigUInt64BE(BigInt(length), 2)
  if (!isMasked) return Buffer.concat([head, payload])
  head[1] |= MASKED
  // Chosen anew, so that nobody who chooses the bytes of a message chooses those on the wire (RFC 6455, 10.3).
  const mask = randomBytes(MASK_BYTES)
  return Buffer.concat([head, mask, unmasked(Buffer.from(payload), mask, 0)])
}

/** A control payload without secrets; where the markers do not fit, without its text. */
function scrubControl(scrubber: Scrubber, opcode: number, payload: Buffer): Uint8Array {
  const stream = scrubber.stream()
  const clean = Buffer.concat([stream.push(payload), stream.end()])
  if (clean.equals(payload)) return payload
  const code = opcode === CLOSE ? payload.subarray(0, CLOSE_CODE_BYTES) : Buffer.alloc(0)
  const text = opcode === CLOSE ? payload.subarray(CLOSE_CODE_BYTES) : payload
  const again = scrubber.stream()
  const cleanText = Buffer.concat([again.push(text), again.end()])
  const fits = code.length + cleanText.length <= MAX_CONTROL_BYTES
  return Buffer.concat([code, fits ? cleanText : Buffer.alloc(0)])
}
