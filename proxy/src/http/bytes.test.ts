import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import express, { type Response } from 'express'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { Route } from '../contracts/index.ts'
import { AppError } from '../kernel/index.ts'
import { sendFile } from './bytes.ts'
import { createErrorHandler } from './error-answer.ts'
import { mountRoutes } from './mount-routes.ts'

const ROUTES = {
  take: {
    method: 'GET',
    path: '/file',
    summary: '',
    scope: '',
    answer: z.string(),
    isBytes: true,
    errors: [],
  },
  put: {
    ...{ method: 'PUT', path: '/file', summary: '', scope: '', answer: z.object({ text: z.string() }) },
    ...{ takesBytes: true, maxBodyBytes: 100, errors: [] },
  },
} as const satisfies Readonly<Record<string, Route>>

/** More than sockets and their buffers take. */
const LARGE = Buffer.alloc(32 * 1_048_576)
let isAllowed = true
let ending = new AbortController()
let server: Server
let disposed = Promise.withResolvers<void>()

beforeAll(async () => {
  const app = express()
  mountRoutes(app, ROUTES, () => ({
    handlers: {
      take: async () => ({
        ...{ name: '../a"b\u202e', content: LARGE, until: ending.signal },
        [Symbol.dispose]: () => disposed.resolve(),
      }),
      put: async ({ upload }) => ({
        text: Buffer.concat(await Array.fromAsync(upload.source)).toString(),
      }),
    },
    assertAllowed: () => {
      if (!isAllowed) throw new AppError('unauthenticated', 'You are not signed in any more.')
    },
  }))
  app.use(createErrorHandler({ error: () => {} }))
  server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => void server.close())

const call = (method: string, headers: Record<string, string> = {}) => {
  const { port } = server.address() as AddressInfo
  return request({ port, method, path: '/file', agent: false, headers })
}
async function answerOf(asked: ReturnType<typeof call>): Promise<IncomingMessage> {
  return (await once(asked, 'response'))[0] as IncomingMessage
}

it.each([
  [
    'whoever reads it may no more',
    () => {
      isAllowed = false
    },
  ],
  ['it is taken back', () => ending.abort()],
])('a file is sent no further once %s', async (_when, end) => {
  ;[isAllowed, ending, disposed] = [true, new AbortController(), Promise.withResolvers()]
  const response = await answerOf(call('GET').end())
  expect(response.headers['content-length']).toBe(String(LARGE.length))
  end()
  await expect(buffer(response).then(({ length }) => length)).rejects.toThrow()
  await disposed.promise
})

it('a file is told to be one, whatever it is called, and comes whole', async () => {
  ;[isAllowed, ending] = [true, new AbortController()]
  const response = await answerOf(call('GET').end())
  expect(response.headers['content-type']).toBe('application/octet-stream')
  expect(response.headers['content-disposition']).toMatch(/^attachment; filename="a\\"b\?"/)
  expect((await buffer(response)).length).toBe(LARGE.length)
})

it('bytes are taken from who may when all of them are there', async () => {
  isAllowed = true
  const type = { 'content-type': 'application/octet-stream' }
  const first = call('PUT', { ...type, 'content-length': '4' })
  first.end('text')
  expect(String(await buffer(await answerOf(first)))).toBe('{"text":"text"}')
  const late = call('PUT', { ...type, 'content-length': '4' })
  late.write('te')
  await once(server, 'request')
  isAllowed = false
  late.end('xt')
  expect((await answerOf(late)).statusCode).toBe(401)
  isAllowed = true
  for (const [status, headers] of [
    [413, { ...type, 'content-length': '101' }],
    [400, { ...type, 'transfer-encoding': 'chunked' }],
    [415, { 'content-type': 'text/plain', 'content-length': '1' }],
  ] as const) {
    const refused = call('PUT', headers)
    refused.on('error', () => {})
    refused.write('x')
    expect((await answerOf(refused)).statusCode).toBe(status)
    refused.destroy()
  }
})

it('whoever takes a file ever so slowly is not waited for without end', async () => {
  vi.useFakeTimers()
  try {
    const slow = Object.assign(new EventEmitter(), {
      destroyed: false,
      writableNeedDrain: true,
      ...{ attachment() {}, setHeader() {}, write() {}, end() {} },
      destroy() {
        slow.destroyed = true
        slow.emit('close')
      },
    })
    const file = { name: 'a', content: LARGE, until: new AbortController().signal, [Symbol.dispose]() {} }
    const sent = sendFile(slow as unknown as Response, file, () => {})
    let seconds = 0
    for (; seconds < 600 && !slow.destroyed; seconds += 20) {
      await vi.advanceTimersByTimeAsync(20_000)
      slow.emit('drain')
    }
    expect(seconds).toBe(300)
    await sent
  } finally {
    vi.useRealTimers()
  }
})

it('a file is not fetched for its head alone', async () => {
  isAllowed = true
  expect((await answerOf(call('HEAD').end())).statusCode).toBe(404)
})
