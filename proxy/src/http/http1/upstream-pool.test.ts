/** The upstream side, at the wire: no byte of one answer is taken for another's, and whoever waits is told what became of it. */
import type { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { answering, ask, OK, turns, upstream } from '../../../test/support/http1-upstream-kit.ts'
import { MalformedAnswer } from './upstream-connection.ts'
import type { UpstreamExchange } from './upstream-exchange.ts'

describe('a connection', () => {
  it('serves one request after another', async () => {
    const { pool, connections } = await upstream(answering(OK))
    for (let at = 0; at < 5; at += 1) expect(await ask(pool)).toMatchObject({ statuses: [200], body: 'ok' })
    expect(connections()).toBe(1)
    await Promise.all([ask(pool), ask(pool)])
    expect(connections()).toBe(2)
  })

  it.each([
    ['with bytes behind the answer', `${OK}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`],
    ['with a single byte behind it', `${OK}\n`],
    ['that the answer ends', OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')],
    ['of HTTP/1.0', OK.replace('1.1', '1.0')],
    ['whose keep-alive is over by then', OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=1\r\n\r\n')],
    ['with a body where there is none', `HTTP/1.1 204 No Content\r\n\r\n${OK}`],
    ['with a body where nothing changed', `HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nok`],
  ])('%s serves no other', async (_, answer) => {
    const { pool, connections } = await upstream((socket, at) => answering(at === 1 ? answer : OK)(socket))
    const first = await ask(pool)
    expect(first.error).toBe(undefined)
    expect(first.body).not.toContain('forged')
    expect(await ask(pool)).toEqual({ statuses: [200], body: 'ok', error: undefined })
    expect(connections()).toBe(2)
  })

  it('serves no other after HEAD, whatever follows', async () => {
    const { pool, connections } = await upstream(answering(OK))
    expect(await ask(pool, { method: 'HEAD' })).toEqual({ statuses: [200], body: '', error: undefined })
    expect((await ask(pool)).body).toBe('ok')
    expect(connections()).toBe(2)
  })

  it.each([
    ['that was closed', (socket: Socket) => void socket.end()],
    ['that was reset', (socket: Socket) => void socket.resetAndDestroy()],
    [
      'on which an answer came that nobody asked for',
      (socket: Socket) => void socket.write(OK.replace('ok', 'no')),
    ],
  ])('%s meanwhile serves no other', async (_, meanwhile) => {
    const { pool, sockets, connections } = await upstream((socket, at) => {
      answering(OK)(socket)
      if (at === 1) socket.once('data', () => setImmediate(() => setTimeout(meanwhile, 20, socket)))
    })
    await ask(pool)
    await new Promise((resolve) => sockets[0]?.once('close', resolve))
    expect(await ask(pool)).toEqual({ statuses: [200], body: 'ok', error: undefined })
    expect(connections()).toBe(2)
  })

  it('that nobody uses is closed when its time is over', async () => {
    const { pool, sockets } = await upstream(answering(OK), 1)
    await ask(pool)
    await new Promise((resolve) => sockets[0]?.once('close', resolve))
  })

  it('whose time is over serves no other, also before it is closed', async () => {
    const { pool, sockets, connections } = await upstream(answering(OK), 1)
    await ask(pool)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(sockets[0]?.destroyed).toBe(false)
    await ask(pool)
    expect(connections()).toBe(2)
  })

  it.each([
    [6_500, 5_500],
    // Of a host that starts anew nothing is learnt.
    [10, 4_000],
    [59_000, 30_000],
  ])(
    'that its host ended after %s ms without a request has the next ones kept for %s ms',
    async (after, kept) => {
      const hosts: Socket[] = []
      const { pool, sockets } = await upstream((socket) => {
        hosts.push(socket)
        answering(OK)(socket)
      }, 30_000)
      const now = vi.spyOn(performance, 'now')
      const began = Math.round(performance.now())
      now.mockImplementation(() => began)
      await ask(pool)
      now.mockImplementation(() => began + after)
      hosts[0]?.end()
      await new Promise((resolve) => sockets[0]?.once('close', resolve))
      now.mockRestore()
      expect(pool.keepAliveMs).toBe(kept)
    },
  )

  it('that nobody uses is closed when many others rest', async () => {
    const { pool, sockets } = await upstream(answering(OK))
    await Promise.all(Array.from({ length: 260 }, () => ask(pool)))
    expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(256)
  })

  it('serves another when its request was given up before anything was written', async () => {
    const { pool, connections } = await upstream(answering(OK))
    await ask(pool)
    const why = new Error('left')
    const given = await ask(pool, {}, { onRequestStart: (exchange) => exchange.abort(why) })
    expect(given.error).toBe(why)
    expect((await ask(pool)).body).toBe('ok')
    expect(connections()).toBe(1)
  })
})

describe('an answer', () => {
  it.each([
    [
      'two framings',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok'],
    ['a lone line feed', 'HTTP/1.1 200 OK\nContent-Length: 2\n\nok'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok'],
    ['a protocol that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['interim answers without an end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)],
    ['no HTTP', 'SSH-2.0-x\r\n\r\n'],
    ['chunks that are none', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n'],
  ])('of %s is none, and its connection is closed', async (_, answer) => {
    const { pool, sockets } = await upstream(answering(answer))
    expect((await ask(pool)).error).toBeInstanceOf(MalformedAnswer)
    expect(sockets[0]?.destroyed).toBe(true)
  })

  it.each([
    ['before its head', ''],
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-'],
    ['in a body with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n'],
  ])('that breaks off %s is told as broken, and asked for once', async (_, answer) => {
    const { pool, connections } = await upstream((socket) => socket.once('data', () => socket.end(answer)))
    const { error } = await ask(pool)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(MalformedAnswer)
    expect(connections()).toBe(1)
  })

  it('that ends with its connection is whole then', async () => {
    const { pool } = await upstream((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nok')),
    )
    expect(await ask(pool)).toEqual({ statuses: [200], body: 'ok', error: undefined })
  })

  it('comes behind interim ones', async () => {
    const { pool } = await upstream(
      answering(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}`),
    )
    expect(await ask(pool)).toEqual({ statuses: [100, 103, 200], body: 'ok', error: undefined })
  })

  it('of one byte at a time is the same', async () => {
    const { pool } = await upstream((socket) =>
      socket.once('data', async () => {
        socket.setNoDelay(true)
        for (const byte of OK) {
          socket.write(byte)
          await turns(1)
        }
      }),
    )
    expect(await ask(pool)).toEqual({ statuses: [200], body: 'ok', error: undefined })
  })

  it('that is taken slowly is read slowly, and told whole also when the upstream has left', async () => {
    const piece = 'a'.repeat(1_048_576)
    const { pool, sockets } = await upstream((socket) =>
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${32 * piece.length}\r\n\r\n`)
        for (let at = 0; at < 32; at += 1) socket.write(piece)
        socket.end()
      }),
    )
    let exchange: UpstreamExchange | undefined
    let length = 0
    let isOpen = false
    const begun = Promise.withResolvers<void>()
    const all = ask(
      pool,
      {},
      {
        onResponseData(controller, bytes) {
          exchange = controller
          length += bytes.length
          if (isOpen) return
          controller.pause()
          begun.resolve()
        },
      },
    )
    await begun.promise
    await turns(200)
    expect(sockets[0]?.bytesRead).toBeLessThan(1_048_576)
    expect(length).toBeLessThan(200_000)
    isOpen = true
    exchange?.resume()
    expect((await all).error).toBe(undefined)
    expect(length).toBe(32 * piece.length)
  })

  it('that came whole while it was paused is told although its connection was reset', async () => {
    const { pool, sockets } = await upstream(answering(OK))
    let exchange: UpstreamExchange | undefined
    const all = ask(
      pool,
      {},
      {
        onResponseStart(controller) {
          exchange = controller
          controller.pause()
        },
      },
    )
    while (exchange === undefined) await turns(1)
    sockets[0]?.destroy()
    await turns(5)
    exchange.resume()
    expect(await all).toMatchObject({ body: 'ok', error: undefined })
    expect((await ask(pool)).body).toBe('ok')
  })

  it('whose taker throws is broken off', async () => {
    const { pool, sockets } = await upstream(answering(OK))
    for (const name of ['onRequestStart', 'onResponseStart', 'onResponseData'] as const) {
      const why = new Error(name)
      const thrown = (): never => {
        throw why
      }
      expect((await ask(pool, {}, { [name]: thrown })).error).toBe(why)
    }
    expect(sockets.filter(({ destroyed }) => !destroyed).length).toBe(0)
  })

  it('that is broken off takes its connection with it, and is told once', async () => {
    const { pool, sockets } = await upstream((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok')),
    )
    const why = new Error('left')
    const { error } = await ask(pool, {}, { onResponseData: (exchange) => exchange.abort(why) })
    expect(error).toBe(why)
    expect(sockets[0]?.destroyed).toBe(true)
  })
})
