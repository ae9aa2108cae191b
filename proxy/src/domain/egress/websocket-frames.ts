/**
 * Takes secrets out of WebSocket messages (RFC 6455): payloads are read through frame borders and written into frames
 * anew. Nothing is held back but the end of a payload that may begin a secret.
 */
import type { Scrubber } from '../scrub/index.ts'

/** For what an upstream sends; one for each connection. */
export interface FrameScrubber {
  /** Whole frames that are safe to pass on. Throws WebSocketFrameError when the stream is not RFC 6455. */
  push(chunk: Uint8Array): Uint8Array
}

/** The upstream's bytes are not frames that can be searched; the connection has to be closed. */
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

interface FrameHead {
  readonly isFinal: boolean
  readonly opcode: number
  readonly headBytes: number
  readonly payloadBytes: number
}

interface Message {
  /** Of the next frame to be written. */
  opcode: number
  readonly scrub: ReturnType<Scrubber['stream']>
  /** Payload that is safe and not written yet. */
  ready: Uint8Array[]
}

export function createFrameScrubber(scrubber: Scrubber): FrameScrubber {
  /** A head, or a control frame, that has not come whole. */
  let partial: Buffer = Buffer.alloc(0)
  let frame: FrameHead | undefined
  /** Of the payload of `frame`, still to come. */
  let missing = 0
  let message: Message | undefined
  let isClosed = false

  const flush = (out: Uint8Array[], isFinal: boolean): void => {
    if (message === undefined) return
    const payload = Buffer.concat(message.ready)
    if (payload.length === 0 && !isFinal) return
    out.push(formatFrame(message.opcode, isFinal, payload))
    message.ready = []
    message.opcode = CONTINUATION
  }

  const beginData = (head: FrameHead): void => {
    if ((head.opcode === CONTINUATION) !== (message !== undefined)) {
      throw new WebSocketFrameError('a message began inside another, or goes on without a beginning')
    }
    message ??= { opcode: head.opcode, scrub: scrubber.stream(), ready: [] }
    frame = head
    missing = head.payloadBytes
  }

  const takeData = (bytes: Buffer, out: Uint8Array[]): number => {
    const taken = bytes.subarray(0, missing)
    missing -= taken.length
    if (message !== undefined && taken.length > 0) message.ready.push(message.scrub.push(taken))
    if (missing === 0) {
      if (message !== undefined && frame?.isFinal === true) {
        message.ready.push(message.scrub.end())
        flush(out, true)
        message = undefined
      }
      frame = undefined
    }
    return taken.length
  }

  const takeControl = (head: FrameHead, payload: Buffer, out: Uint8Array[]): void => {
    flush(out, false)
    out.push(formatFrame(head.opcode, true, scrubControl(scrubber, head.opcode, payload)))
    if (head.opcode === CLOSE) isClosed = true
  }

  return {
    push(chunk) {
      const out: Uint8Array[] = []
      const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
      let bytes = partial.length === 0 ? fresh : Buffer.concat([partial, fresh])
      partial = Buffer.alloc(0)
      while (!isClosed) {
        if (frame !== undefined) {
          bytes = bytes.subarray(takeData(bytes, out))
          if (frame !== undefined) break
          continue
        }
        const head = readHead(bytes)
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
  }
}

/** Undefined while the head has not come whole. */
function readHead(bytes: Buffer): FrameHead | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const opcode = first & 0x0f
  const isFinal = (first & FIN) !== 0
  const short = second & 0x7f
  if ((first & 0x70) !== 0) throw new WebSocketFrameError('an extension that was not agreed')
  if ((opcode > BINARY && opcode < CLOSE) || opcode > PONG) throw new WebSocketFrameError('an unknown opcode')
  if ((second & MASKED) !== 0) throw new WebSocketFrameError('a masked frame from a server')
  if (opcode >= CLOSE && (!isFinal || short > MAX_CONTROL_BYTES)) {
    throw new WebSocketFrameError('a control frame that is too long or in fragments')
  }
  if (short < 126) return { isFinal, opcode, headBytes: 2, payloadBytes: short }
  const headBytes = short === 126 ? 4 : 10
  if (bytes.length < headBytes) return undefined
  const long = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (!Number.isSafeInteger(long)) throw new WebSocketFrameError('a frame without end')
  return { isFinal, opcode, headBytes, payloadBytes: long }
}

function formatFrame(opcode: number, isFinal: boolean, payload: Uint8Array): Buffer {
  const first = (isFinal ? FIN : 0) | opcode
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload])
  const isShort = payload.length < 0x10000
  const head = Buffer.alloc(isShort ? 4 : 10)
  head[0] = first
  head[1] = isShort ? 126 : 127
  if (isShort) head.writeUInt16BE(payload.length, 2)
  else head.writeBigUInt64BE(BigInt(payload.length), 2)
  return Buffer.concat([head, payload])
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
