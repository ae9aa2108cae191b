import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { createControlLink } from './control-link.ts'
import { askGateway } from './gateway-chat.ts'
import { cleanerOf } from './gateway-token.ts'
import { createReadingPace } from './reading-pace.ts'
import { runsOf } from './session-record.ts'
import { watchSession } from './session-watch.ts'

/** What comes of one request to a gateway that answers so. */
async function ask(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  began?: (run: string) => void,
) {
  const [stream, far] = duplexPair()
  createServer(answer).emit('connection', far)
  const link = { stream, gatewayToken: 'of-the-gateway' }
  const pieces = askGateway(link, { messages: [], began }, new AbortController().signal)
  const said: string[] = []
  for (;;) {
    const { done, value } = await pieces.next()
    if (done) return { said, end: value, isOver: stream.destroyed }
    said.push(value)
  }
}
const events = (...data: readonly (object | string)[]): string =>
  data.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')
const piece = (content: string | null, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: { content }, finish_reason }],
})

it('hands on what it says, and how it ended', async () => {
  const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 }
  const whole = events(piece(null), piece('a'), piece('b', 'length'), { choices: [], usage }, '[DONE]')
  const { said, end, isOver } = await ask(({ headers }, response) => {
    expect(headers.authorization).toBe('Bearer of-the-gateway')
    response.end(whole)
  })
  expect(said).toEqual(['a', 'b'])
  expect(end).toEqual({ isCut: true, usage: { prompt_tokens: 3, completion_tokens: 4 } })
  expect(isOver).toBe(true)
})

it('says nothing of the gateway’s token, in whatever pieces it comes', async () => {
  const pieces = [
    'a of-the',
    '-gate',
    'way b ',
    'of-the-',
    'window \ud83d',
    '\ude00 b2YtdGhlLWdhdGV3',
    'YXk= é',
  ]
  const whole = events(...pieces.map((text) => piece(text)), piece('', 'stop'), '[DONE]')
  const { said } = await ask((_request, response) => response.end(whole))
  expect(said.join('')).toBe('a [secret:gateway token] b of-the-window 😀 [secret:gateway token]= é')
  const text = JSON.stringify({
    messages: [asks('run-1', { type: 'text', text: 'it is of-the-gateway' }, 1)],
  })
  expect(runsOf(text, cleanerOf('of-the-gateway'))).toMatchObject([
    { answer: 'it is [secret:gateway token]' },
  ])
})

it('says nothing of it in what it refuses, fails with, calls a tool or a run either', async () => {
  const said = 'of-the-gateway is wrong'
  const without = expect.stringContaining('[secret:gateway token] is wrong')
  const asks400 = ask((_request, response) =>
    response.writeHead(400).end(JSON.stringify({ error: { message: said } })),
  )
  await expect(asks400).rejects.toMatchObject({ message: without })
  const fails = ask((_request, response) => response.end(events({ error: { message: said } })))
  await expect(fails).rejects.toMatchObject({ message: without })
  const began: string[] = []
  for (const id of ['of-the-gateway', 'x'.repeat(200), 'run-1'])
    await ask(
      (_request, response) => response.end(events({ id, ...piece('a', 'stop') }, '[DONE]')),
      (run) => began.push(run),
    )
  expect(began).toEqual(['run-1'])
  const call = { type: 'toolCall', id: 'call of-the-gateway', name: 'exec', arguments: {} }
  const more = { model: 'x/of-the-gateway' }
  const text = JSON.stringify({
    messages: [{ ...asks('run-1', call, 1), ...more }, asks('of-the-gateway', call, 1)],
  })
  const found = runsOf(text, cleanerOf('of-the-gateway')) ?? []
  expect(found.map(({ id, tools }) => [id, tools.length])).toEqual([['run-1', 1]])
  expect(JSON.stringify(found)).not.toContain('of-the-gateway')
})

it('has an end, whatever it is made of', async () => {
  const endless = ask((_request, response) => response.end('\n'.repeat(600_000)))
  await expect(endless).rejects.toMatchObject({
    code: 'too_large',
    message: expect.stringContaining('no end'),
  })
  const filler = `: ${'x'.repeat(65_533)}\n`
  const large = ask((_request, response) => response.end(filler.repeat(1_025)))
  await expect(large).rejects.toMatchObject({ code: 'too_large' })
})

