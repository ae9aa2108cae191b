import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { localServers } from '../../../test/support/local-servers.ts'
import { createScrubber } from '../../scrub/index.ts'
import type { EgressDial } from '../index.ts'
import { readEarly } from './early-bytes.ts'
import { openWebSocket, type WebSocketOpening } from './websocket.ts'

const { ends, listening } = localServers()

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
const SWITCHED = `HTTP/1.1 101 Switching Protocols\r\n${UPGRADE}`

/** The client, and the daemon's end of its connection, once its handshake is there. */
async function asked(
  dial: EgressDial['dial'],
  more: Partial<WebSocketOpening> = {},
): Promise<{ client: Socket; inner: Socket }> {
  const server = createServer()
  const inner = Promise.withResolvers<Socket>()
  server.on('upgrade', (_request, socket: Socket, head) => {
    socket.on('error', () => {})
    ends.push(() => socket.destroy())
    inner.resolve(socket)
    openWebSocket({
      ...{
        socket,
        early: readEarly(socket, head),
        dial: { dial } as EgressDial,
        scrubber: null,
        approved: 'private',
        method: 'GET',
      },
      ...{ target: { scheme: 'http', host: 'ws.example', port: 80 }, path: '/' },
      headers: ['connection', 'upgrade', 'upgrade', 'websocket'],
      onStatus() {},
      onRequestBytes() {},
      onResponseBytes() {},
      refuse: () => socket.destroy(),
      fail: () => socket.destroy(),
      ...more,
    })
  })
  const client = connect(await listening(server), '127.0.0.1')
  client.on('error', () => {})
  ends.push(() => client.destroy())
  client.write(`GET / HTTP/1.1\r\nHost: x\r\n${UPGRADE}`)
  return { client, inner: await inner.promise }
}

/** An open session: client and upstream, and the daemon's end of each connection. */
async function opened(more: Partial<WebSocketOpening> = {}) {
  const arrived = Promise.withResolvers<Socket>()
  const port = await listening(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      ends.push(() => socket.destroy())
      socket.once('data', () => {
        socket.write(SWITCHED)
        arrived.resolve(socket)
      })
    }),
  )
  const outer = connect(port, '127.0.0.1')
  await once(outer, 'connect')
  const { client, inner } = await asked(async () => outer, more)
  const [head] = (await once(client, 'data')) as [Buffer]
  expect(String(head)).toMatch(/^HTTP\/1\.1 101 /)
  return { client, inner, outer, upstream: await arrived.promise }
}

describe('who does not read', () => {
  const MUCH = Buffer.alloc(32 * 1_048_576, 'x')

  it.each(['client', 'upstream'] as const)('holds the other up: the %s', async (slow) => {
    const { client, inner, outer, upstream } = await opened()
    const [from, to, held] = slow === 'client' ? [upstream, client, outer] : [client, upstream, inner]
    to.pause()
    const isHeld = once(held, 'pause')
    from.write(MUCH)
    await isHeld
    expect(held.isPaused()).toBe(true)
    let got = 0
    const all = new Promise<void>((resolve) => {
      to.on('data', (chunk: Buffer) => {
        got += chunk.length
        if (got === MUCH.length) resolve()
      })
    })
    to.resume()
    await all
  })
})

it('ends a session whose bytes cannot be searched, and gives none of them', async () => {
  const { client, upstream } = await opened({ scrubber: createScrubber(new Map([['key', 'demo-value-1']])) })
  const got: Buffer[] = []
  client.on('data', (chunk: Buffer) => void got.push(chunk))
  const closed = once(client, 'close')
  // A frame with the bit of an extension that was not agreed.
  upstream.write(Buffer.concat([Buffer.from([0xc1, 4]), Buffer.from('demo')]))
  await closed
  expect(Buffer.concat(got).toString('latin1')).toBe('')
})

it('gives up what is being dialled for a client that has left', async () => {
  const dialled = Promise.withResolvers<AbortSignal>()
  const { client } = await asked((_target, _approved, signal) => {
    dialled.resolve(signal as AbortSignal)
    return new Promise(() => {})
  })
  const signal = await dialled.promise
  expect(signal.aborted).toBe(false)
  const left = once(signal, 'abort')
  client.destroy()
  await left
})
