/** One request of the client is one request of the vendor: headers between two hops, and what frames a body. */
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { readUntil } from '../support/gateway-client.ts'
import { chatBody } from '../support/llm-kit.ts'
import { patience } from '../support/pace.ts'
import { BODY, CHAT, status, useSmuggling, withBody } from '../support/smuggling-kit.ts'
import { json } from '../support/vendor-answers.ts'

const world = useSmuggling()
const { auth, calls } = world

const answers = (text: string): number => text.split('HTTP/1.1 ').length - 1

describe('headers between two hops', () => {
  it.each([
    'Connection: close, authorization',
    'Connection: close, Authorization, x-api-key, x-goog-api-key',
    'Connection: close, x-api-key',
    'Connection: close, host',
    'Connection: close, content-length',
    'Connection: close, content-type',
  ])('%s takes neither the key nor the framing off the request', async (line) => {
    const text = await world.kit.raw(withBody(`POST ${CHAT} HTTP/1.1`, `Host: ${world.host}`, line, auth()))
    expect([200, 400]).toContain(status(text))
    const call = world.kit.vendors.callsTo('openai').at(-1)
    if (status(text) === 200) {
      expect(call?.whole).toBe(true)
      expect(call?.body.toString()).toBe(BODY)
    }
  })

  it('are taken off, and with them what Connection names', async () => {
    const lines = [
      'Connection: close, X-Secret-Hop',
      'X-Secret-Hop: 1',
      'Keep-Alive: timeout=5',
      'TE: trailers',
    ]
    const more = ['Proxy-Connection: keep-alive', 'Proxy-Authenticate: x', 'Trailer: X-After', 'X-Stays: yes']
    const text = await world.kit.raw(
      withBody(`POST ${CHAT} HTTP/1.1`, `Host: ${world.host}`, ...lines, ...more, auth()),
    )
    expect(status(text)).toBe(200)
    const headers = world.kit.vendors.callsTo('openai').at(-1)?.headers ?? {}
    expect(headers['x-stays']).toBe('yes')
    for (const name of [
      'x-secret-hop',
      'keep-alive',
      'te',
      'proxy-connection',
      'proxy-authenticate',
      'trailer',
    ])
      expect(headers[name], name).toBeUndefined()
  })

  it('of an answer are not passed on, and it cannot make the daemon’s own marks', async () => {
    world.kit.vendors.next(
      'openai',
      json({ fine: true }, 200, {
        'x-oauth3-error': 'forged',
        'keep-alive': 'timeout=9',
        'x-of-vendor': 'stays',
      }),
    )
    const answer = await world.kit.ask(CHAT, { body: chatBody() })
    expect(answer.headers.get('x-of-vendor')).toBe('stays')
    expect(answer.headers.get('x-oauth3-error')).toBeNull()
  })
})

