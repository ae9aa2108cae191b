/** A connection of a client: it is held no longer than its client is heard of, and by a body no further than that is taken. */
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { closed, echo, request, serving, until } from '../../../test/support/http1-server-kit.ts'
import type { ServedRequest } from './served-request.ts'
import type { ServedResponse } from './served-response.ts'

describe('a body', () => {
  it('that nobody asks for stays with the client, and is dropped once the answer is out', async () => {
    let served: ServedRequest | undefined
    let answer = (): void => {}
    const { open } = await serving((request, response) => {
      if (request.url === '/own/next') return echo(request, response)
      served = request
      answer = () => {
        response.writeHead(200, ['content-length', '5'])
        response.end('early')
      }
    })
    const socket = open()
    const body = Buffer.alloc(32 * 1_048_576, 'a')
    socket.write(`POST /own/1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`)
    socket.write(body)
    socket.write(request('/own/next', 'next'))
    // Another client's requests come and go meanwhile.
    for (let at = 0; at < 20; at += 1) {
      const other = open()
      other.write(request('/own/next', 'beside', 'Connection: close'))
      expect(await text(other)).toContain('beside')
    }
    expect(served?.socket.bytesRead).toBeLessThan(1_048_576)
    const next = until(socket, /own \/own\/next next/)
    answer()
    expect(await next).toContain('early')
  })

  it('is told in order and whole however it is paused', async () => {
    const { open } = await serving((request, response) => {
      const parts: Buffer[] = []
      let isPaused = false
      request.on('data', (part) => {
        expect(isPaused).toBe(false)
        parts.push(part)
        request.pause()
        isPaused = true
        setImmediate(() => {
          isPaused = false
          request.resume()
        })
      })
      request.on('end', () => {
        expect(isPaused).toBe(false)
        const whole = Buffer.concat(parts)
        response.writeHead(200, ['content-length', String(whole.length)])
        response.end(whole)
      })
    })
    const socket = open()
    const body = Array.from({ length: 100_000 }, (_, at) => at).join(' ')
    socket.write(request('/own/1', body, 'Connection: close'))
    expect((await text(socket)).split('\r\n\r\n')[1]).toBe(body)
  })

  it('is waited for with a 100 where the client asks for one', async () => {
    const { open } = await serving(echo)
    const socket = open()
    socket.write('POST /own/1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n')
    expect(await until(socket, /\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    const answer = until(socket, /abc/)
    socket.write('abc')
    expect(await answer).toMatch(/^HTTP\/1\.1 200/)
  })
})

describe('a client that leaves', () => {
  const WAYS: readonly [string, (socket: Socket) => unknown][] = [
    ['resets', (socket) => socket.resetAndDestroy()],
    ['closes', (socket) => socket.destroy()],
    ['ends its side', (socket) => socket.end()],
  ]
  it.each(WAYS.flatMap(([how, leave]) => [[how, leave, 9] as const, [how, leave, 3] as const]))(
    'before its answer, as it %s, ends request and response (body of %3$i bytes, 3 came)',
    async (_, leave, length) => {
      const over: string[] = []
      const gone = Promise.withResolvers<void>()
      const begun = Promise.withResolvers<void>()
      const { open } = await serving((request, response) => {
        request.on('data', () => begun.resolve())
        request.once('close', () => over.push(`request ${request.complete}`))
        response.once('close', () => {
          over.push(`response ${response.destroyed} ${response.writableFinished}`)
          gone.resolve()
        })
      })
      const socket = open()
      socket.write(`POST /own/1 HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\nabc`)
      await begun.promise
      leave(socket)
      await gone.promise
      expect(over).toEqual([`request ${length === 3}`, 'response true false'])
    },
  )

  it('after an answer to a part of its request is told of once: what was lent to it is given back once', async () => {
    const seen: ServedRequest[] = []
    let closes = 0
    const { open } = await serving((request, response) => {
      seen.push(request)
      response.on('close', () => {
        closes += 1
      })
      response.writeHead(413, ['content-length', '5'])
      response.end('early')
    })
    const socket = open()
    socket.write('POST /own/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\na part')
    await until(socket, /early/)
    expect(closes).toBe(1)
    const lost = new Promise<void>((resolve) => seen[0]?.socket.once('close', () => setImmediate(resolve)))
    socket.destroy()
    await lost
    expect(closes).toBe(1)
  })

  it('does not take the next request of its connection with it by what is kept of the last one', async () => {
    const kept: (() => void)[] = []
    const { open } = await serving((request, response) => {
      for (const end of kept) end()
      kept.push(
        () => void request.destroy(),
        () => void response.destroy(),
        () => void request.pause(),
        () => void response.write('late'),
        () => void response.end('late'),
      )
      echo(request, response)
    })
    const socket = open()
    socket.write(request('/own/1', 'one') + request('/own/2', 'two', 'Connection: close'))
    expect(await text(socket)).toMatch(/own \/own\/1 one.*own \/own\/2 two$/s)
  })
})

describe('a connection', () => {
  it.each([
    ['on which nothing comes', ''],
    ['whose head never ends', 'POST /own/1 HTTP/1.1\r\nHost: a\r\n'],
    ['of which not even the request line ends', 'POST /ow'],
  ])('%s is closed when the time for heads is over', async (_, beginning) => {
    const { open } = await serving(echo, { times: { headMs: 1 } })
    const socket = open()
    socket.write(beginning)
    socket.resume()
    await closed(socket)
  })

  it('whose head comes byte by byte has no longer for it', async () => {
    const { open } = await serving(echo, { times: { headMs: 500 } })
    const socket = open()
    socket.resume()
    socket.write('POST /own/1 HTTP/1.1\r\n')
    const slow = setInterval(() => socket.write('a'), 50)
    await closed(socket)
    clearInterval(slow)
  })

  it('is closed when no other request comes', async () => {
    const { open } = await serving(echo, { times: { keepAliveMs: 1 } })
    const socket = open()
    socket.write(request('/own/1', 'one'))
    expect(await text(socket)).toContain('one')
  })

  it('whose client waits long for its answer is left alone', async () => {
    const { open } = await serving(
      (_request, response) => {
        setTimeout(() => {
          response.writeHead(200, ['content-length', '4'])
          response.end('late')
        }, 2_200)
      },
      { times: { headMs: 1, keepAliveMs: 1 } },
    )
    const socket = open()
    socket.write(request('/own/1'))
    expect(await until(socket, /late/)).toMatch(/^HTTP\/1\.1 200/)
  })

  it('whose head lay there while the event loop stood still is not taken for a slow one', async () => {
    const { open } = await serving(echo, { times: { headMs: 500 } })
    const socket = open()
    await new Promise((resolve) => socket.once('connect', resolve))
    await until(
      open().once('connect', function (this: Socket) {
        this.write(request('/other'))
      }),
      /node/,
    )
    socket.write(request('/own/1', 'one', 'Connection: close'))
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
    expect(await text(socket)).toContain('own /own/1 one')
  })

  it('whose answered request is not sent to its end is closed', async () => {
    const { open } = await serving(
      (_request, response) => {
        response.writeHead(200, ['content-length', '5'])
        response.end('early')
      },
      { times: { restMs: 1 } },
    )
    const socket = open()
    socket.write('POST /own/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc')
    expect(await text(socket)).toContain('early')
  })

  it('without a request gives way to one more than there may be, the oldest first; one with a request does not', async () => {
    const busy = Promise.withResolvers<ServedResponse>()
    const { open } = await serving(
      (request, response) => (request.url === '/own/busy' ? busy.resolve(response) : echo(request, response)),
      { maxConnections: 2 },
    )
    const first = open()
    first.write(request('/own/busy'))
    const held = await busy.promise
    const idle = open()
    idle.write('POST /own/')
    const other = open()
    other.write(request('/own/1', 'one'))
    await Promise.all([closed(idle.resume()), until(other, /own \/own\/1 one/)])
    other.write(request('/own/busy'))
    const last = open()
    const answer = until(first, /busy/)
    held.writeHead(200, [])
    held.end('busy')
    await answer
    last.destroy()
  })

  it.each([
    [
      'has not sent the rest of its request',
      'POST /own/refused HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc',
    ],
    ['does not take its answer', request('/own/large')],
    ['does not end a connection that has ended', request('/own/refused', '', 'Connection: close')],
    ['does not end one that could not be read', 'POST /own/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ])('whose client alone is waited for, since it %s, keeps nobody else out', async (_, bytes) => {
    const { open } = await serving(
      (asked, response) => {
        if (asked.url === '/own/1') return echo(asked, response)
        response.writeHead(200, [])
        response.end(asked.url === '/own/large' ? Buffer.alloc(32 * 1_048_576) : 'no')
      },
      { maxConnections: 2 },
    )
    for (let at = 0; at < 2; at += 1) {
      const socket = open()
      socket.write(bytes)
      await new Promise((resolve) => socket.once('readable', resolve))
    }
    const other = open()
    other.write(request('/own/1', 'one'))
    await until(other, /own \/own\/1 one/)
  })

  it('is closed with the server: idle ones at once, others when asked', async () => {
    const begun = Promise.withResolvers<void>()
    const { open, own } = await serving((request, response) =>
      request.url === '/own/busy' ? begun.resolve() : echo(request, response),
    )
    const [idle, busy] = [open(), open()]
    idle.write(request('/own/1', 'one'))
    await until(idle, /one/)
    busy.write(request('/own/busy'))
    await begun.promise
    own.closeIdle()
    await closed(idle)
    expect(busy.destroyed).toBe(false)
    own.closeAll()
    await closed(busy.resume())
  })
})
