/** What nobody thought of at the port of apps: edges of limits, odd names, wrong types, clients that leave or stall. One daemon. */
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type ClaudeRunsKit, startClaudeRuns } from '../support/claude-runs-kit.ts'

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json

let kit: ClaudeRunsKit
let token: string
let freeBytes = 1e12
beforeAll(async () => {
  kit = await startClaudeRuns({ reconnectMs: 1, readFreeBytes: () => freeBytes })
  ;({ token } = await kit.addApp())
})
afterAll(() => kit[Symbol.asyncDispose]())
afterEach(async () => {
  kit.runner.play = () => ({})
  await expect.poll(() => kit.runs.counts).toEqual({ running: 0, waiting: 0 })
  expect(kit.defects.splice(0)).toEqual([])
})

const status = async (body: object, headers: Record<string, string> = {}): Promise<number> =>
  (await kit.postRun(token, { prompt: 'x', ...body }, headers)).status
const stored = async (): Promise<number> =>
  (await kit.storage.read((tx) => tx.claudeRuns.list({ limit: 10_000 }))).length

/** A raw client: what it writes, and then it goes. */
const leaves = (bytes: string): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(Number(new URL(kit.url).port), '127.0.0.1')
    socket.on('error', () => {}).on('close', () => resolve())
    socket.write(bytes, () => socket.destroy())
  })
