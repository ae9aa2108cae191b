/**
 * What a request line, a head or a body may say in two ways is said in one way to the vendor, or not at all: the host comes
 * from the table, the path is evaluated once, and one request of the client's is one request of the vendor's.
 */

import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readUntil } from '../support/gateway-client.ts'
import { chatBody, createLlmKit, type LlmKit } from '../support/llm-kit.ts'
import { patience } from '../support/pace.ts'
import { json } from '../support/vendor-answers.ts'

let kit: LlmKit
let host: string
beforeAll(async () => {
  kit = await createLlmKit()
  await kit.open('openai')
  await kit.open('google')
  host = new URL(kit.url).host
})
afterAll(() => kit?.[Symbol.asyncDispose]())
afterEach(() => expect(kit.vendors.faults.splice(0)).toEqual([]))

const CHAT = '/llm/openai/v1/chat/completions'
const BODY = JSON.stringify(chatBody())
const calls = (): number => kit.vendors.calls.length
const auth = (): string => `Authorization: Bearer ${kit.token}`
const status = (text: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0)
const code = (text: string): string => /^x-oauth3-error: (.*)$/im.exec(text)?.[1]?.trim() ?? ''
const answers = (text: string): number => text.split('HTTP/1.1 ').length - 1
const withBody = (...lines: string[]): string =>
  [...lines, 'Content-Type: application/json', `Content-Length: ${BODY.length}`, '', BODY].join('\r\n')

