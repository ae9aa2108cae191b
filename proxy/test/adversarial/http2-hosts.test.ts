/** Hosts of HTTP/2 that end their answers, their streams and their connections as no library would. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { expect, test, vi } from 'vitest'
import { ask, openRequest, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit } from '../support/gateway-kit.ts'
import {
  DATA,
  data,
  END_STREAM,
  type Frame,
  type FrameHost,
  goAway,
  HEADERS,
  INITIAL_WINDOW,
  ok,
  reset,
  startFrameHost,
  windowUpdate,
} from '../support/http2-frames.ts'

const HOST = 'api.example.com'
const NO_ERROR = 0

async function withHost(
  said: (frame: Frame, socket: TLSSocket) => void,
  work: (host: {
    readonly run: Awaited<ReturnType<Awaited<ReturnType<typeof createGatewayKit>>['run']>>
    readonly place: string
    readonly connections: FrameHost['connections']
  }) => Promise<void>,
  settings: Readonly<Record<number, number>> = {},
): Promise<void> {
  await using host = await startFrameHost(HOST, said, settings)
  await using kit = await createGatewayKit({ tls: { ca: host.ca } })
  const place = `${HOST}:${host.port}`
  await work({ run: await kit.run([place]), place, connections: host.connections })
  expect(kit.logged).toEqual([])
}

const answered = async (answer: IncomingMessage): Promise<string> => {
  const body = await text(answer).catch(() => 'broken off')
  answer.socket.destroy()
  return body
}

test('an answer that is reset without an error in its middle never looks whole', async () => {
  await withHost(
    ({ type, stream }, socket) => {
      if (type !== HEADERS) return
      socket.write(Buffer.concat([ok(stream), data(stream, 'half of it')]))
      setTimeout(() => socket.write(reset(stream, NO_ERROR)), 20)
    },
    async ({ run, place }) => {
      const answer = await openRequest(run.endpoint, `https://${place}/`)
      expect(answer.statusCode).toBe(200)
      expect(await answered(answer)).toBe('broken off')
      expect(answer.complete).toBe(false)
    },
  )
})

test('a stream that is reset without an error before any answer is no answer', async () => {
  await withHost(
    ({ type, stream }, socket) => {
      if (type === HEADERS) socket.write(reset(stream, NO_ERROR))
    },
    async ({ run, place, connections }) => {
      expect((await ask(run.endpoint, `https://${place}/`)).rule).toBe('unreachable')
      expect((await ask(run.endpoint, `https://${place}/`)).rule).toBe('unreachable')
      expect(connections).toHaveLength(2)
    },
  )
})

test('an early answer is whole, and the rest of its request is not waited for', async () => {
  const sent = Buffer.alloc(300_000, 'a')
  await withHost(
    ({ type, stream }, socket) => {
      // All that the first window takes has come; the rest never may.
      if (type !== HEADERS) return
      socket.write(
        Buffer.concat([ok(stream), data(stream, 'too large', END_STREAM), reset(stream, NO_ERROR)]),
      )
    },
    async ({ run, place, connections }) => {
      const got = await ask(run.endpoint, `https://${place}/upload`, {
        method: 'POST',
        body: sent,
        headers: { 'content-length': '300000' },
      })
      expect([got.status, got.body]).toEqual([200, 'too large'])
      // Half of a request was sent there: it takes no other.
      await ask(run.endpoint, `https://${place}/`)
      expect(connections).toHaveLength(2)
    },
  )
})

test.each([
  ['its host is gone', {}, (stream: number, socket: TLSSocket) => socket.end(goAway(stream, NO_ERROR))],
  [
    'the rest of its request is refused',
    { method: 'POST', body: Buffer.alloc(300_000), headers: { 'content-length': '300000' } },
    (stream: number, socket: TLSSocket) => socket.write(reset(stream, 5)),
  ],
])('a whole answer reaches a slow reader whole, though %s', async (_how, options, then) => {
  const BYTES = 200_000
  await withHost(
    ({ type, stream }, socket) => {
      if (type !== HEADERS) return
      const content = Buffer.alloc(BYTES, 'b')
      socket.write(ok(stream))
      for (let at = 0; at < BYTES; at += 16_384) {
        const end = at + 16_384 >= BYTES ? END_STREAM : 0
        socket.write(data(stream, content.subarray(at, at + 16_384), end))
      }
      then(stream, socket)
    },
    async ({ run, place, connections }) => {
      const answer = await openRequest(run.endpoint, `https://${place}/`, options)
      answer.pause()
      await vi.waitFor(() => expect(connections[0]?.destroyed).toBe(true))
      expect((await answered(answer)).length).toBe(BYTES)
    },
  )
})

test('a host that goes away answers what it has taken, and is connected to anew', async () => {
  await withHost(
    ({ type, stream }, socket) => {
      if (type !== HEADERS) return
      socket.write(goAway(stream, NO_ERROR))
      setTimeout(() => socket.write(Buffer.concat([ok(stream), data(stream, 'the last', END_STREAM)])), 20)
    },
    async ({ run, place, connections }) => {
      expect((await ask(run.endpoint, `https://${place}/`)).body).toBe('the last')
      expect((await ask(run.endpoint, `https://${place}/`)).body).toBe('the last')
      expect(connections).toHaveLength(2)
    },
  )
})

test('what code breaks off ends with its connection, whatever the host says then', async () => {
  const begun: { readonly socket: TLSSocket; readonly stream: number }[] = []
  await withHost(
    ({ type, stream }, socket) => {
      if (type === HEADERS) begun.push({ socket, stream })
      else if (type === DATA) socket.write(ok(stream))
    },
    async ({ run, place }) => {
      for (let time = 0; time < 3; time += 1) {
        const socket = await tlsThrough(run.endpoint, place)
        socket.write(
          `POST /upload HTTP/1.1\r\nHost: ${place}\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(50_000)}`,
        )
        await vi.waitFor(() => expect(begun).toHaveLength(time + 1))
        const last = begun.at(-1)
        if (last === undefined) throw new Error('nothing came')
        const gone = last.socket.destroyed ? Promise.resolve() : once(last.socket, 'close')
        socket.destroy()
        // A host that gives room for what will not come any more.
        const given = setInterval(() => last.socket.write(windowUpdate(last.stream, 1_000)), 1)
        await gone
        clearInterval(given)
      }
      expect(new Set(begun.map(({ socket }) => socket)).size).toBe(3)
    },
    { [INITIAL_WINDOW]: 0 },
  )
})