it('waits four times as long as it took to read, however small the pieces are', () => {
  let now = 0
  const pace = createReadingPace(() => now)
  const read = (ms: number): number => {
    pace.begin()
    now += ms
    return pace.lap()
  }
  expect([read(1), read(1), read(1), read(1)]).toEqual([0, 0, 0, 0])
  expect(read(1)).toBe(20)
  now += 20
  expect([read(2), read(2)]).toEqual([0, 0])
  now += 8
  expect([read(2), read(2)]).toEqual([0, 24])
})

// As OpenClaw says it where there is nothing but a system message.
const MISSING = { error: { message: 'Missing user message in `messages`.', type: 'invalid_request_error' } }
it.each([
  [400, JSON.stringify(MISSING), 'invalid_request', 'refuses it: Missing user message in `messages`.'],
  [400, 'not json', 'invalid_request', 'The agent refuses it.'],
  [401, '{}', 'sandbox_unavailable', 'it answered 401.'],
  [500, JSON.stringify(MISSING), 'sandbox_unavailable', 'it answered 500: Missing'],
  [200, '', 'sandbox_unavailable', 'the connection ended'],
  [200, events(piece('a')), 'sandbox_unavailable', 'the connection ended'],
  [200, events(piece('a'), '[DONE]'), 'sandbox_unavailable', 'without an end'],
  [200, events({ error: { message: 'of the model' } }), 'sandbox_unavailable', '“of the model”'],
  [200, events('{"choices":1}'), 'sandbox_unavailable', 'no form'],
])('of %i %j is %s', async (status, body, code, message) => {
  const asked = ask((_request, response) => response.writeHead(status).end(body))
  await expect(asked).rejects.toMatchObject({ code, message: expect.stringContaining(message) })
})

/** As OpenClaw 2026.9.6 has a record. */
const REQUEST = `req_${'0a'.repeat(16)}`
const of = (runId: string | undefined, more = {}) => ({ __openclaw: { seq: 1, runId, ...more } })
const call = (id: string, name: string, args: unknown) => ({ type: 'toolCall', id, name, arguments: args })
const asks = (runId: string, part: object, timestamp: number, more = {}) => ({
  ...{ role: 'assistant', content: [part], stopReason: 'toolUse', model: 'claude-sonnet-5-5', timestamp },
  ...of(runId, more),
})
const result = (runId: string, toolCallId: string, timestamp: number, isError = false) => ({
  ...{ role: 'toolResult', toolCallId, content: [{ type: 'text', text: 'x' }], isError, timestamp },
  ...of(runId),
})
const says = (runId: string, text: string, more = {}) => ({
  ...{ role: 'assistant', content: [{ type: 'text', text }], stopReason: 'stop', timestamp: 9 },
  ...of(runId, more),
})
const question = { role: 'user', content: 'Count them.', timestamp: 1, ...of(undefined) }
const RECORD = [
  question,
  asks('chatcmpl_1', call('t1', 'exec', { command: 'ls\u202e /' }), 100),
  result('chatcmpl_1', 't1', 1_160),
  asks('chatcmpl_1', call('t2', 'tool_call', { id: 'oauth3_execute', args: { code: '1' } }), 2_000),
  {
    ...{ role: 'custom', customType: 'openclaw.nested-tool.v1', timestamp: 2_100, ...of('chatcmpl_1') },
    content: [
      { ...call('tool_search_code:t2:oauth3_execute:1', 'oauth3_execute', {}), parentToolCallId: 't2' },
      { type: 'toolResult', parentToolCallId: 't2', toolName: 'oauth3_execute', isError: true, content: [] },
    ],
  },
  result('chatcmpl_1', 't2', 2_300),
  says('chatcmpl_1', 'You are asked.'),
  asks('run-2', call('t3', 'tool_call', { id: 'oauth3_status', args: { request_id: REQUEST } }), 5, {
    turnBoundary: true,
  }),
  result('run-2', 't3', 4),
  says('run-2', 'It has run.'),
  asks('run-3', call('t4', 'read', { path: 'a' }), 7, { turnBoundary: true }),
]
const runs = (messages: readonly unknown[], clean = (text: string) => text) =>
  runsOf(JSON.stringify({ messages }), clean)