describe('the path', () => {
  it.each([
    '/llm/openai/v1/../../admin',
    '/llm/openai/v1/..',
    '/llm/openai/../google/v1beta/models',
    '/llm/openai/%2e%2e/google/v1beta/models',
    '/llm/openai/v1/%2E%2E/%2e%2e/x',
    '/llm/openai/v1/.%2e/x',
    '/llm/openai/v1/%252e%252e/x',
    '/llm/openai/v1/..;/x',
    '/llm/openai/v1/./chat/completions',
    '/llm/openai/v1/%2e/chat/completions',
    '/llm/openai//v1/chat/completions',
    '/llm/openai/v1//chat/completions',
    '/llm//openai/v1/chat/completions',
    '/llm/openai/v1/chat/completions//',
    '/llm/openai/v1/%2Fetc',
    '/llm/openai/v1/..%2f..%2fx',
    '/llm/openai/v1/..%5c..%5cx',
    '/llm/openai/v1\\chat\\completions',
    '/llm/openai\\@evil.example/x',
    '/llm/openai/v1/%5c%5cevil.example/x',
    '/llm/openai/v1/chat%00/completions',
    '/llm/openai/v1/chat%0d%0aX-Smuggled:%20yes/completions',
    '/llm/openai/v1/chat%0acompletions',
    '/llm/openai/v1/chat/completions%20HTTP/1.1',
    '/llm/openai/v1/%zz',
    '/llm/openai/v1/%',
    '/llm/openai/v1/chat#fragment',
    '/llm/openai/v1/%ff%fe',
    '/llm/openai/v1/@evil.example',
    '/llm/%6fpenai/v1/chat/completions',
    '/llm/openai%2fv1/chat/completions',
    '/%6clm/openai/v1/chat/completions',
  ])('%s never leaves as it is', async (path) => {
    const before = calls()
    const text = await kit.raw(
      withBody(`POST ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', auth()),
    )
    const sent = kit.vendors.calls.slice(before)
    for (const call of sent) {
      // Where one does go out, it is one plain path below the vendor's root, and none of it can be read in another way.
      expect(call.vendor).toBe('openai')
      expect(call.url.startsWith('/v1/')).toBe(true)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
      expect(decodeURIComponent(call.url)).not.toMatch(/\/\/|\/\.\.?(\/|$)|\\|[\x00-\x1f\x7f#]/)
    }
    kit.vendors.faults.length = 0
    if (sent.length === 0) expect([400, 403, 404]).toContain(status(text))
  })

  it.each([
    'http://evil.example/llm/openai/v1/chat/completions',
    'https://api.openai.com/v1/chat/completions',
    'http://169.254.169.254/latest/meta-data',
    '//evil.example/llm/openai/v1/chat/completions',
    '*',
    'llm/openai/v1/chat/completions',
  ])('the target %s is refused', async (target) => {
    const before = calls()
    const text = await kit.raw(
      withBody(`POST ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close', auth()),
    )
    expect([400, 403, 404]).toContain(status(text))
    expect(calls()).toBe(before)
    expect(kit.lookups).not.toContain('evil.example')
  })

  it('CONNECT opens no tunnel', async () => {
    const text = await kit.raw(
      `CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n${auth()}\r\n\r\n`,
    )
    expect(text).not.toMatch(/^HTTP\/1\.1 2/)
  })

  it.each([
    ...['toString', '__proto__', 'constructor', 'hasOwnProperty', 'valueOf', 'prototype', '__defineGetter__'],
    ...['OPENAI', 'OpenAI', 'openai.', 'openai:443', 'openai@evil.example', 'nobody', '..', '.'],
  ])('%s is no provider, under either path', async (name) => {
    for (const path of [`/llm/${name}/v1/chat/completions`, `/v1/${name}/v1/chat/completions`]) {
      const before = calls()
      const text = await kit.raw(
        withBody(`POST ${path} HTTP/1.1`, `Host: ${host}`, 'Connection: close', auth()),
      )
      expect([400, 403, 404], path).toContain(status(text))
      expect(code(text) || '404', path).toMatch(/^(unknown_provider|unknown_path|bad_request|404)$/)
      expect(calls(), path).toBe(before)
    }
  })

  it.each([
    '__proto__/gpt',
    'constructor/gpt',
    'toString/x',
    'evil.example/gpt',
    '../google/gemini',
    '/gpt-4o',
  ])('the model %s routes to nobody', async (model) => {
    const before = calls()
    const answer = await kit.ask('/v1/chat/completions', { body: chatBody({ model }) })
    expect([400, 403, 404]).toContain(answer.status)
    expect(calls()).toBe(before)
  })
})

describe('the query', () => {
  const GENERATE = '/llm/google/v1beta/models/gemini-demo:generateContent'
  const ask = (path: string, headers: Record<string, string> = {}) =>
    kit.ask(path, { token: kit.token, body: { contents: [] }, headers })

  it.each([
    '$httpMethod=DELETE',
    '%24httpMethod=DELETE',
    '%24%68ttpMethod=GET',
    '$HttpMethod=delete',
    'alt=sse&$httpMethod=PATCH',
    'alt=sse;$httpMethod=PATCH',
    '$httpMethod=',
    '_method=DELETE',
    'x-http-method-override=DELETE',
    '$req=%7B%22model%22%3A%22other%22%7D',
    '$httpHeaders=X-HTTP-Method-Override%3ADELETE%0D%0A',
    '$ct=application/x-protobuf',
    '$rpc=x',
    '$somethingNew=1',
    '$',
  ])('replaces nothing of the request that was judged: %s', async (query) => {
    for (const path of [GENERATE, CHAT]) {
      const before = calls()
      const answer = await ask(`${path}?${query}`)
      expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([400, 'bad_request'])
      expect(answer.text).toContain('query')
      expect(calls()).toBe(before)
    }
  })

  it.each([
    '$key=AIza-other',
    '%24key=AIza-other',
    'access_token=ya29.other',
    'oauth_token=ya29.other',
    'Access_Token=ya29.other',
    'bearer_token=ya29.other',
    'api_key=other',
    'a=1;key=AIza-other',
  ])('brings no credential along beside the token: %s', async (query) => {
    const before = calls()
    const answer = await ask(`${GENERATE}?${query}`)
    expect([answer.status, answer.headers.get('x-oauth3-error')]).toEqual([400, 'ambiguous_credentials'])
    expect(calls()).toBe(before)
  })

  it('passes byte for byte with what changes the form of an answer, and with any other word', async () => {
    for (const query of [
      '$alt=json&$prettyPrint=false&$.xgafv=2&%24fields=*&$apiVersion=2026-05-20',
      'alt=sse&prettyPrint=true&quotaUser=u',
      'method=fast&price=$5&q=$httpMethod',
    ]) {
      const answer = await ask(`${GENERATE}?${query}`)
      expect([query, answer.status]).toEqual([query, 200])
      expect(kit.vendors.calls.at(-1)?.url.split('?')[1]).toBe(query)
    }
  })

  it('nor does a header, in whatever spelling a server folds into one', async () => {
    for (const name of [
      'X-HTTP-Method-Override',
      'x_http_method_override',
      'X-Http_Method',
      'x_original_url',
    ]) {
      expect((await ask(GENERATE, { [name]: 'DELETE' })).status).toBe(200)
      expect(kit.vendors.calls.at(-1)?.headers).not.toHaveProperty([name.toLowerCase()])
    }
  })
})

describe('the host', () => {
  it.each([
    'Host: evil.example',
    'Host: api.anthropic.com',
    'X-Forwarded-Host: evil.example',
    'X-Original-URL: /v1/models',
    'X-Rewrite-URL: /v1/models',
    'X-HTTP-Method-Override: DELETE',
    'Forwarded: host=evil.example',
    'X-Upstream: https://evil.example',
    'X-Portkey-Custom-Host: https://evil.example',
  ])('is the vendor’s own whatever the request says: %s', async (line) => {
    const own = line.startsWith('Host:') ? [] : [`Host: ${host}`]
    const text = await kit.raw(withBody(`POST ${CHAT} HTTP/1.1`, ...own, line, 'Connection: close', auth()))
    expect(status(text)).toBe(200)
    const call = kit.vendors.callsTo('openai').at(-1)
    expect(call?.headers.host).toBe('api.openai.com')
    expect([call?.method, call?.url]).toEqual(['POST', '/v1/chat/completions'])
    expect(kit.lookups).not.toContain('evil.example')
  })

  it('two Host headers, or none, are refused', async () => {
    const before = calls()
    const two = await kit.raw(
      withBody(`POST ${CHAT} HTTP/1.1`, `Host: ${host}`, 'Host: api.openai.com', 'Connection: close', auth()),
    )
    const none = await kit.raw(withBody(`POST ${CHAT} HTTP/1.1`, 'Connection: close', auth()))
    expect(status(none)).toBe(400)
    if (status(two) !== 400) expect(kit.vendors.calls.at(-1)?.headers.host).toBe('api.openai.com')
    else expect(calls()).toBe(before)
  })
})

describe('headers between two hops', () => {
  it.each([
    'Connection: close, authorization',
    'Connection: close, Authorization, x-api-key, x-goog-api-key',
    'Connection: close, x-api-key',
    'Connection: close, host',
    'Connection: close, content-length',
    'Connection: close, content-type',
  ])('%s takes neither the key nor the framing off the request', async (line) => {
    const text = await kit.raw(withBody(`POST ${CHAT} HTTP/1.1`, `Host: ${host}`, line, auth()))
    expect([200, 400]).toContain(status(text))
    const call = kit.vendors.callsTo('openai').at(-1)
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
    const text = await kit.raw(withBody(`POST ${CHAT} HTTP/1.1`, `Host: ${host}`, ...lines, ...more, auth()))
    expect(status(text)).toBe(200)
    const headers = kit.vendors.callsTo('openai').at(-1)?.headers ?? {}
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
    kit.vendors.next(
      'openai',
      json({ fine: true }, 200, {
        'x-oauth3-error': 'forged',
        'keep-alive': 'timeout=9',
        'x-of-vendor': 'stays',
      }),
    )
    const answer = await kit.ask(CHAT, { body: chatBody() })
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
      `Host: ${host}`,
      auth(),
      'Content-Type: application/json',
      ...lines,
    ]
    const smuggled = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    const text = await kit.raw(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}${smuggled}`, 'latin1'))
    expect(status(text)).toBe(400)
    expect(calls()).toBe(before)
  })

  it('a second request on the connection is judged by its own head, not by the one before', async () => {
    const first = withBody(`POST ${CHAT} HTTP/1.1`, `Host: ${host}`, auth())
    const second = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    const before = calls()
    const text = await kit.raw(first + second)
    expect(answers(text)).toBe(2)
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(text).toMatch(/HTTP\/1\.1 401 /)
    expect(calls()).toBe(before + 1)
  })

  it('what looks like a request inside a body stays a body, also when the head is refused', async () => {
    const inner = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${host}\r\n${auth()}\r\n\r\n`
    const before = calls()
    for (const credential of [auth(), `${auth()}\r\nX-Api-Key: ${kit.token}`, 'X-Nothing: 1']) {
      const text = await kit.raw(
        [
          `POST ${CHAT} HTTP/1.1`,
          `Host: ${host}`,
          'Connection: close',
          credential,
          `Content-Length: ${inner.length}`,
          '',
          inner,
        ].join('\r\n'),
      )
      expect(answers(text)).toBe(1)
    }
    expect(kit.vendors.calls.slice(before).map(({ url }) => url)).not.toContain('/v1/models')
    // The body holds the token as text: it is the agent's own, but no vendor is to read it.
    kit.vendors.faults.splice(0)
  })

  it('a refused request whose body keeps coming does not become the next request', async () => {
    const { hostname, port } = new URL(kit.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const before = calls()
    socket.write(
      `POST /llm/nobody/v1/x HTTP/1.1\r\nHost: ${host}\r\n${auth()}\r\nContent-Length: 1000000\r\n\r\n`,
    )
    const head = await readUntil(socket, '\r\n\r\n')
    expect(head).toMatch(/^HTTP\/1\.1 403 /)
    const next = `GET /llm/openai/v1/models HTTP/1.1\r\nHost: ${host}\r\n${auth()}\r\n`
    const inside = `${next}\r\n`
    socket.write(inside + 'x'.repeat(1_000_000 - inside.length))
    socket.write(`${next}X-After: 1\r\nConnection: close\r\n\r\n`)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
    // Either the connection is at its end, or the body is read and dropped and what follows it is answered.
    const more = kit.vendors.calls.slice(before)
    expect(more.length).toBeLessThanOrEqual(1)
    for (const call of more) expect(call.headers['x-after']).toBe('1')
  })

  it(
    'a head that comes drop by drop ends after its time, and others are served meanwhile',
    async () => {
      const { hostname, port } = new URL(kit.url)
      const slow = connect(Number(port), hostname)
      slow.on('error', () => {})
      const ended = new Promise<void>((resolve) => slow.once('close', () => resolve()))
      slow.resume()
      slow.write(`POST ${CHAT} HTTP/1.1\r\nHost: ${host}\r\n`)
      const drip = setInterval(() => slow.write('X-Drip: 1\r\n'), 500)
      expect((await kit.ask(CHAT, { body: chatBody() })).status).toBe(200)
      await ended
      clearInterval(drip)
    },
    patience(60_000),
  )

  it('a head larger than any SDK sends is refused', async () => {
    const before = calls()
    const text = await kit.raw(
      withBody(
        `POST ${CHAT} HTTP/1.1`,
        `Host: ${host}`,
        'Connection: close',
        auth(),
        `X-Large: ${'x'.repeat(300_000)}`,
      ),
    )
    expect([0, 400, 431]).toContain(status(text))
    expect(calls()).toBe(before)
  })
})
