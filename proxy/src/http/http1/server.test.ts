/** The server side, at the wire: what one client does to the connection never reaches another request, and nothing waits for ever. */
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { closed, echo, request, serving, until } from '../../../test/support/http1-server-kit.ts'
import type { ServedResponse } from './served-response.ts'

describe('requests on one connection', () => {
  it('that came together are answered one after the other, each begun when the one before was answered', async () => {
    const under: ServedResponse[] = []
    const order: string[] = []
    const { open } = await serving((request, response) => {
      order.push(`begun ${request.url}`)
      response.once('close', () => order.push(`over ${request.url}`))
      under.push(response)
      setImmediate(() => {
        expect(under).toEqual([response])
        under.pop()
        response.writeHead(200, ['content-length', '2'])
        response.end('ok')
      })
    })
    const socket = open()
    socket.write(request('/own/1') + request('/own/2') + request('/own/3', '', 'Connection: close'))
    expect((await text(socket)).match(/ok/g)?.length).toBe(3)
    expect(order).toEqual(['1', '2', '3'].flatMap((at) => [`begun /own/${at}`, `over /own/${at}`]))
  })

  it.each([1, 7, 1_000])('are read the same in pieces of %i bytes, heads and bodies', async (size) => {
    const { open } = await serving(echo)
    const socket = open()
    socket.setNoDelay(true)
    const all = request('/own/1', 'one') + request('/own/2', 'two', 'Connection: close')
    for (let at = 0; at < all.length; at += size) {
      socket.write(all.slice(at, at + size))
      await new Promise(setImmediate)
    }
    expect(await text(socket)).toMatch(/own \/own\/1 one.*own \/own\/2 two$/s)
  })

  it('for another reader take the connection along, with every byte from their first on', async () => {
    const { open } = await serving(echo)
    const socket = open()
    const chunked = `POST /other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`
    socket.write(request('/own/1', 'one') + chunked + request('/own/2', 'x', 'Connection: close'))
    expect(await text(socket)).toMatch(/own \/own\/1 one.*node POST \/other "abc".*node POST \/own\/2 "x"/s)
  })

  it('for another reader are handed over also when head and body come apart', async () => {
    const { open } = await serving(echo)
    const socket = open()
    socket.setNoDelay(true)
    for (const piece of [
      'POST /oth',
      'er HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-',
      'Length: 6\r\n\r\nabc',
    ]) {
      socket.write(piece)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    socket.write('def')
    expect(await text(socket)).toMatch(/node POST \/other "abcdef"/)
  })

  it('that cannot be read are refused, and nothing behind them is served', async () => {
    const served: string[] = []
    const { open } = await serving((request, response) => {
      served.push(request.url)
      echo(request, response)
    })
    for (const bad of [
      'POST /own/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /own/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
      'POST /own/1 HTTP/1.1\nHost: a\n\n',
      '\nPOST /own/1 HTTP/1.1\r\nHost: a\r\n\r\n',
      '\n',
      '\r\n\r\nPOST /own/1 HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST /own/1 HTTP/1.1\r\nHost : a\r\n\r\n',
      'POST  /own/1 HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST /own/1 HTTP/1.1\r\n\r\n',
    ]) {
      const socket = open()
      socket.write(bad + request('/own/smuggled'))
      expect(await text(socket), bad).toMatch(/^HTTP\/1\.1 4\d\d [^\r]*\r\n\r\n$/)
      socket.destroy()
    }
    expect(served).toEqual([])
  })

  it('whose body breaks off in its framing end with their connection', async () => {
    const { open } = await serving(echo)
    const socket = open()
    socket.write('POST /own/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 chunk/)
  })
})

describe('an answer', () => {
  it.each([
    ['more', 'abcd'],
    ['fewer', 'ab'],
  ])(
    'of %s bytes than it says ends the connection, and no other request is taken for it',
    async (_, body) => {
      const served: string[] = []
      const { open } = await serving((request, response) => {
        served.push(request.url)
        response.writeHead(200, ['content-length', '3'])
        response.end(body)
      })
      const socket = open()
      socket.resume()
      socket.write(request('/own/1') + request('/own/2'))
      await closed(socket)
      expect(served).toEqual(['/own/1'])
    },
  )

  it('cannot hold a second one in a field of its head', async () => {
    const thrown: unknown[] = []
    const { open } = await serving((_request, response) => {
      for (const field of [
        ['x', 'a\r\nset-cookie: b'],
        ['x\r\ny', 'a'],
        ['x', 'a\u0000'],
        ['x', '\u010d\u010a'],
        ['transfer-encoding', 'chunked'],
        ['content-length', '1', 'Content-Length', '2'],
        ['content-length', 'abc'],
        ['content_length', '1'],
        ['connection', 'close'],
      ]) {
        try {
          response.writeHead(200, field)
        } catch (error) {
          thrown.push(error)
        }
      }
      for (const [status, phrase] of [[200, 'OK\r\nx: y'] as const, [100, 'Continue'] as const]) {
        try {
          response.writeHead(status, phrase, [])
        } catch (error) {
          thrown.push(error)
        }
      }
      response.writeHead(204, [])
      response.end('no body')
    })
    const socket = open()
    socket.write(request('/own/1', '', 'Connection: close'))
    expect(await text(socket)).toMatch(
      /^HTTP\/1\.1 204 No Content\r\ndate: [^\r]*\r\nconnection: close\r\n\r\n$/,
    )
    expect(thrown.length).toBe(11)
  })

  it('to HEAD has no body, whatever is written', async () => {
    const { open } = await serving((_request, response) => {
      response.writeHead(200, ['content-length', '5'])
      response.write('ab')
      response.end('cde')
    })
    const socket = open()
    socket.write('HEAD /own/1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(await text(socket)).toMatch(/content-length: 5\r\n.*\r\n\r\n$/s)
  })

  it('that its client does not take is not taken off its source either', async () => {
    let written = 0
    let isWaiting = false
    const drained = Promise.withResolvers<void>()
    const { open } = await serving((_request, response) => {
      response.writeHead(200, [])
      const piece = Buffer.alloc(65_536)
      while (written < 1_000 && !isWaiting) {
        isWaiting = !response.write(piece)
        written += 1
      }
      response.once('drain', drained.resolve)
    })
    const socket = open()
    socket.pause()
    socket.write(request('/own/1'))
    await until(
      open().once('connect', function (this: Socket) {
        this.write(request('/other'))
      }),
      /node/,
    )
    expect(isWaiting).toBe(true)
    expect(written).toBeLessThan(200)
    socket.resume()
    await drained.promise
  })
})