const head = (path: string, length: number, type = 'application/json'): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n`

it('every limit is taken at its edge, and refused one beyond it', async () => {
  const cases: readonly (readonly [object, number])[] = [
    [{ timeout_secs: 1 }, 200],
    [{ timeout_secs: 3_600 }, 200],
    ...[0, -1, 3_601, 1e9, 1.5, '5'].map((timeout_secs) => [{ timeout_secs }, 400] as const),
    [{ budget: { usd: 0.000_001 } }, 200],
    [{ budget: { usd: 0.000_000_1 } }, 400],
    [{ budget: { usd: 1_000_001 } }, 400],
    [{ budget: { tokens: 2 ** 53 } }, 400],
    [{ max_turns: 0 }, 400],
    [{ max_turns: 1_000 }, 200],
    [{ tools: Array(65).fill('Bash') }, 400],
    [{ prompt: 'x'.repeat(1_500_000) }, 200],
    [{ prompt: 'x'.repeat(1_500_001) }, 400],
    [{ prompt: '€'.repeat(1_500_000) }, 413],
  ]
  for (const [body, expected] of cases)
    expect(await status(body), JSON.stringify(body).slice(0, 80)).toBe(expected)
  for (const [key, expected] of [
    ['', 400],
    ['a b', 400],
    ['a'.repeat(128), 200],
    ['a'.repeat(129), 400],
  ] as const)
    expect(await status({}, { 'idempotency-key': key }), key).toBe(expected)
})

it('files have names that hide nothing, reach nowhere and are no option', async () => {
  for (const [name, plain] of [
    ['日本語 ファイル.txt', '日本語_ファイル.txt'],
    ['a\u202egpj.exe', 'a_gpj.exe'],
    ['..', 'file'],
    ['', 'file'],
    ['-rf', 'rf'],
  ] as const)
    expect((await json(await kit.upload(token, 'x', {}, name))).name, name).toBe(plain)
  const { name } = await json(await kit.upload(token, 'x', {}, 'x'.repeat(5_000)))
  expect(Buffer.byteLength(String(name))).toBeLessThanOrEqual(255)
})

it('files of one name stand apart, one that is named twice stands there once, an empty one is a file', async () => {
  const ids: unknown[] = []
  for (const name of ['a.txt', 'a.txt', 'A.TXT'])
    ids.push((await json(await kit.upload(token, '', {}, name))).file_token)
  expect(await status({ files: [...ids, ids[0]] })).toBe(200)
  const { files = [] } = kit.runner.orders.at(-1) ?? {}
  expect(files.map((file) => [file.name, file.bytes])).toEqual([
    ['a.txt', 0],
    ['2-a.txt', 0],
    ['3-A.TXT', 0],
  ])
})

it('a file lives as long as it may, and not a second more or less', async () => {
  const ttl = async (ttl_secs: string): Promise<number> => (await kit.upload(token, 'x', { ttl_secs })).status
  expect([await ttl('60'), await ttl('86400')]).toEqual([200, 200])
  for (const wrong of ['59', '86401', '1e3', ' 60', '-60', '٦٠']) expect(await ttl(wrong), wrong).toBe(400)
})

it('a body of another type than the path’s is refused unread', async () => {
  const before = await stored()
  const body = Buffer.from('{"prompt":"x"}')
  const send = async (path: string, headers: Record<string, string>): Promise<number> =>
    (await kit.call(path, token, { method: 'POST', body, headers })).status
  for (const type of ['text/plain', 'application/json; charset=utf-16', 'multipart/form-data; boundary=x'])
    expect(await send('/run', { 'content-type': type }), type).toBe(415)
  expect(await send('/run', { 'content-type': 'application/json', 'content-encoding': 'gzip' })).toBe(415)
  expect(await send('/files', { 'content-type': 'application/json' })).toBe(415)
  for (const type of ['multipart/form-data; boundary=', 'multipart/form-data; boundary=x'])
    expect(await send('/files', { 'content-type': type }), type).toBe(400)
  expect(await stored()).toBe(before)
})

it('a path leads to what it names, and to nothing above it', async () => {
  for (const [method, path, expected] of [
    ['GET', '/run/../admin/tokens', 401],
    ['GET', '/run/%2e%2e%2fadmin', 404],
    ['GET', '/run/run_x%00', 400],
    ['DELETE', '/run/%F0', 400],
    ['DELETE', '/files/%2e%2e%2fproxy.db', 404],
    ['PUT', '/run', 405],
  ] as const)
    expect((await kit.call(path, token, { method })).status, path).toBe(expected)
})

it('stream, schema and session go together', async () => {
  kit.runner.play = (_order, hooks) => {
    hooks.onEvent({ type: 'text', text: '{"qty":1}' })
    return { result: { qty: 1 }, sessionTranscript: Buffer.from('t'), sessionId: 'cli' }
  }
  const answer = await kit.postRun(token, {
    ...{ prompt: 'x', stream: true, session: {} },
    schema: { type: 'object', required: ['qty'] },
  })
  const events = (await answer.text()).split('\n\n').filter((event) => event.startsWith('event: end'))
  expect(events).toHaveLength(1)
  const end = JSON.parse(/^data: (.*)$/m.exec(events[0] ?? '')?.[1] ?? '{}') as Json
  expect(end).toMatchObject({ ok: true, result: { qty: 1 }, session_id: expect.stringMatching(/^ses_/) })
  const { schema, session } = kit.runner.orders.at(-1) ?? {}
  expect([schema, session]).toMatchObject([{ required: ['qty'] }, { id: null, keep: true }])
})

it('a result of any text is told and stored as it is', async () => {
  for (const text of ['\0', '\u2028\r\n', '\ud800', '"', 'y'.repeat(4_000_000)]) {
    kit.runner.play = () => ({ text, result: text })
    expect((await json(await kit.postRun(token, { prompt: 'x' }))).result === text).toBe(true)
  }
})

it('a runner that throws ends its run as a defect, and the next one is well', async () => {
  kit.runner.play = () => {
    throw new Error('a defect')
  }
  const answer = await kit.postRun(token, { prompt: 'x' })
  expect([answer.status, (await json(answer)).code]).toEqual([500, 'internal'])
  expect(kit.defects.splice(0)).toHaveLength(1)
  kit.runner.play = () => ({})
  expect(await status({})).toBe(200)
})

it('a client that leaves while it sends has asked for nothing', async () => {
  const before = [await stored(), kit.runner.orders.length]
  await leaves(head('/run', 1_000))
  await leaves(`${head('/run', 1_000)}{"prompt":"x"`)
  await leaves(
    `${head('/files', 1_000, 'multipart/form-data; boundary=b')}--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf`,
  )
  expect(await status({})).toBe(200)
  expect([await stored(), kit.runner.orders.length]).toEqual(before.map((count) => count + 1))
})

it('a client that leaves right behind its request ends its run, whose place is free', async () => {
  kit.runner.play = () => new Promise(() => {})
  const body = '{"prompt":"leaves"}'
  const before = await stored()
  for (let count = 0; count < 5; count++) await leaves(head('/run', body.length) + body)
  await expect.poll(() => kit.runs.counts).toEqual({ running: 0, waiting: 0 })
  const all = await kit.storage.read((tx) => tx.claudeRuns.list({ limit: 10_000 }))
  expect(all.length).toBeLessThanOrEqual(before + 5)
  expect(all.filter(({ state }) => state === 'queued' || state === 'running')).toEqual([])
})

it('a reader that stalls holds up neither its run nor another', async () => {
  kit.runner.play = (_order, hooks) => {
    for (let count = 0; count < 200; count++) hooks.onEvent({ type: 'text', text: 'x'.repeat(20_000) })
    return {}
  }
  const body = '{"prompt":"stalls","stream":true,"detach":true}'
  const socket = connect(Number(new URL(kit.url).port), '127.0.0.1').pause()
  socket.on('error', () => {})
  const before = kit.runner.orders.length
  socket.write(head('/run', body.length) + body)
  await expect.poll(() => kit.runner.orders.length).toBe(before + 1)
  expect(await status({})).toBe(200)
  await expect.poll(() => kit.runs.counts).toEqual({ running: 0, waiting: 0 })
  socket.destroy()
})

it('a disk that is full takes neither file nor run, and says so; what is there can be read', async () => {
  const { run_id: id } = await json(await kit.postRun(token, { prompt: 'x' }))
  freeBytes = 0
  await kit.freeSpace.look()
  try {
    expect((await kit.upload(token, 'x')).status).toBe(503)
    expect(await status({})).toBe(503)
    expect((await json(await kit.call(`/run/${id}`, token))).result).toBe('hello')
  } finally {
    freeBytes = 1e12
    await kit.freeSpace.look()
  }
  expect((await kit.upload(token, 'x')).status).toBe(200)
})