it('reads from a record what each run used and said, and whether somebody asked', () => {
  expect(runs(RECORD)).toMatchObject([
    {
      ...{ id: 'chatcmpl_1', isWoken: false, isOver: true, answer: 'You are asked.', fetched: [] },
      tools: [
        { name: 'exec', state: 'done', arguments: '{"command":"ls⟨U+202E⟩ /"}', durationMs: 1_060 },
        { name: 'oauth3_execute', state: 'failed', arguments: '{"code":"1"}', durationMs: 300 },
      ],
    },
    {
      ...{ id: 'run-2', isWoken: true, isOver: true, answer: 'It has run.', fetched: [REQUEST] },
      tools: [{ name: 'oauth3_status', state: 'done', durationMs: 0 }],
    },
    {
      id: 'run-3',
      isWoken: true,
      isOver: false,
      answer: '',
      tools: [{ state: 'running', durationMs: null }],
    },
  ])
  expect(runs([...RECORD, question])?.at(-1)).toMatchObject({ id: 'run-3', isOver: true })
  expect(runs([says('chatcmpl_2', 'a', { turnBoundary: true })])).toMatchObject([{ isWoken: false }])
  const nulls = { timestamp: null, model: null, stopReason: null, toolCallId: null, isError: null }
  expect(runs([{ ...says('run-4', 'said'), ...nulls }])).toMatchObject([{ isOver: false, answer: 'said' }])
})

it('takes of a record what is of a form that is known, cut and clean', () => {
  const odd = [
    ...[null, 7, {}, { role: 'assistant' }, { role: 'assistant', content: 'a', ...of('chatcmpl_1') }],
    asks('a run/..', call('t', 'exec', {}), 1),
    asks('run-1', call('t1', 'x'.repeat(100), { key: `the-token ${'y'.repeat(5_000)}` }), 1),
    result('run-1', 'nobody', 2),
    asks('run-1', call('t2', 'of the-token', {}), 1),
    asks('run-1', call('t'.repeat(201), 'exec', {}), 1),
  ]
  const found = runs(odd, (text) => text.replaceAll('the-token', '…'))
  expect(found?.map(({ id }) => id)).toEqual(['chatcmpl_1', 'run-1'])
  const [tool, second, third] = found?.[1]?.tools ?? []
  expect(tool).toMatchObject({ name: `${'x'.repeat(63)}…`, state: 'running' })
  expect([...(tool?.arguments ?? '')]).toHaveLength(400)
  expect(tool?.arguments).not.toContain('the-token')
  expect([second?.name, third]).toEqual(['of …', undefined])
  for (const text of ['', '[]', '{"messages":{}}', '{']) expect(runsOf(text, String)).toBeUndefined()
})

it('hears a record while it is there, without the gateway’s token, and anew where the connection ends', async () => {
  const token = 'demo-gateway-token-that-stays-inside-0123456789'
  const asked: string[] = []
  const long = 'x'.repeat(4 * 1_048_576)
  const told = (...args: unknown[]) =>
    `event: history\ndata: ${JSON.stringify({ messages: [asks('run-1', call('t1', 'exec', args), 1)] })}\n\n`
  const answers: ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(404).end(),
    (response) => response.end(`retry: 1000\n\n${told(token, Buffer.from(token).toString('base64'))}`),
    (response) => response.end(told(long)),
    (response) => response.write(told('kept')),
  ]
  const heard: { args: string | undefined; isFirst: boolean }[] = []
  const last = Promise.withResolvers<void>()
  const defects: unknown[] = []
  const watch = watchSession({
    async open() {
      const [stream, far] = duplexPair()
      createServer(({ url = '' }, response) => {
        asked.push(url)
        answers.shift()?.(response)
      }).emit('connection', far)
      return { stream, gatewayToken: token }
    },
    async heard([run], isFirst) {
      heard.push({ args: run?.tools[0]?.arguments, isFirst })
      if (heard.length === 2) last.resolve()
    },
    log: (_message, error) => defects.push(error),
  })
  await last.promise
  watch.close()
  expect(defects).toEqual([])
  expect(heard).toEqual([
    { args: expect.not.stringContaining(token), isFirst: true },
    { args: '["kept"]', isFirst: true },
  ])
  expect(heard[0]?.args).not.toContain(Buffer.from(token).toString('base64'))
  const path = '/sessions/agent%3Amain%3Amain/history?limit='
  expect(asked).toEqual([60, 60, 60, 8].map((limit) => path + limit))
})

