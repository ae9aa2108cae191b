import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import express from 'express'
import { expect, test } from 'vitest'
import { AppError, ERROR_TABLE, type ErrorCode } from '../kernel/index.ts'
import { LLM_ERRORS } from '../llm/proxy/index.ts'
import { answerApiError, createErrorHandler, writeError } from './error-answer.ts'

/** What a server that answers so sends, byte for byte. */
async function sentBy(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer({}, answer)
  server.on('upgrade', (_request, socket) =>
    writeError(socket, { status: 403, headers: ['content-type', 'text/plain'], body: 'nö' }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const upgrade =
      answer === undefined ? 'Upgrade: websocket\r\nConnection: Upgrade\r\n' : 'Connection: close\r\n'
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${upgrade}\r\n`)
    return await text(socket)
  } finally {
    server.close()
  }
}

test('each code is answered with the status of its row, its message and when to come again', async () => {
  for (const code of Object.keys(ERROR_TABLE) as ErrorCode[]) {
    const error = new AppError(code, 'Because.', { retryAfterSeconds: 7, details: { why: 1 } })
    const sent = await sentBy((_request, response) => answerApiError(response, error))
    expect(sent).toMatch(new RegExp(`^HTTP/1.1 ${ERROR_TABLE[code].status} `))
    expect(sent).toMatch(/^retry-after: 7\r$/im)
    expect(/^www-authenticate:/im.test(sent), code).toBe(code === 'unauthenticated')
    expect(JSON.parse(sent.split('\r\n\r\n')[1] ?? '')).toEqual({
      error: { code, message: 'Because.', details: { why: 1 } },
    })
  }
})

test('a connection without a response object gets a whole answer, and its end', async () => {
  const sent = await sentBy(undefined)
  expect(sent).toBe(
    'HTTP/1.1 403 Refused\r\ncontent-type: text/plain\r\ncontent-length: 3\r\nconnection: close\r\n\r\nnö',
  )
})

test('a code that the LLM proxy shares with the APIs has one status', () => {
  for (const [code, { status }] of Object.entries(LLM_ERRORS)) {
    if (Object.hasOwn(ERROR_TABLE, code))
      expect([code, status]).toEqual([code, ERROR_TABLE[code as ErrorCode].status])
  }
})

test('no surface writes a status line of its own but the server of HTTP/1.1, and the one that passes on a host’s', () => {
  const surfaces = join(import.meta.dirname, '..')
  const writing = readdirSync(surfaces, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => readFileSync(join(surfaces, file), 'utf8').includes('`HTTP/1.1 ${'))
  expect(writing.sort()).toEqual([
    'egress/relay/websocket.ts',
    'http/error-answer.ts',
    'http/http1/served-response.ts',
  ])
})

test('a body that is too large is told the limit of its own route', async () => {
  const app = express()
  app.use('/small', express.json({ limit: 1_024 }))
  app.use('/large', express.json({ limit: 2 * 1_048_576 }))
  app.use(createErrorHandler({ error: () => {} }))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const told = async (path: string): Promise<string> => {
      const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify('x'.repeat(2 * 1_048_576)),
      })
      return `${response.status} ${((await response.json()) as { error: { message: string } }).error.message}`
    }
    expect(await told('/small')).toBe('413 The body is larger than 1.0 KiB.')
    expect(await told('/large')).toBe('413 The body is larger than 2.0 MiB.')
  } finally {
    server.close()
  }
})
