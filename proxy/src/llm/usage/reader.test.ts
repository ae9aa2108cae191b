import { describe, expect, it } from 'vitest'
import { createUsageReader } from './reader.ts'

function through(
  contentType: string,
  chunks: readonly (string | Buffer)[],
  options: { drop?: boolean; maxBytes?: number } = {},
) {
  const reader = createUsageReader({
    ...{ contentType, dropUsageChunk: options.drop ?? false },
    ...(options.maxBytes === undefined ? {} : { maxBytes: options.maxBytes }),
  })
  if (reader === null) throw new Error('no reader')
  const steps = chunks.map((chunk) => Buffer.from(reader.push(Buffer.from(chunk))).toString('latin1'))
  steps.push(Buffer.from(reader.end()).toString('latin1'))
  return { steps, bytes: steps.join(''), usage: reader.usage(), model: reader.model() }
}
const SSE = 'text/event-stream; charset=utf-8'
const SAYS = 'data: {"model":"gpt-5","choices":[{"delta":{"content":"hi"}}],"usage":null}\n\n'
const ALONE = 'data: {"model":"gpt-5","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
const DONE = 'data: [DONE]\n\n'

describe('a stream of events', () => {
  it('is given on as it comes, and its tokens and model are read', () => {
    const { steps, usage, model } = through(SSE, [SAYS, SAYS.slice(0, 9), SAYS.slice(9) + ALONE, DONE])
    expect(steps).toEqual([SAYS, SAYS.slice(0, 9), SAYS.slice(9) + ALONE, DONE, ''])
    expect(usage).toMatchObject({ input: 3, output: 4 })
    expect(model).toBe('gpt-5')
  })

  it('loses the chunk that the proxy had asked for, and that alone', () => {
    const { steps, usage } = through(SSE, [SAYS + ALONE + DONE], { drop: true })
    expect(steps).toEqual([SAYS + DONE, ''])
    expect(usage).toMatchObject({ input: 3, output: 4 })
  })

  it.each(['\n', '\r\n', '\r'])('loses that chunk in one-byte pieces with line ends %j', (end) => {
    const whole = (SAYS + ALONE + DONE).replaceAll('\n', end)
    const { bytes, usage } = through(SSE, [...whole], { drop: true })
    expect(bytes).toBe((SAYS + DONE).replaceAll('\n', end))
    expect(usage).toMatchObject({ input: 3, output: 4 })
  })

  it('waits with an event only as long as it may be that chunk', () => {
    const cut = SAYS.indexOf('hi')
    const { steps } = through(SSE, [SAYS.slice(0, 12), SAYS.slice(12, cut), SAYS.slice(cut)], { drop: true })
    expect(steps).toEqual(['', SAYS.slice(0, cut), SAYS.slice(cut), ''])
  })

  it('waits for a bounded number of bytes', () => {
    const long = `data: {"id":"${'x'.repeat(20_000)}`
    const { steps } = through(SSE, [long.slice(0, 10_000), long.slice(10_000), '"}\n\n'], { drop: true })
    expect(steps).toEqual(['', long, '"}\n\n', ''])
  })

  it('gives on what waited when the vendor breaks off', () => {
    const { steps } = through(SSE, [ALONE.slice(0, 30)], { drop: true })
    expect(steps).toEqual(['', ALONE.slice(0, 30)])
  })

  it('leaves a usage beside a choice, and events that only look like it', () => {
    const beside = 'data: {"choices":[{"delta":{}}],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
    const filter = 'data: {"choices":[],"prompt_filter_results":[]}\n\n'
    const said = `data: ${JSON.stringify({ choices: [{ delta: { content: ALONE } }] })}\n\n`
    const { bytes, usage } = through(SSE, [filter + said + beside + DONE], { drop: true })
    expect(bytes).toBe(filter + said + beside + DONE)
    expect(usage).toMatchObject({ input: 3, output: 4 })
  })

  it('measures an event in the same way when its last line end is cut', () => {
    const event = ALONE.replaceAll('\n', '\r\n')
    for (const maxBytes of [-3, -2, -1, 0, 1].map((more) => event.length + more)) {
      const once = through(SSE, [event], { drop: true, maxBytes })
      expect(through(SSE, [event.slice(0, -1), '\n'], { drop: true, maxBytes })).toMatchObject({
        ...{ bytes: once.bytes, usage: once.usage },
      })
    }
  })

  it('decides the same of an event that it already gave on in part', () => {
    const both =
      'data: {"x":{"choices":[{}]},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n'
    expect(through(SSE, [both], { drop: true }).bytes).toBe(both)
    expect(through(SSE, [...both], { drop: true }).bytes).toBe(both)
  })

  it('reads data over several lines, also of an event that is too long to be kept', () => {
    const lines = 'data: {"usage":\ndata: {"prompt_tokens":3,\ndata: "completion_tokens":4}}\n\n'
    expect(through(SSE, [lines]).usage).toMatchObject({ input: 3, output: 4 })
    const { bytes, usage } = through(SSE, [lines.slice(0, 20), lines.slice(20)], { maxBytes: 40 })
    expect(bytes).toBe(lines)
    expect(usage).toMatchObject({ input: 3, output: 4 })
  })

  it("reads Anthropic's and Google's", () => {
    const anthropic =
      'event: message_start\ndata: {"type":"message_start","message":{"model":"claude-x","usage":{"input_tokens":5,"cache_read_input_tokens":10,"output_tokens":1}}}\n\n' +
      'event: message_delta\ndata: {"type":"message_delta","usage":{"output_tokens":12}}\n\n'
    expect(through(SSE, [anthropic])).toMatchObject({
      usage: { input: 15, output: 12, cacheRead: 10 },
      model: 'claude-x',
    })
    const google = [1, 2].map(
      (n) =>
        `data: {"modelVersion":"gemini-x","usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":${n}}}\r\n\r\n`,
    )
    expect(through(SSE, google)).toMatchObject({ usage: { input: 5, output: 2 }, model: 'gemini-x' })
  })
})

