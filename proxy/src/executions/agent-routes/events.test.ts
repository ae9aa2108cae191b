import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { afterEach, expect, test } from 'vitest'
import { createErrorHandler } from '../../http/index.ts'
import type { Execution } from '../index.ts'
import { streamEvents } from './events.ts'

let server: Server
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const at = (status: Execution['status'], stdout = ''): Execution =>
  ({
    requestId: `req_${'0'.repeat(32)}`,
    skillId: 'demo',
    status,
    codeHash: 'a'.repeat(64),
    createdAt: 0,
    expiresAt: 1,
    finishedAt: 1,
    trusted: false,
    failure: null,
    durationMs: 1,
    result: { stdout, stderr: '', exitCode: 0, truncated: false },
  }) as unknown as Execution

/** A stream of what `transitions` yields, over a real socket. */
async function serve(
  transitions: (gone: AbortSignal) => AsyncGenerator<Execution>,
): Promise<IncomingMessage> {
  const app = express()
  app.get('/', async (_request, response) => {
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const options = { signal: gone.signal, lastEventId: undefined, onFinal: () => {}, heartbeatMs: 20 }
    await streamEvents(response, transitions(gone.signal), options)
  })
  app.use(createErrorHandler({ error: () => {} }))
  server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new Promise((resolve, reject) => {
    get(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, resolve).on('error', reject)
  })
}

async function textOf(stream: IncomingMessage, onText: (soFar: string) => void = () => {}): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    text += chunk
    onText(text)
  }
  return text
}

test('a quiet stream is kept alive by comments, which are no events', async () => {
  const { promise: keptAlive, resolve } = Promise.withResolvers<void>()
  const stream = await serve(async function* () {
    yield at('pending')
    await keptAlive
    yield at('denied')
  })
  const text = await textOf(stream, (soFar) => {
    if ((soFar.match(/^: alive$/gm) ?? []).length > 2) resolve()
  })
  expect(text.match(/^: alive$/gm)?.length).toBeGreaterThan(2)
  expect(text.match(/^event: .*$/gm)).toEqual(['event: pending', 'event: denied'])
})

test('a client that does not read is not written to without end, and its leaving ends the stream', async () => {
  let given = 0
  let ended = false
  const stream = await serve(async function* (gone) {
    try {
      while (!gone.aborted) {
        given += 1
        yield at('success', 'x'.repeat(262_144))
      }
    } finally {
      ended = true
    }
  })
  stream.pause()
  await sleep(300)
  const before = given
  await sleep(200)
  expect(given).toBe(before)
  expect(given).toBeLessThan(200)
  stream.destroy()
  await sleep(100)
  expect(ended).toBe(true)
})

test('a stream that fails is broken off: none without its final state ends as if it were whole', async () => {
  const stream = await serve(async function* () {
    yield at('pending')
    throw new Error('the database went away')
  })
  await expect(textOf(stream)).rejects.toThrow('aborted')
})
