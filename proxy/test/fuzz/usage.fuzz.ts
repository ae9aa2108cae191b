import fc from 'fast-check'
import {
  createUsageReader,
  type Splice,
  scanBody,
  splicedPieces,
  usageWish,
} from '../../src/llm/usage/index.ts'
import { chunkSizes, cutAt, holds } from './property.ts'

const count = fc.oneof(fc.nat(5_000), fc.constantFrom(-1, 1.5, null, '7', 2 ** 60))
const usage = fc.oneof(
  fc.record({ prompt_tokens: count, completion_tokens: count, total_tokens: count }, { requiredKeys: [] }),
  fc.record({ input_tokens: count, output_tokens: count, cache_read_input_tokens: count }),
  fc.record({ inputTokens: count, outputTokens: count, cacheWriteInputTokens: count }),
  fc.record({ tokens: fc.record({ input_tokens: count, output_tokens: count }) }),
  fc.constant(null),
)
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('"usage":{"input_tokens":9}', '"choices":[{', 'data: x', '\r\n\r\n', '\n\n', '\\'),
)
const choices = fc.oneof(
  fc.constant([]),
  fc.array(fc.record({ delta: fc.record({ content: text }) }), { maxLength: 2 }),
)
const answer = fc.oneof(
  fc.record({ id: text, model: text, choices, usage }, { requiredKeys: [] }),
  fc.record({ type: text, message: fc.record({ model: text, usage }) }),
  fc.record({ response: fc.record({ model: text, usage, output: fc.array(text) }) }),
  fc.record({
    modelVersion: text,
    usageMetadata: fc.record({ promptTokenCount: count, candidatesTokenCount: count }),
  }),
  fc.record({ model: text, prompt_eval_count: count, eval_count: count }),
  fc.jsonValue({ maxDepth: 3 }),
)

const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
const event = fc
  .tuple(
    answer,
    lineEnd,
    fc.constantFrom('data:', 'data: '),
    fc.constantFrom('', ': ping', 'event: x', 'id'),
    fc.boolean(),
  )
  .map(([data, end, field, before, pretty]) => {
    const lines = JSON.stringify(data, null, pretty ? 1 : undefined).split('\n')
    return `${before === '' ? '' : before + end}${lines.map((line) => field + line + end).join('')}${end}`
  })
const stream = fc
  .array(fc.oneof(event, fc.constantFrom('data: [DONE]\n\n', '\r', '\n', ': \r\n\r\n', 'x')), {
    maxLength: 8,
  })
  .map((events) => Buffer.from(events.join('')))

/** A frame of AWS' event stream; nobody here looks at the checksums. */
function frame(type: string, payload: string): Buffer {
  const name = ':event-type'
  const headers = Buffer.concat([
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([7, 0, type.length]),
    Buffer.from(type),
  ])
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(16 + headers.length + Buffer.byteLength(payload), 0)
  prelude.writeUInt32BE(headers.length, 4)
  return Buffer.concat([prelude, headers, Buffer.from(payload), Buffer.alloc(4)])
}

