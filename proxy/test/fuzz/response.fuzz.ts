import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { createFrameScrubber, prepareResponse, WebSocketFrameError } from '../../src/egress/index.ts'
import { createScrubber, type Scrubber } from '../../src/scrub/index.ts'
import { ENDLESS_TURN } from '../../src/scrub/turn.ts'
import { chunkSizes, cutAt, holds } from './property.ts'

const VALUE = 'demo-value/"x&y" <+1>'
const scrubber = createScrubber(new Map([['KEY', VALUE]]))

/** A secret in the forms in which servers say things back, or a beginning of it. */
const echo = fc.constantFrom(
  VALUE,
  JSON.stringify(VALUE).slice(1, -1),
  encodeURIComponent(VALUE),
  Buffer.from(VALUE).toString('base64'),
  Buffer.from(VALUE).toString('hex'),
  VALUE.slice(0, 9),
  VALUE.slice(9),
)
const text = fc
  .array(fc.oneof(echo, fc.string({ maxLength: 5 }), fc.constantFrom('\r\n', '%', '\\', '=')), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''))

function scrubWhole(by: Scrubber, bytes: Buffer): Buffer {
  const stream = by.stream()
  return Buffer.concat([Buffer.from(stream.push(bytes)), stream.end()])
}

/** Whether the text holds the value in a form that anybody reads at a glance. */
function isLeaked(bytes: Buffer | string): boolean {
  const seen = bytes.toString()
  const forms = [VALUE, JSON.stringify(VALUE).slice(1, -1), encodeURIComponent(VALUE)]
  return forms.some((form) => seen.includes(form)) || seen.includes(Buffer.from(VALUE).toString('hex'))
}

function must(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem)
}

const ENCODERS = {
  identity: (bytes: Buffer) => bytes,
  gzip: (bytes: Buffer) => gzipSync(bytes, { level: 1 }),
  deflate: (bytes: Buffer) => deflateSync(bytes, { level: 1 }),
  br: (bytes: Buffer) => brotliCompressSync(bytes, { params: {} }),
  zstd: (bytes: Buffer) => zstdCompressSync(bytes),
} as const
const encoding = fc.constantFrom(...(Object.keys(ENCODERS) as (keyof typeof ENCODERS)[]))

async function through(encodingName: string, chunks: readonly Buffer[]): Promise<Buffer> {
  const prepared = prepareResponse({
    ...{ scrubber, status: 200, method: 'GET' },
    rawHeaders: ['Content-Encoding', encodingName],
  })
  if ('refused' in prepared) throw new Error(prepared.refused)
  const out: Buffer[] = []
  const sink = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) out.push(chunk)
  }
  await pipeline([Readable.from(chunks), ...prepared.transforms(), sink] as never)
  return Buffer.concat(out)
}

const headerText = text.map((value) => value.replaceAll(/[^\t\x20-\xff]/g, ''))
const headerName = fc.oneof(
  fc.constantFrom(
    'Location',
    'Set-Cookie',
    'X-Echo',
    'Connection',
    'Content-Length',
    'Content-Encoding',
    'Trailer',
  ),
  fc.stringMatching(/^[a-z-]{1,6}$/),
)

interface Sent {
  readonly text: string
  readonly sizes: readonly number[]
  readonly binary: boolean
}
const message = fc.record({ text, sizes: chunkSizes, binary: fc.boolean() })

function frame(opcode: number, isFinal: boolean, payload: Buffer): Buffer {
  const first = (isFinal ? 0x80 : 0) | opcode
  if (payload.length < 126) return Buffer.concat([Buffer.from([first, payload.length]), payload])
  return Buffer.concat([Buffer.from([first, 126, payload.length >> 8, payload.length & 255]), payload])
}

function encode({ text, sizes, binary }: Sent): Buffer {
  const parts = cutAt(Buffer.from(text), sizes.slice(0, 5))
  return Buffer.concat(
    parts.map((part, at) => frame(at === 0 ? (binary ? 2 : 1) : 0, at === parts.length - 1, part)),
  )
}

/** Whole messages, each with its kind before it. */
function decode(bytes: Buffer): string[] {
  const messages: string[] = []
  let parts: Buffer[] = []
  let kind = 0
  for (let at = 0; at < bytes.length; ) {
    const first = bytes.readUInt8(at)
    const short = bytes.readUInt8(at + 1)
    must(short < 127, 'a frame longer than what was sent')
    const head = short < 126 ? 2 : 4
    const length = short < 126 ? short : bytes.readUInt16BE(at + 2)
    if ((first & 15) !== 0) kind = first & 15
    parts.push(bytes.subarray(at + head, at + head + length))
    at += head + length
    if (first < 0x80) continue
    messages.push(`${kind}:${Buffer.concat(parts).toString('latin1')}`)
    parts = []
  }
  must(parts.length === 0, 'a message without end')
  return messages
}

export const responseProperties = [
  holds(
    'a body comes without secrets, the same however it is encoded and cut',
    fc.asyncProperty(text, encoding, chunkSizes, async (content, by, sizes) => {
      const bytes = Buffer.from(content)
      const got = await through(by, cutAt(ENCODERS[by](bytes), sizes))
      must(got.equals(scrubWhole(scrubber, bytes)), 'it depends on the chunks')
      must(!isLeaked(got), 'the secret came out')
    }),
  ),
  holds(
    'headers of an answer come without secrets, also put together',
    fc.property(fc.array(fc.tuple(headerName, headerText), { maxLength: 6 }), (fields) => {
      const prepared = prepareResponse({ scrubber, status: 200, method: 'GET', rawHeaders: fields.flat() })
      if ('refused' in prepared) return
      const values = prepared.headers.filter((_, at) => at % 2 === 1)
      must(!isLeaked(values.join('')) && !isLeaked(prepared.headers.join('\n')), 'the secret came out')
      must(!/[\r\n\0]/.test(prepared.headers.join('')), 'a header could end its line')
      must(!prepared.headers.includes('content-length') || values.includes('0'), 'a length that may be wrong')
    }),
  ),
  holds(
    'WebSocket messages come without secrets, the same however they are framed and cut',
    fc.property(fc.array(message, { maxLength: 4 }), chunkSizes, (sent, sizes) => {
      const frames = createFrameScrubber(scrubber, ENDLESS_TURN)
      const chunks = cutAt(Buffer.concat(sent.map(encode)), sizes)
      const got = decode(Buffer.concat(chunks.map((chunk) => Buffer.from(frames.push(chunk)))))
      const expected = sent.map(
        ({ text: content, binary }) =>
          `${binary ? 2 : 1}:${scrubWhole(scrubber, Buffer.from(content)).toString('latin1')}`,
      )
      must(JSON.stringify(got) === JSON.stringify(expected), 'messages differ')
    }),
  ),
  holds(
    'bytes that are no frames end a WebSocket with its own error',
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 5 }), (chunks) => {
      const frames = createFrameScrubber(scrubber, ENDLESS_TURN)
      try {
        for (const chunk of chunks) frames.push(chunk)
      } catch (error) {
        if (!(error instanceof WebSocketFrameError)) throw error
      }
    }),
  ),
]
