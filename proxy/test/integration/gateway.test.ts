import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { placeholderOf } from '../support/egress-policy.ts'
import { ask, openRequest, openSocket, readUntil, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { patience } from '../support/pace.ts'
import { startTlsUpstream, type TlsUpstream } from '../support/tls-upstream.ts'

const SECRET = 'demo-value-4f9a2c7e81b35d60'
const HOST = 'api.example.com'

let upstream: TlsUpstream
let kit: GatewayKit
let answer: RequestListener
beforeEach(async () => {
  answer = (_request, response) => response.end('hello')
  upstream = await startTlsUpstream([HOST, 'other.example.com'], (request, response) =>
    answer(request, response),
  )
  kit = await createGatewayKit({ tls: { ca: upstream.ca } })
})
afterEach(async () => {
  await kit[Symbol.asyncDispose]()
  await upstream[Symbol.asyncDispose]()
})

const url = (path = '/', host = HOST): string => `https://${host}:${upstream.port}${path}`
const place = (host = HOST): string => `${host}:${upstream.port}`
const withSecret = () => ({ API_KEY: { value: SECRET, hosts: [place()] } })

describe('a request to an approved host', () => {
  test('carries the value in place of the placeholder, and comes back without it', async () => {
    const seen: IncomingMessage[] = []
    answer = (request, response) => {
      seen.push(request)
      response.setHeader('x-echo', request.headers.authorization ?? '')
      response.end(`you sent ${request.headers.authorization}`)
    }
    const run = await kit.run([place()], withSecret())
    const placeholder = placeholderOf(run.policy, 'API_KEY')
    const got = await ask(run.endpoint, url('/v1/things?q=1'), {
      headers: { authorization: `Bearer ${placeholder}` },
    })
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${SECRET}`)
    expect(seen[0]?.headers.host).toBe(place())
    expect(got.status).toBe(200)
    expect(got.body).toBe('you sent Bearer [secret:API_KEY]')
    expect(JSON.stringify(got.rawHeaders)).not.toContain(SECRET)
    // Written when the answer is closed, which is a moment after the code has it.
    await vi.waitFor(async () => expect(await run.events()).toHaveLength(1), patience(10_000))
    const [event] = await run.events()
    expect(event).toMatchObject({
      event: 'egress.request',
      data: {
        method: 'GET',
        origin: `https://${place()}`,
        path: '/v1/things',
        status: 200,
        secrets: ['API_KEY'],
        request_bytes: 0,
      },
    })
    expect(event?.data.response_bytes).toBe(Buffer.byteLength(`you sent Bearer ${SECRET}`))
    expect(kit.logged).toEqual([])
  })

  test('keeps status, repeated headers and an empty body', async () => {
    answer = (_request, response) => {
      response.writeHead(
        201,
        [
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
          ['x-one', 'two'],
        ].flat(),
      )
      response.end()
    }
    const run = await kit.run([place()])
    const got = await ask(run.endpoint, url(), { method: 'POST', body: '' })
    expect([got.status, got.headers['set-cookie'], got.headers['x-one'], got.body]).toEqual([
      201,
      ['a=1', 'b=2'],
      'two',
      '',
    ])
  })

  test('is not led elsewhere by a redirect', async () => {
    answer = (_request, response) => {
      response.writeHead(302, { location: url('/elsewhere', 'other.example.com') }).end()
    }
    const run = await kit.run([place(), place('other.example.com')])
    const got = await ask(run.endpoint, url())
    expect(got.status).toBe(302)
    expect(got.headers.location).toBe(url('/elsewhere', 'other.example.com'))
    expect(upstream.seen).toHaveLength(1)
  })

  test('shares one connection with the request before it, inside one tunnel', async () => {
    const run = await kit.run([place()])
    const socket = await tlsThrough(run.endpoint, place())
    for (let round = 0; round < 3; round += 1) {
      socket.write(`GET /${round} HTTP/1.1\r\nHost: ${place()}\r\n\r\n`)
      expect(await readUntil(socket, 'hello')).toContain('HTTP/1.1 200')
    }
    socket.destroy()
    expect(upstream.seen.map((request) => request.path)).toEqual(['/0', '/1', '/2'])
    expect(upstream.connections).toBe(1)
    await ask(run.endpoint, url('/3'))
    expect(upstream.connections).toBe(1)
    await vi.waitFor(async () => expect(await run.events()).toHaveLength(4), patience(10_000))
  })

  test.each(['NTLM TlRMTVNTUAAD', 'Negotiate oYH1MIHy'])(
    'with %s has its connection to itself, and no other run is taken for it',
    async (authorization) => {
      const signedIn = new WeakSet<object>()
      answer = ({ headers, socket }, response) => {
        if (headers.authorization !== undefined) signedIn.add(socket)
        response.end(signedIn.has(socket) ? 'signed in' : 'nobody')
      }
      const own = await kit.run([place()])
      const other = await kit.run([place()])
      expect((await ask(other.endpoint, url())).body).toBe('nobody')
      for (const path of ['/challenge', '/again'])
        expect((await ask(own.endpoint, url(path), { headers: { authorization } })).body).toBe('signed in')
      expect(upstream.connections).toBe(2)
      expect((await ask(other.endpoint, url())).body).toBe('nobody')
      expect((await ask(own.endpoint, url())).body).toBe('nobody')
      const anew = { headers: { authorization: `${authorization}A` } }
      expect((await ask(other.endpoint, url(), anew)).body).toBe('signed in')
      expect(upstream.connections).toBe(3)
    },
  )

  test('drops interim answers and passes on the final one', async () => {
    answer = (_request, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.end('final')
    }
    const run = await kit.run([place()])
    const answered = await openRequest(run.endpoint, url())
    expect(answered.statusCode).toBe(200)
    expect(await text(answered)).toBe('final')
  })

  test('sends a body on after `expect: 100-continue` was granted', async () => {
    answer = async (request, response) => response.end(`got ${await text(request)}`)
    const run = await kit.run([place()])
    const socket = await tlsThrough(run.endpoint, place())
    socket.write(`POST / HTTP/1.1\r\nHost: ${place()}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n`)
    expect(await readUntil(socket, '\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('body')
    expect(await readUntil(socket, 'got body')).toContain('HTTP/1.1 200')
    socket.destroy()
  })
})