const bodies = {
  'text/event-stream': stream,
  'application/x-ndjson': fc
    .array(answer, { maxLength: 6 })
    .map((lines) => Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'))),
  'application/json': fc
    .tuple(fc.oneof(answer, fc.array(answer, { maxLength: 3 })), fc.nat(40))
    .map(([data, cut]) => {
      const bytes = Buffer.from(JSON.stringify(data))
      return cut > 30 ? bytes.subarray(0, bytes.length - (cut - 30)) : bytes
    }),
  'application/vnd.amazon.eventstream': fc
    .array(fc.tuple(fc.constantFrom('metadata', 'chunk', 'contentBlockDelta'), answer), { maxLength: 5 })
    .map((frames) => Buffer.concat(frames.map(([type, data]) => frame(type, JSON.stringify(data))))),
}

function through(contentType: string, dropUsageChunk: boolean, chunks: readonly Buffer[], maxBytes?: number) {
  const reader = createUsageReader({
    ...{ contentType, dropUsageChunk },
    ...(maxBytes === undefined ? {} : { maxBytes }),
  })
  if (reader === null) throw new Error(`no reader for ${contentType}`)
  // As pieces that nobody else holds, so that a piece that is written to shows.
  const out = chunks.map((chunk) => Buffer.from(reader.push(Buffer.from(chunk))))
  out.push(Buffer.from(reader.end()))
  return { bytes: Buffer.concat(out), told: JSON.stringify([reader.usage(), reader.model()]) }
}

const spelled = (key: string) =>
  fc
    .array(fc.boolean(), { minLength: key.length, maxLength: key.length })
    .map((escapes) =>
      [...key]
        .map((char, index) =>
          escapes[index] ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char,
        )
        .join(''),
    )
const plain = (key: string) => fc.constant(key)
const key = fc.oneof(
  ...['model', 'stream', 'stream_options', 'max_tokens', 'messages', 'x'].map((one) =>
    fc.oneof({ weight: 4, arbitrary: plain(one) }, { weight: 1, arbitrary: spelled(one) }),
  ),
)
const blank = fc.constantFrom('', '', ' ', '\n\t', '\r\n')
const value = fc.oneof(
  fc.constantFrom(
    'true',
    'false',
    'null',
    '12',
    '-0.5e+3',
    '123456789012345678901',
    '"gpt\\u002d5"',
    '{}',
    '[]',
  ),
  fc.constantFrom('{"include_usage":true}', '{"include_usage":false,"a":[1,{"b":"]"}]}', '"a\\\\"', '"\\""'),
  fc.json(),
  fc.string().map((one) => JSON.stringify(one)),
)
const object = fc
  .array(fc.tuple(key, value, blank, blank), { maxLength: 6 })
  .map((members) => `{${members.map(([k, v, a, b]) => `${a}"${k}"${b}:${a}${v}${b}`).join(',')}}`)
/** An object, or one with some bytes changed. */
const body = fc.oneof(
  object,
  fc
    .tuple(
      object,
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', '"', '\\', ',', ']', '}', '{', ':', '0', ' ', 't'),
    )
    .map(([text, at, length, by]) => {
      const from = at % (text.length + 1)
      return text.slice(0, from) + by + text.slice(from + length)
    }),
)

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

export const usageProperties = [
  ...Object.entries(bodies).map(([contentType, bytes]) =>
    holds(
      `an answer of ${contentType} goes through byte for byte, and tells the same however it is cut`,
      fc.property(bytes, chunkSizes, fc.option(fc.nat(200)), (whole, sizes, maxBytes) => {
        const once = through(contentType, false, [whole], maxBytes ?? undefined)
        const cut = through(contentType, false, cutAt(whole, sizes), maxBytes ?? undefined)
        if (!once.bytes.equals(whole) || !cut.bytes.equals(whole)) throw new Error('other bytes came out')
        if (once.told !== cut.told) throw new Error(`${once.told} in one piece, ${cut.told} in many`)
      }),
    ),
  ),
  holds(
    'the chunk with the usage alone is left out of a stream, and nothing else, however it is cut',
    fc.property(
      fc.array(fc.oneof(event, fc.constant(null)), { maxLength: 6 }),
      lineEnd,
      chunkSizes,
      (events, end, sizes) => {
        const alone = `data: {"id":"x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}${end}${end}`
        const kept = events.filter((one) => one !== null && !isAlone(one))
        const whole = Buffer.from(events.map((one) => one ?? alone).join(''))
        const once = through('text/event-stream', true, [whole])
        const cut = through('text/event-stream', true, cutAt(whole, sizes))
        if (!once.bytes.equals(cut.bytes)) throw new Error('other bytes when cut')
        if (once.told !== cut.told) throw new Error(`${once.told} in one piece, ${cut.told} in many`)
        if (once.bytes.toString() !== kept.join('')) throw new Error('something else was left out')
      },
    ),
  ),
  holds(
    "what is read of a request's body is what JSON.parse reads",
    fc.property(body, (text) => {
      const bytes = Buffer.from(text)
      const data = parsed(text)
      const scan = scanBody(bytes)
      if ('problem' in scan) {
        if (scan.problem === 'not_json' && data !== undefined) throw new Error('JSON that was not read')
        return
      }
      // Inside strings the scan is laxer, but then both the vendor and we see the same members.
      if (data === undefined) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what makes it no JSON
        if (/[\x00-\x1f]|\\/.test(text)) return
        throw new Error('read what is no JSON')
      }
      if (scan.model !== (typeof data.model === 'string' ? data.model : null))
        throw new Error('another model')
      if (scan.stream !== (data.stream === true)) throw new Error('another stream')
      if ((scan.streamOptions !== null) !== Object.hasOwn(data, 'stream_options')) throw new Error('options')
      const at = scan.streamOptions
      if (at !== null && !same(JSON.parse(bytes.toString('utf8', at.start, at.end)), data.stream_options))
        throw new Error('other options')
    }),
  ),
  holds(
    'a body that asks for the usage, or names another model, is otherwise the same',
    fc.property(body, fc.string({ unit: 'grapheme' }), (text, name) => {
      const bytes = Buffer.from(text)
      const data = parsed(text)
      const scan = scanBody(bytes)
      if (data === undefined || 'problem' in scan) return
      const wish = usageWish(scan)
      if (wish !== null) {
        const { stream_options: options, ...rest } = JSON.parse(spliced(bytes, wish)) as Record<
          string,
          unknown
        >
        const { stream_options: before, ...restBefore } = data
        if (!same(rest, restBefore)) throw new Error('something else changed')
        const wanted = { ...((before ?? {}) as object), include_usage: true }
        if (!same(sorted(options), sorted(wanted))) throw new Error('other options')
      }
      if (scan.modelAt === null) return
      const renamed = parsed(spliced(bytes, { ...scan.modelAt, text: JSON.stringify(name) }))
      if (!same(renamed, { ...data, model: name })) throw new Error('another body')
    }),
  ),
]

const spliced = (bytes: Buffer, splice: Splice): string =>
  Buffer.concat(splicedPieces(bytes, [splice])).toString()

const sorted = (value: unknown): unknown =>
  Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1))

function isAlone(event: string): boolean {
  const data = parsed(
    event
      .split(/\r\n|\r|\n/)
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5))
      .join('\n'),
  )
  const usage = data?.usage
  if (!Array.isArray(data?.choices) || data.choices.length > 0 || typeof usage !== 'object') return false
  return (
    usage !== null &&
    through('text/event-stream', false, [Buffer.from(`data: ${JSON.stringify(data)}\n\n`)]).told[1] !== 'n'
  )
}