describe('the framing', () => {
  const chunked = `${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`
  it.each([
    ['both lengths', [`Content-Length: ${BODY.length}`, 'Transfer-Encoding: chunked'], chunked],
    ['both, the other way round', ['Transfer-Encoding: chunked', 'Content-Length: 4'], chunked],
    ['two lengths that differ', [`Content-Length: ${BODY.length}`, 'Content-Length: 4'], BODY],
    ['two lengths in one line', [`Content-Length: ${BODY.length}, 4`], BODY],
    ['a length with a sign', [`Content-Length: +${BODY.length}`], BODY],
    ['a length in hexadecimal', [`Content-Length: 0x${BODY.length.toString(16)}`], BODY],
    ['a negative length', ['Content-Length: -1'], BODY],
    ['an unknown encoding', ['Transfer-Encoding: xchunked'], chunked],
    ['chunked that is not last', ['Transfer-Encoding: chunked, identity'], chunked],
    ['chunked twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunked],
    ['a hidden encoding', ['Transfer-Encoding:\x0bchunked'], chunked],
    ['a space before the colon', ['Transfer-Encoding : chunked'], chunked],
    ['a folded line', ['X-Demo: a', ' Transfer-Encoding: chunked', `Content-Length: ${BODY.length}`], BODY],
    ['a bare line feed', [`X-Demo: a\nTransfer-Encoding: chunked`, `Content-Length: ${BODY.length}`], BODY],
    [
      'a chunk length that overflows',
      ['Transfer-Encoding: chunked'],
      `fffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`,
    ],
    ['a chunk length with a bare line feed', ['Transfer-Encoding: chunked'], chunked.replace('\r\n', '\n')],
    ['a NUL in a header', ['X-Demo: a\0b', `Content-Length: ${BODY.length}`], BODY],
  ])('%s is refused, and no vendor hears of it', async (_name, lines, body) => {
    const before = calls()
    const head = [
      `POST ${CHAT} HTTP/1.1`,
      `Host: ${world.host}`,
      auth(),
      'Content-Type: application/json',
      ...lines,
    ]
    const smuggled = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${world.host}\r\nConnection: close\r\n\r\n`
    const text = await world.kit.raw(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}${smuggled}`, 'latin1'))
    expect(status(text)).toBe(400)
    expect(calls()).toBe(before)
  })

  it('a second request on the connection is evaluated by its own head, not by the one before', async () => {
    const first = withBody(`POST ${CHAT} HTTP/1.1`, `Host: ${world.host}`, auth())
    const second = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${world.host}\r\nConnection: close\r\n\r\n`
    const before = calls()
    const text = await world.kit.raw(first + second)
    expect(answers(text)).toBe(2)
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).toMatch(/HTTP\/1\.1 401 /)
    expect(calls()).toBe(before + 1)
  })

  it('what looks like a request inside a body stays a body, also when the head is refused', async () => {
    const inner = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${world.host}\r\n${auth()}\r\n\r\n`
    const before = calls()
    for (const credential of [auth(), `${auth()}\r\nX-Api-Key: ${world.kit.token}`, 'X-Nothing: 1']) {
      const text = await world.kit.raw(
        [
          `POST ${CHAT} HTTP/1.1`,
          `Host: ${world.host}`,
          'Connection: close',
          credential,
          `Content-Length: ${inner.length}`,
          '',
          inner,
        ].join('\r\n'),
      )
      expect(answers(text)).toBe(1)
    }
    expect(world.kit.vendors.calls.slice(before).map(({ url }) => url)).not.toContain('/v1/models')
    // The body holds the token as text: it is the agent's own, but no vendor is to read it.
    world.kit.vendors.faults.splice(0)
  })

  it('a refused request whose body keeps coming does not become the next request', async () => {
    const { hostname, port } = new URL(world.kit.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const before = calls()
    socket.write(
      `POST /llm/nobody/v1/x HTTP/1.1\r\nHost: ${world.host}\r\n${auth()}\r\nContent-Length: 1000000\r\n\r\n`,
    )
    const head = await readUntil(socket, '\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 403 /)
    const next = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${world.host}\r\n${auth()}\r\n`
    const inside = `${next}\r\n`
    socket.write(inside + 'x'.repeat(1_000_000 - inside.length))
    socket.write(`${next}X-After: 1\r\nConnection: close\r\n\r\n`)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    // Either the connection is at its end, or the body is read and dropped and what follows it is answered.
    const more = world.kit.vendors.calls.slice(before)
    expect(more.length).toBeLessThanOrEqual(1)
    for (const call of more) expect(call.headers['x-after']).toBe('1')
  })

  it(
    'a head that comes drop by drop ends after its time, and others are served meanwhile',
    async () => {
      const { hostname, port } = new URL(world.kit.url)
      const slow = connect(Number(port), hostname)
      slow.on('error', () => {})
      const ended = new Promise<void>((resolve) => slow.once('close', () => resolve()))
      slow.resume()
      slow.write(`POST ${CHAT} HTTP/1.1\r\nHost: ${world.host}\r\n`)
      const drip = setInterval(() => slow.write('X-Drip: 1\r\n'), 500)
      expect((await world.kit.ask(CHAT, { body: chatBody() })).status).toBe(200)
      await ended
      clearInterval(drip)
    },
    patience(60_000),
  )

  it('a head larger than any SDK sends is refused', async () => {
    const before = calls()
    const text = await world.kit.raw(
      withBody(
        `POST ${CHAT} HTTP/1.1`,
        `Host: ${world.host}`,
        'Connection: close',
        auth(),
        `X-Large: ${'x'.repeat(300_000)}`,
      ),
    )
    expect([0, 400, 431]).toContain(status(text))
    expect(calls()).toBe(before)
  })
})
