import { request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ClaudeRunsKit, startClaudeRuns } from '../support/claude-runs-kit.ts'
import { patience } from '../support/pace.ts'

type Json = Record<string, unknown>
const json = async (response: Response): Promise<Json> => (await response.json()) as Json

let kit: ClaudeRunsKit
let now: number
beforeEach(async () => {
  now = 1_700_000_000_000
  kit = await startClaudeRuns({
    clock: { now: () => now },
    environment: { CLAWDFORGE_MAX_FILE_BYTES: '4294967296', CLAWDFORGE_APP_MAX_BYTES: '8589934592' },
  })
})
afterEach(() => kit[Symbol.asyncDispose]())

const refusal = async (response: Response): Promise<unknown> => [response.status, (await json(response)).code]

describe('a file', () => {
  it('is its uploader’s alone, and nobody else’s run, list or DELETE finds it', async () => {
    const [mine, theirs] = [await kit.addApp('mine'), await kit.addApp('theirs')]
    const up = await kit.upload(mine.token, 'demo content', { ttl_secs: '600' }, '../../etc/my notes.txt')
    expect(up.status).toBe(200)
    const file = await json(up)
    expect(file).toMatchObject({ ttl_secs: 600, size: 12, name: 'my_notes.txt' })
    expect(file.file_token).toMatch(/^ff_[0-9a-f]{32}$/)
    const asked = { prompt: 'hi', files: [file.file_token] }
    expect(await refusal(await kit.postRun(theirs.token, asked))).toEqual([404, 'not_found'])
    const away = await kit.call(`/files/${file.file_token}`, theirs.token, { method: 'DELETE' })
    expect(await refusal(away)).toEqual([404, 'not_found'])
    expect(await json(await kit.call('/files', theirs.token))).toEqual({ files: [] })
    expect(kit.runner.orders).toEqual([])
    expect((await kit.postRun(mine.token, asked)).status).toBe(200)
    expect(kit.runner.orders[0]?.files).toMatchObject([{ name: 'my_notes.txt', bytes: 12 }])
    expect(await json(await kit.call('/files', mine.token))).toMatchObject({ files: [{ size: 12 }] })
    expect((await kit.call(`/files/${file.file_token}`, mine.token, { method: 'DELETE' })).status).toBe(200)
    expect(await refusal(await kit.postRun(mine.token, asked))).toEqual([404, 'not_found'])
  })

  it('is told gone when its time is over, then forgotten, and its content with it', async () => {
    const { token } = await kit.addApp()
    const { file_token: id } = await json(await kit.upload(token, 'x', { ttl_secs: '60' }))
    now += 60_000
    expect(await refusal(await kit.postRun(token, { prompt: 'hi', files: [id] }))).toEqual([410, 'gone'])
    now += 600_000
    await kit.runs.tick()
    expect(await refusal(await kit.postRun(token, { prompt: 'hi', files: [id] }))).toEqual([404, 'not_found'])
    expect(await kit.storage.read((tx) => tx.appFiles.blobs())).toEqual([])
  })

  it('of a run that waits, and that went meanwhile, ends the run before it begins', async () => {
    await using one = await startClaudeRuns({ environment: { CLAWDFORGE_MAX_RUNS: '1' } })
    const gate = Promise.withResolvers<void>()
    one.runner.play = () => gate.promise.then(() => ({}))
    const { token } = await one.addApp()
    const { file_token: id } = await json(await one.upload(token, 'x'))
    const first = one.postRun(token, { prompt: 'a' })
    await expect.poll(() => one.runner.orders.length).toBe(1)
    const second = one.postRun(token, { prompt: 'b', files: [id] })
    await expect.poll(() => one.runs.counts.waiting).toBe(1)
    await one.call(`/files/${id}`, token, { method: 'DELETE' })
    gate.resolve()
    await first
    expect(await refusal(await second)).toEqual([410, 'file_gone'])
    expect(one.runner.orders).toHaveLength(1)
  })

  it.each([
    ['no form', { body: 'x', headers: { 'content-type': 'text/plain' } }, 415, 'unsupported_media_type'],
    ['a short time', { fields: { ttl_secs: '59' } }, 400, 'invalid_request'],
    ['a long time', { fields: { ttl_secs: '86401' } }, 400, 'invalid_request'],
    ['another field', { fields: { other: 'x' } }, 400, 'invalid_request'],
    ['no file', { body: new FormData() }, 400, 'invalid_request'],
  ] as const)('is refused with %s, and nothing is kept', async (_what, sent, status, code) => {
    const { token } = await kit.addApp()
    const answer =
      'fields' in sent
        ? await kit.upload(token, 'x', sent.fields)
        : await kit.call('/files', token, { method: 'POST', ...sent })
    expect(await refusal(answer)).toEqual([status, code])
    expect(await kit.storage.read((tx) => tx.appFiles.blobs())).toEqual([])
  })

  it('that is too large, or comes on top of what an app may keep, is refused', async () => {
    await using small = await startClaudeRuns({
      environment: { CLAWDFORGE_MAX_FILE_BYTES: '700000', CLAWDFORGE_APP_MAX_BYTES: '1048576' },
    })
    const { token } = await small.addApp()
    const bytes = new Uint8Array(700_000)
    expect(await refusal(await small.upload(token, new Uint8Array(700_001)))).toEqual([413, 'too_large'])
    expect((await small.upload(token, bytes)).status).toBe(200)
    expect(await refusal(await small.upload(token, bytes))).toEqual([413, 'too_large'])
    expect(await small.storage.read((tx) => tx.appFiles.blobs())).toHaveLength(1)
  })
})