it('tells a machine nothing before its files are all there', async () => {
  let isWhole = false
  const link = createControlLink({ token: null, model: 'm', providers: [] }, () => isWhole)
  const dial = async (): Promise<string> => {
    const [near, far] = duplexPair()
    link.connection(near as Socket)
    far.write('{"oauth3":1,"role":"control"}\n')
    const over = once(near, 'close').then(() => 'closed')
    return await Promise.race([once(far, 'data').then(String), over])
  }
  expect(await dial()).toBe('closed')
  isWhole = true
  expect(JSON.parse(await dial())).toMatchObject({ do: 'configure', model: 'm' })
  link.close()
})

it('leaves others their turns, however fast a machine tells its record', async () => {
  let turns = 0
  let ticking = setImmediate(function tick() {
    turns += 1
    ticking = setImmediate(tick)
  })
  const at: number[] = []
  const last = Promise.withResolvers<void>()
  const watch = watchSession({
    async open() {
      const [stream, far] = duplexPair()
      createServer((_request, response) => {
        response.write(`data: ${JSON.stringify({ messages: [asks('run-1', {}, 1)] })}\n`.repeat(2_000))
      }).emit('connection', far)
      return { stream, gatewayToken: 'demo-gateway-token-that-stays-inside-0123456789' }
    },
    async heard() {
      if (at.push(turns) === 2_000) last.resolve()
    },
    log: (_message, error) => last.reject(error),
  })
  await last.promise
  watch.close()
  clearImmediate(ticking)
  expect(new Set(at).size).toBeGreaterThan(3)
})

it('leaves others their turns, however many events of an answer say nothing', async () => {
  let turns = 0
  let ticking = setImmediate(function tick() {
    turns += 1
    ticking = setImmediate(tick)
  })
  const body = `${'data: {}\n\n'.repeat(5_000)}${events(piece('a', 'stop'), '[DONE]')}`
  let before = 0
  const { said } = await ask((_request, response) => {
    before = turns
    response.end(body)
  })
  clearImmediate(ticking)
  expect(said).toEqual(['a'])
  expect(turns - before).toBeGreaterThan(20)
})

it('dials a machine less and less that tells its record and hangs up', async () => {
  const pauses: number[] = []
  const enough = Promise.withResolvers<void>()
  const watch = watchSession({
    async open() {
      const [stream, far] = duplexPair()
      createServer((_request, response) => {
        response.end(events({ messages: [asks('run-1', {}, 1)] }))
      }).emit('connection', far)
      return { stream, gatewayToken: 'demo-gateway-token-that-stays-inside-0123456789' }
    },
    heard: async () => {},
    log: (_message, error) => enough.reject(error),
    async pause(ms) {
      if (pauses.push(ms) === 10) enough.resolve()
    },
  })
  await enough.promise
  watch.close()
  expect(pauses.slice(0, 10)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
})

it('leaves others their turns, however much a machine says at its control socket', async () => {
  const link = createControlLink({ token: null, model: 'm', providers: [] }, () => true)
  const [near, far] = duplexPair()
  link.connection(near as Socket)
  far.write('{"oauth3":1,"role":"control"}\n')
  // What is to be done, which stands for all that comes before.
  await once(far, 'data')
  const gatewayToken = 'demo-gateway-token-that-stays-inside-0123456789'
  far.write(`${'{}\n'.repeat(5_000)}${JSON.stringify({ state: 'ready', gatewayToken })}\n`)
  let turns = 0
  while (link.gatewayToken() === null) {
    await nextTurn()
    turns += 1
  }
  expect(turns).toBeGreaterThan(5)
  link.close()
})