describe('other answers', () => {
  it('are read line by line', () => {
    const lines =
      '{"model":"llama3","response":"x"}\n{"model":"llama3","done":true,"prompt_eval_count":7,"eval_count":9}'
    expect(through('application/x-ndjson', [lines.slice(0, 50), lines.slice(50)])).toMatchObject({
      ...{ bytes: lines, model: 'llama3', usage: { input: 7, output: 9 } },
    })
  })

  it('are read as one body, long or short', () => {
    for (const filler of ['', 'x'.repeat(50_000), 'x'.repeat(500_000), 'x'.repeat(2_000_000)]) {
      const body = JSON.stringify({
        model: 'gpt-5',
        text: filler,
        usage: { prompt_tokens: 3, completion_tokens: 4 },
      })
      const read = through('application/json', [body.slice(0, 11), body.slice(11)])
      expect(read.bytes === body).toBe(true)
      expect(read.usage).toMatchObject({ input: 3, output: 4 })
      expect(read.model).toBe('gpt-5')
    }
  })

  it('tell their last usage when they are too long or broke off, and no usage that somebody wrote', () => {
    const said = JSON.stringify({
      content: '"usage":{"prompt_tokens":99}',
      usage: { prompt_tokens: 3, completion_tokens: 4 },
    })
    const body = `{"data":"${'x'.repeat(300)}",${said.slice(1)}`
    expect(through('application/json', [body], { maxBytes: 200 }).usage).toMatchObject({
      input: 3,
      output: 4,
    })
    expect(through('application/json', [body.slice(0, -1)]).usage).toMatchObject({ input: 3, output: 4 })
    expect(through('application/json', [body.slice(0, body.indexOf(',"usage":'))]).usage).toBeNull()
  })

  it("are read as Google's list of a stream", () => {
    const list = [1, 9].map((n) => ({
      modelVersion: 'm',
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: n },
    }))
    expect(through('application/json', [JSON.stringify(list)])).toMatchObject({
      usage: { input: 5, output: 9 },
      model: 'm',
    })
  })

  it("are read as Bedrock's frames, whatever else comes in them", () => {
    const tokens = { usage: { inputTokens: 3, outputTokens: 4 } }
    const inner = Buffer.from(
      JSON.stringify({ message: { model: 'claude-x', usage: { input_tokens: 8 } } }),
    ).toString('base64')
    const whole = Buffer.concat([
      frame('contentBlockDelta', '{"usage":{"inputTokens":99}}'),
      frame('metadata', JSON.stringify(tokens)),
    ])
    const type = 'application/vnd.amazon.eventstream'
    expect(
      through(
        type,
        [...whole].map((byte) => Buffer.from([byte])),
      ).usage,
    ).toMatchObject({ input: 3, output: 4 })
    expect(through(type, [frame('chunk', JSON.stringify({ bytes: inner }))])).toMatchObject({
      usage: { input: 8 },
      model: 'claude-x',
    })
  })

  it.each([1, 7, 300, 1_000_000])(
    'are read of a frame that is too long to be kept, in pieces of %i bytes',
    (cut) => {
      const tokens = { usage: { inputTokens: 3, outputTokens: 4 } }
      const whole = Buffer.concat([
        frame('chunk', JSON.stringify({ bytes: 'A'.repeat(3_000) })),
        frame('metadata', JSON.stringify({ trace: { guardrail: 'x'.repeat(3_000) }, ...tokens })),
        frame('contentBlockDelta', JSON.stringify({ usage: { inputTokens: 99 }, text: 'x'.repeat(3_000) })),
        frame('messageStop', '{}'),
      ])
      const pieces = Array.from({ length: Math.ceil(whole.length / cut) }, (_, at) =>
        whole.subarray(at * cut, (at + 1) * cut),
      )
      const read = through('application/vnd.amazon.eventstream', pieces, { maxBytes: 1_000 })
      expect(read.usage).toMatchObject({ input: 3, output: 4 })
      expect(read.bytes === whole.toString('latin1')).toBe(true)
    },
  )

  it.each(['00'.repeat(40), 'ffffffff'.repeat(8), '0000001000000040'.padEnd(64, '0')])(
    'that are no frames go through all the same: %s',
    (hex) => {
      const bytes = Buffer.from(hex, 'hex')
      const read = through('application/vnd.amazon.eventstream', [bytes, frame('metadata', '{}')])
      expect(read.bytes).toBe(Buffer.concat([bytes, frame('metadata', '{}')]).toString('latin1'))
      expect(read.usage).toBeNull()
    },
  )

  it.each([null, '', 'text/html', 'audio/mpeg', 'application/octet-stream'])(
    'of type %j are not read',
    (contentType) => {
      expect(createUsageReader({ contentType, dropUsageChunk: true })).toBeNull()
    },
  )
})

function frame(type: string, payload: string): Buffer {
  const name = ':event-type'
  const boolean = [Buffer.from([2]), Buffer.from('ok'), Buffer.from([0])]
  const text = [
    Buffer.from([name.length]),
    Buffer.from(name),
    Buffer.from([7, 0, type.length]),
    Buffer.from(type),
  ]
  const headers = Buffer.concat([...boolean, ...text])
  const prelude = Buffer.alloc(12)
  prelude.writeUInt32BE(16 + headers.length + payload.length, 0)
  prelude.writeUInt32BE(headers.length, 4)
  return Buffer.concat([prelude, headers, Buffer.from(payload), Buffer.alloc(4)])
}