describe('bodies', () => {
  test('an event arrives before the next one is sent', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    answer = async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
      await released
      response.end('data: two\n\n')
    }
    const run = await kit.run([place()], withSecret())
    const answered = await openRequest(run.endpoint, url())
    const [first] = (await once(answered, 'data')) as [Buffer]
    expect(first.toString()).toBe('data: one\n\n')
    release()
    const [second] = (await once(answered, 'data')) as [Buffer]
    expect(second.toString()).toBe('data: two\n\n')
  })

  test('the head of an answer arrives before its body', async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    answer = async (_request, response) => {
      response.flushHeaders()
      await released
      response.end('late')
    }
    const run = await kit.run([place()])
    const answered = await openRequest(run.endpoint, url())
    expect(answered.statusCode).toBe(200)
    release()
    expect(await text(answered)).toBe('late')
  })

  test('an upload streams: its first bytes are there before its last are sent', async () => {
    const { promise: firstSeen, resolve: sawFirst } = Promise.withResolvers<string>()
    answer = async (request, response) => {
      request.once('data', (chunk: Buffer) => sawFirst(chunk.toString()))
      const bytes = (await request.toArray()).reduce((sum, chunk) => sum + (chunk as Buffer).length, 0)
      response.end(String(bytes))
    }
    async function* parts() {
      yield 'first'
      expect(await firstSeen).toBe('first')
      for (let part = 0; part < 64; part += 1) yield Buffer.alloc(65_536, 'x')
    }
    const run = await kit.run([place()])
    const got = await ask(run.endpoint, url(), { method: 'POST', body: Readable.from(parts()) })
    expect(got.body).toBe(String(5 + 64 * 65_536))
    await vi.waitFor(
      async () => expect((await run.events())[0]?.data.request_bytes).toBe(5 + 64 * 65_536),
      patience(10_000),
    )
  })

  test('a secret that is approved for the body is put into it, with its length', async () => {
    const bodies: [string, string | undefined][] = []
    answer = async (request, response) => {
      bodies.push([await text(request), request.headers['content-length']])
      response.end()
    }
    const run = await kit.run([place()], {
      API_KEY: { value: SECRET, hosts: [place()], in: ['body'] },
    })
    const body = JSON.stringify({ key: placeholderOf(run.policy, 'API_KEY') })
    await ask(run.endpoint, url(), {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
    })
    const sent = JSON.stringify({ key: SECRET })
    expect(bodies).toEqual([[sent, String(sent.length)]])
  })

  test('a download is not read faster than the code takes it', async () => {
    const block = Buffer.alloc(256 * 1_024, 'y')
    const blocks = 200
    let sent = 0
    answer = async (_request, response) => {
      for (; sent < blocks; sent += 1) if (!response.write(block)) await once(response, 'drain')
      response.end()
    }
    const run = await kit.run([place()], withSecret())
    const answered = await openRequest(run.endpoint, url())
    answered.pause()
    // Until nothing moves any more: what stands between the upstream and the code is full.
    for (let before = -1; before !== sent; ) {
      before = sent
      for (let turn = 0; turn < 400; turn += 1) await new Promise(setImmediate)
    }
    expect(sent * block.length).toBeLessThan(24 * 1_024 * 1_024)
    let bytes = 0
    for await (const chunk of answered) bytes += (chunk as Buffer).length
    expect(bytes).toBe(blocks * block.length)
  })
})