/** A form that is never in memory; `bytes` of its file. */
async function post(
  url: string,
  token: string,
  bytes: number,
  cutAt = Number.POSITIVE_INFINITY,
): Promise<number> {
  const boundary = 'demo-boundary'
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="big.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`
  const tail = `\r\n--${boundary}--\r\n`
  const piece = Buffer.alloc(1_048_576, 7)
  const { promise, resolve } = Promise.withResolvers<number>()
  const request = httpRequest(
    `${url}/files`,
    {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': `multipart/form-data; boundary=${boundary}`,
        'content-length': head.length + bytes + tail.length,
      },
    },
    (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    },
  )
  request.on('error', () => resolve(0))
  const body = async function* (): AsyncGenerator<Buffer | string> {
    yield head
    for (let sent = 0; sent < bytes; sent += piece.length) {
      if (sent >= cutAt) return void request.destroy()
      yield piece.subarray(0, Math.min(piece.length, bytes - sent))
    }
    yield tail
  }
  Readable.from(body()).pipe(request)
  return await promise
}

/** `CLAUDE_RUNS_UPLOAD_MIB=2048` for the largest that is allowed, which takes a minute or two. */
const LARGE_BYTES = Number(process.env.CLAUDE_RUNS_UPLOAD_MIB ?? 256) * 1_048_576

describe('an upload', () => {
  it.each([
    ['its app is revoked', 'unauthenticated', () => kit.apps.revoke('demo', 'cli:0')],
    ['everything stops', 'locked', () => kit.lockdown.begin({ actor: 'cli:0', name: null })],
  ])('is not kept where %s meanwhile', async (_what, code, act) => {
    const { app } = await kit.addApp()
    const source = Readable.from(
      (async function* () {
        yield Buffer.from('first')
        await act()
        yield Buffer.from('second')
      })(),
    )
    const ttlMs = (): number => 60_000
    const signal = new AbortController().signal
    await expect(kit.files.upload(app.id, { name: 'x', ttlMs, source, signal })).rejects.toMatchObject({
      code,
    })
    expect(await kit.storage.read((tx) => tx.appFiles.listOf(app.id))).toEqual([])
  })

  it('keeps memory flat, whatever its size, and reads back as it was', {
    timeout: patience(300_000),
  }, async () => {
    const { token, app } = await kit.addApp()
    const bytes = LARGE_BYTES
    await post(kit.url, token, 8 * 1_048_576)
    const before = process.memoryUsage().rss
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before)
    }, 20)
    expect(await post(kit.url, token, bytes)).toBe(200)
    const [file] = (await kit.files.list(app.id)).filter((one) => one.bytes === bytes)
    let read = 0
    let isSame = true
    kit.runner.play = async ({ files }) => {
      for await (const piece of files[0]?.open() ?? []) {
        read += piece.length
        isSame &&= piece[0] === 7 && piece.at(-1) === 7
      }
      return {}
    }
    expect((await kit.postRun(token, { prompt: 'read', files: [file?.id] })).status).toBe(200)
    clearInterval(watch)
    expect([read, isSame]).toEqual([bytes, true])
    expect(most).toBeLessThan(128 * 1_048_576)
  })

  it('that is cut off leaves nothing', async () => {
    const { token } = await kit.addApp()
    expect(await post(kit.url, token, 64 * 1_048_576, 8 * 1_048_576)).toBe(0)
    await expect.poll(() => kit.storage.read((tx) => tx.appFiles.blobs())).toEqual([])
    // One at a time goes on afterwards: no place of the four is lost.
    for (let count = 0; count < 5; count += 1) await post(kit.url, token, 2_097_152, 1_048_576)
    await expect.poll(async () => (await kit.upload(token, 'x')).status).toBe(200)
  })
})
