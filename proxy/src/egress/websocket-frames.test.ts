import { describe, expect, it } from 'vitest'
import { createScrubber } from '../scrub/index.ts'
import { ENDLESS_TURN } from '../scrub/turn.ts'
import { createFrameScrubber, WebSocketFrameError } from './websocket-frames.ts'

const VALUE = 'demo-value-in-a-message'
const scrubber = createScrubber(new Map([['KEY', VALUE]]))

interface Frame {
  readonly fin: boolean
  readonly opcode: number
  readonly payload: string
}

function frame(opcode: number, payload: string | Buffer, fin = true): Buffer {
  const bytes = Buffer.from(payload)
  const first = (fin ? 0x80 : 0) | opcode
  if (bytes.length < 126) return Buffer.concat([Buffer.from([first, bytes.length]), bytes])
  const head = Buffer.alloc(bytes.length < 65_536 ? 4 : 10)
  head[0] = first
  head[1] = bytes.length < 65_536 ? 126 : 127
  if (bytes.length < 65_536) head.writeUInt16BE(bytes.length, 2)
  else head.writeBigUInt64BE(BigInt(bytes.length), 2)
  return Buffer.concat([head, bytes])
}

function read(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = []
  let rest = Buffer.from(bytes)
  while (rest.length > 0) {
    const first = rest.readUInt8(0)
    const short = rest.readUInt8(1)
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10
    const length =
      short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
    const payload = rest.subarray(headBytes, headBytes + length)
    expect(payload).toHaveLength(length)
    frames.push({ fin: first >= 0x80, opcode: first & 15, payload: payload.toString() })
    rest = rest.subarray(headBytes + length)
  }
  return frames
}

/** What a client puts together: whole messages and control frames, in the order of their ends. */
function messages(frames: readonly Frame[]): string[] {
  const out: string[] = []
  let open: { opcode: number; text: string } | undefined
  for (const { fin, opcode, payload } of frames) {
    if (opcode >= 8) {
      out.push(`${opcode}:${payload}`)
      continue
    }
    expect(opcode === 0).toBe(open !== undefined)
    open ??= { opcode, text: '' }
    open.text += payload
    if (!fin) continue
    out.push(`${open.opcode}:${open.text}`)
    open = undefined
  }
  return out
}

function pass(chunks: readonly Uint8Array[]): Frame[] {
  const frames = createFrameScrubber(scrubber, ENDLESS_TURN)
  return read(Buffer.concat(chunks.map((chunk) => frames.push(chunk))))
}

describe('what an upstream sends over a WebSocket', () => {
  it('passes as it is, one frame for one frame, when it holds no secret', () => {
    const bytes = Buffer.concat([
      frame(1, 'hello'),
      frame(2, 'x'.repeat(300)),
      frame(1, ''),
      frame(9, 'ping'),
      frame(2, 'y'.repeat(70_000)),
      frame(8, '\x03\xe8bye'),
    ])
    expect(Buffer.concat([createFrameScrubber(scrubber, ENDLESS_TURN).push(bytes)])).toEqual(bytes)
  })

  it('loses a secret in a text, in a binary message and over continuation frames', () => {
    const frames = pass([
      frame(1, `a ${VALUE} b`),
      frame(2, VALUE),
      frame(1, `c ${VALUE.slice(0, 7)}`, false),
      frame(0, '', false),
      frame(9, 'between'),
      frame(0, `${VALUE.slice(7)} d`),
    ])
    expect(messages(frames)).toEqual([
      '1:a [secret:KEY] b',
      '2:[secret:KEY]',
      '9:between',
      '1:c [secret:KEY] d',
    ])
  })

  it('says the same however it is cut', () => {
    const bytes = Buffer.concat([frame(1, `a ${VALUE}`, false), frame(0, 'b'), frame(8, '')])
    expect(messages(pass([...bytes].map((byte) => Buffer.from([byte]))))).toEqual(['1:a [secret:KEY]b', '8:'])
  })

  it('says the same however often it has to wait for another turn', () => {
    const long = `${VALUE.slice(0, -1)} `.repeat(2_000)
    // One that has nothing prepared yet, which a turn that is over interrupts many times.
    const fresh = createScrubber(new Map([['KEY', VALUE]]))
    const bytes = Buffer.concat([
      frame(1, long, false),
      frame(0, `${VALUE} b`),
      frame(9, 'ping'),
      frame(8, ''),
    ])
    const frames = createFrameScrubber(fresh, { isOver: () => true })
    const out = [Buffer.from(frames.push(bytes))]
    let waits = 0
    while (frames.isWaiting) {
      waits++
      out.push(Buffer.from(frames.push(new Uint8Array(0))))
    }
    expect(waits).toBeGreaterThan(2)
    expect(messages(read(Buffer.concat(out)))).toEqual([`1:${long}[secret:KEY] b`, '9:ping', '8:'])
  })

  it('comes before the message is whole', () => {
    const frames = createFrameScrubber(scrubber, ENDLESS_TURN)
    expect(read(frames.push(frame(1, 'x'.repeat(500)).subarray(0, 100)))).toEqual([
      { fin: false, opcode: 1, payload: 'x'.repeat(96) },
    ])
  })

  it('loses a secret in a control frame, whose code stays', () => {
    expect(messages(pass([frame(9, VALUE), frame(8, `\x03\x08${VALUE}`)]))).toEqual([
      '9:[secret:KEY]',
      '8:\x03\x08[secret:KEY]',
    ])
  })

  it('ends with the close frame', () => {
    expect(messages(pass([frame(8, ''), frame(1, 'after')]))).toEqual(['8:'])
  })

  it.each([
    ['a reserved bit', Buffer.from([0xc1, 0])],
    ['an unknown opcode', Buffer.from([0x83, 0])],
    ['an unknown control opcode', Buffer.from([0x8b, 0])],
    ['a mask', Buffer.from([0x81, 0x80, 0, 0, 0, 0])],
    ['a ping in fragments', Buffer.from([0x09, 0])],
    ['a long ping', frame(9, 'x'.repeat(126))],
    ['a continuation of nothing', frame(0, 'x')],
    ['a message inside another', Buffer.concat([frame(1, 'x', false), frame(1, 'y')])],
    ['a length beyond all measure', Buffer.from([0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0])],
  ])('fails with %s', (_name, bytes) => {
    expect(() => createFrameScrubber(scrubber, ENDLESS_TURN).push(bytes)).toThrow(WebSocketFrameError)
  })
})