describe('an end that comes early', () => {
  test('of the code: the upstream is left', async () => {
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    answer = (request, response) => {
      request.socket.once('close', () => leave())
      response.write('begun')
    }
    const run = await kit.run([place()])
    const answered = await openRequest(run.endpoint, url())
    await once(answered, 'data')
    answered.socket.destroy()
    await left
  })

  test('of the upstream: the answer breaks off, and never looks whole', async () => {
    answer = (_request, response) => {
      response.write('begun', () => response.socket?.destroy())
    }
    for (const secrets of [{}, withSecret()]) {
      const run = await kit.run([place()], secrets)
      const answered = await openRequest(run.endpoint, url())
      await expect(text(answered)).rejects.toThrow('aborted')
    }
  })

  test('of the upstream before it answered: 502, and the connection of the code lives on', async () => {
    answer = (request, response) => {
      if (request.url === '/dies') response.socket?.destroy()
      else response.end('hello')
    }
    const run = await kit.run([place()])
    const socket = await tlsThrough(run.endpoint, place())
    socket.write(`GET /dies HTTP/1.1\r\nHost: ${place()}\r\n\r\n`)
    expect(await readUntil(socket, '}}')).toContain('"rule":"unreachable"')
    socket.write(`GET / HTTP/1.1\r\nHost: ${place()}\r\n\r\n`)
    expect(await readUntil(socket, 'hello')).toContain('HTTP/1.1 200')
    socket.destroy()
  })

  test('of the run: its connections die and its directory goes', async () => {
    answer = (_request, response) => void response.write('begun')
    const run = await kit.run([place()])
    const answered = await openRequest(run.endpoint, url())
    answered.on('error', () => {})
    await once(answered, 'data')
    const idle = await openSocket(run.endpoint)
    const closed = Promise.all([
      new Promise((resolve) => answered.once('close', resolve)),
      once(idle.resume(), 'close'),
    ])
    await run.endpoint.close()
    await closed
    expect(existsSync(run.endpoint.directory)).toBe(false)
    expect(await run.events()).toHaveLength(1)
  })
})

describe('an egress endpoint', () => {
  test('is readable for the sandbox, in a folder that only the daemon may enter', async () => {
    const endpoint = await kit.gateway.open()
    const mode = (path: string): number => statSync(path).mode & 0o777
    expect(dirname(endpoint.directory)).toBe(kit.directory)
    expect(mode(kit.directory)).toBe(0o700)
    expect(mode(endpoint.directory)).toBe(0o755)
    expect(mode(join(endpoint.directory, 'gateway.sock'))).toBe(0o666)
    expect(mode(join(endpoint.directory, 'ca.pem'))).toBe(0o644)
    expect(mode(join(endpoint.directory, 'resolv.conf'))).toBe(0o644)
    expect(readFileSync(join(endpoint.directory, 'ca.pem'), 'utf8')).not.toContain('PRIVATE')
  })

  test('refuses everything before its run and after it, and takes one run only', async () => {
    const endpoint = await kit.gateway.open()
    expect((await ask(endpoint, `http://${place()}/`)).rule).toBe('no_run')
    // Opened all the same, so that the sandbox can make its first handshake before its run.
    const early = await tlsThrough(endpoint, place())
    early.write(`GET / HTTP/1.1\r\nHost: ${place()}\r\n\r\n`)
    expect(await readUntil(early, '}}')).toMatch(/^HTTP\/1\.1 403 .*"no_run"/s)
    early.destroy()
    const run = await kit.run([place()])
    expect(() => run.endpoint.bindSession(run.session)).toThrow('already')
    expect((await ask(run.endpoint, url())).status).toBe(200)
    run.session.end()
    expect((await ask(run.endpoint, `http://${place()}/`)).rule).toBe('no_run')
    await expect(tlsThrough(run.endpoint, place())).rejects.toThrow('no_run')
  })
})
