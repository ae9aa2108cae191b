/**
 * The daemon's own HTTP/1.1 on both sides of the LLM proxy: what an agent or a vendor does to a connection reaches nobody else's request
 * or answer, and nothing is read that nobody takes.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readUntil } from '../support/gateway-client.ts'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'

const CHAT = '/llm/openai/v1/chat/completions'
const BODY = JSON.stringify(chatBody())

let kit: LlmKit
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.open('openai')
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => {
  kit.vendors.clearPlays()
  expect(kit.vendors.faults.splice(0)).toEqual([])
})

const chat = (...lines: string[]): string =>
  [
    `POST ${CHAT} HTTP/1.1`,
    'Host: x',
    `Authorization: Bearer ${kit.token}`,
    'Content-Type: application/json',
    `Content-Length: ${BODY.length}`,
    ...lines,
    '',
    BODY,
  ].join('\r\n')

function open(): Socket {
  const { hostname, port } = new URL(kit.url)
  return connect(Number(port), hostname).on('error', () => {})
}

/** What a vendor says on its connection, past its own server. */
const saying =
  (bytes: string) =>
  (_call: unknown, response: ServerResponse): void =>
    void response.socket?.write(bytes, 'latin1')

const bodyOf = (id: string): string =>
  JSON.stringify({ id, object: 'chat.completion', model: 'gpt-demo', choices: [], usage: {} })

const answer = (id: string): string => {
  const body = bodyOf(id)
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

describe('a vendor', () => {
  it('that says a second answer behind the first says it to nobody', async () => {
    kit.vendors.next('openai', saying(answer('first') + answer('forged')))
    expect((await kit.ask(CHAT, { body: chatBody() })).json.id).toBe('first')
    for (let at = 0; at < 3; at += 1) {
      const { status, text } = await kit.ask(CHAT, { body: chatBody() })
      expect(status).toBe(200)
      expect(text).not.toContain('forged')
    }
  })

  it('that says one while nobody asked says it to nobody', async () => {
    let socket: ServerResponse['socket'] = null
    kit.vendors.next('openai', (call, response: ServerResponse) => {
      socket = response.socket
      saying(answer('first'))(call, response)
    })
    expect((await kit.ask(CHAT, { body: chatBody() })).json.id).toBe('first')
    ;(socket as ServerResponse['socket'])?.write(answer('forged'))
    expect((await kit.ask(CHAT, { body: chatBody() })).text).not.toContain('forged')
  })

  it.each([
    [
      'two framings',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}'],
    ['a field of two lines', 'HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\nContent-Length: 2\r\n\r\n{}'],
    ['a lone line feed', 'HTTP/1.1 200 OK\nContent-Length: 2\n\n{}'],
  ])('whose answer has %s is read as none', async (_, bytes) => {
    kit.vendors.next('openai', saying(bytes))
    const refused = await kit.ask(CHAT, { body: chatBody() })
    expect([refused.status, refused.headers.get('x-oauth3-error')]).toEqual([502, 'upstream_unreachable'])
    expect(refused.text).toContain('answered in no HTTP that can be read')
    expect((await kit.ask(CHAT, { body: chatBody() })).status).toBe(200)
  })

  it('that leaves in the middle leaves an answer that does not look whole', async () => {
    kit.vendors.next('openai', (call, response: ServerResponse) => {
      saying(
        'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      )(call, response)
      setImmediate(() => response.socket?.destroy())
    })
    const text = await kit.raw(chat('Connection: close'))
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/)
    expect(text).not.toMatch(/content-length: 5\r\n/)
  })

  it('that answers faster than its agent reads is not read faster either', async () => {
    let written = 0
    const waits = Promise.withResolvers<void>()
    kit.vendors.next('openai', (_call, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'application/octet-stream' })
      const piece = Buffer.alloc(65_536, 'a')
      const more = (): void => {
        while (written < 4_000) {
          written += 1
          if (response.write(piece)) continue
          response.once('drain', more)
          return void setTimeout(waits.resolve, 500)
        }
      }
      more()
    })
    const socket = open()
    socket.pause()
    socket.write(chat())
    await waits.promise
    // Other agents' requests come and go; of this answer no more is taken than sockets and their buffers hold.
    for (let at = 0; at < 10; at += 1) expect((await kit.ask(CHAT, { body: chatBody() })).status).toBe(200)
    expect(written).toBeLessThan(400)
    socket.destroy()
  })
})

describe('an agent', () => {
  it('that asks several things at once is answered one after the other, by whom each is for', async () => {
    for (const id of ['one', 'two']) {
      kit.vendors.next('openai', (_call, response: ServerResponse) => {
        response.setHeader('content-type', 'application/json')
        response.end(bodyOf(id))
      })
    }
    const text = await kit.raw(
      `${chat()}${chat()}GET /health HTTP/1.1\r\nHost: x\r\n\r\n${chat('Connection: close')}`,
    )
    const statuses = text.match(/HTTP\/1\.1 \d+/g)
    expect(statuses).toEqual(Array.from({ length: 4 }, () => 'HTTP/1.1 200'))
    expect([text.indexOf('"one"'), text.indexOf('"two"')].every((at) => at > 0)).toBe(true)
    expect(text.indexOf('"one"')).toBeLessThan(text.indexOf('"two"'))
    expect(text.indexOf('"two"')).toBeLessThan(text.indexOf('"version"'))
  })

  it('that sends a request byte by byte has one answer', async () => {
    const socket = open()
    socket.setNoDelay(true)
    const got = readUntil(socket, 'chat.completion')
    for (const byte of chat()) {
      socket.write(byte)
      await turn()
    }
    expect((await got).match(/HTTP\/1\.1/g)?.length).toBe(1)
    socket.destroy()
  })

  it.each([
    ['ends its side', (socket: Socket) => void socket.end()],
    ['resets', (socket: Socket) => void socket.resetAndDestroy()],
  ])('that %s before its answer ends its request at the vendor', async (_, leave) => {
    const came = kit.vendors.nextCall('openai')
    kit.vendors.next('openai', () => {})
    const socket = open()
    socket.write(chat())
    const call = await came
    leave(socket)
    await call.gone
    socket.destroy()
  })

  it('whose request cannot be read is told so in the form that clients read, and nothing behind it is served', async () => {
    const before = kit.vendors.calls.length
    const text = await kit.raw(
      `POST ${CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${chat()}`,
    )
    expect(text).toMatch(/^HTTP\/1\.1 400 .*x-oauth3-error: bad_request.*"oauth3_error"/s)
    expect(text.match(/HTTP\/1\.1 /g)?.length).toBe(2)
    expect(kit.vendors.calls.length).toBe(before)
  })
})

describe.each([
  ['own', true],
  ['node', false],
] as const)('OAUTH3_LLM_HTTP=%s', (transport, isOwn) => {
  it('says whose HTTP the LLM proxy speaks', async () => {
    await using other = await createLlmKit({ environment: { OAUTH3_LLM_HTTP: transport } })
    await other.open('openai')
    const seen: string[] = []
    const saw = (_message: unknown, channel: string | symbol): void => void seen.push(String(channel))
    const channels = ['oauth3.http1.request.start', 'oauth3.http1.request.create']
    for (const channel of channels) subscribe(channel, saw)
    try {
      expect((await other.ask(CHAT, { body: chatBody() })).status).toBe(200)
    } finally {
      for (const channel of channels) unsubscribe(channel, saw)
    }
    expect(seen).toEqual(isOwn ? channels : [])
  })
})
