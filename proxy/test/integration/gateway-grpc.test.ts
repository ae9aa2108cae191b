/** Code and hosts that speak gRPC over HTTP/2. */
import { once } from 'node:events'
import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test, vi } from 'vitest'
import { placeholderOf } from '../support/egress-policy.ts'
import { type Handler, type Run, SECRET, told, useHttp2Host } from '../support/http2-host-kit.ts'

const world = useHttp2Host()
const { runWith, openSession, place } = world

const message = (text: string): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(Buffer.byteLength(text), 1)
  return Buffer.concat([head, Buffer.from(text)])
}
const call = (run: Run, path: string): OutgoingHttpHeaders => ({
  ':method': 'POST',
  ':path': path,
  'content-type': 'application/grpc',
  te: 'trailers',
  'grpc-accept-encoding': 'identity,deflate,gzip',
  authorization: `Bearer ${placeholderOf(run.policy, 'KEY')}`,
})
const answering =
  (
    messages: (headers: IncomingHttpHeaders, sent: Buffer) => Buffer[],
    trailers: OutgoingHttpHeaders,
  ): Handler =>
  (stream, headers) => {
    buffer(stream).then((sent) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.once('wantTrailers', () => stream.sendTrailers(trailers))
      for (const one of messages(headers, sent)) stream.write(one)
      stream.end()
    })
  }

describe('gRPC', () => {
  test('calls a method: metadata with the value, messages and trailers', async () => {
    const seen: IncomingHttpHeaders[] = []
    world.handler = answering(
      (headers, sent) => {
        seen.push(headers)
        return [sent, message('second')]
      },
      { 'grpc-status': '0', 'grpc-message': 'fine' },
    )
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    stream.end(message('first'))
    const got = await told(stream)
    expect(got.headers[':status']).toBe(200)
    expect(got.body).toEqual(Buffer.concat([message('first'), message('second')]))
    expect(got.trailers).toMatchObject({ 'grpc-status': '0', 'grpc-message': 'fine' })
    expect(seen[0]).toMatchObject({ authorization: `Bearer ${SECRET}`, te: 'trailers' })
    expect(seen[0]?.['grpc-accept-encoding']).toBeUndefined()
    session.close()
    await vi.waitFor(async () => expect(await run.events()).toHaveLength(1))
    expect((await run.events())[0]?.data).toMatchObject({
      method: 'POST',
      path: '/pkg.Service/Method',
      status: 200,
    })
  })

  test('streams both ways at once', async () => {
    world.handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.on('data', (chunk: Buffer) => stream.write(chunk))
      stream.once('end', () => stream.end())
    }
    // Not everything was approved, so that bodies could be looked into: of gRPC none is.
    const run = await world.kit.run(
      [
        {
          host: place(),
          methods: ['POST'],
          paths: ['/pkg.Service/*'],
          requests: 10,
          websocket: false,
          graphql: 'query',
        },
      ],
      { KEY: { value: SECRET, hosts: [place()] } },
    )
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Chat'))
    let came = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      came = Buffer.concat([came, chunk])
    })
    await once(stream, 'response')
    for (const text of ['one', 'two', 'three']) {
      stream.write(message(text))
      await vi.waitFor(() => expect(came).toEqual(message(text)))
      came = Buffer.alloc(0)
    }
    const trailers = once(stream, 'trailers')
    stream.end()
    expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' })
    session.close()
  })

  test('brings no secret back: not in messages, which keep their lengths, nor in trailers', async () => {
    world.handler = answering(
      ({ authorization }) => [message(`you sent ${authorization}`), message('next')],
      {
        'grpc-status': '16',
        'grpc-message': `bad key ${SECRET}`,
        'x-detail-bin': Buffer.from(SECRET).toString('base64'),
      },
    )
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    stream.end(message(''))
    const { body, trailers } = await told(stream)
    const masked = '[secret:KEY]'.padEnd(SECRET.length, '*')
    expect(body).toEqual(Buffer.concat([message(`you sent Bearer ${masked}`), message('next')]))
    expect(trailers).toMatchObject({ 'grpc-status': '16', 'grpc-message': 'bad key [secret:KEY]' })
    expect(trailers['x-detail-bin']).toBe('[secret:KEY]')
    session.close()
  })

  test('has an error that is all of an answer as its host said it, in one HEADERS', async () => {
    world.handler = (stream) => {
      stream.resume()
      const status = { 'grpc-status': '7', 'grpc-message': 'no way' }
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...status }, { endStream: true })
    }
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    const answer = once(stream, 'response')
    stream.end(message(''))
    const [headers, flags] = (await answer) as [IncomingHttpHeaders, number]
    expect(headers).toMatchObject({ 'grpc-status': '7', 'grpc-message': 'no way' })
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0)
    session.close()
  })

  test('is not given in messages that are packed one by one', async () => {
    world.handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-encoding': 'gzip' })
      stream.end(message('x'))
    }
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Method'))
    stream.end(message(''))
    const { headers } = await told(stream)
    expect(headers['x-oauth3-refused']).toBe('answer_unreadable')
    session.close()
  })

  test('is refused in the words of the gateway where it was not approved', async () => {
    const run = await world.kit.run([
      { host: place(), methods: ['GET'], paths: ['/**'], requests: 10, websocket: false, graphql: 'query' },
    ])
    const session = await openSession(run as Run)
    const stream = session.request({ ':method': 'POST', ':path': '/pkg.Service/Method' })
    stream.end('x')
    const { headers, body } = await told(stream)
    expect([headers[':status'], headers['x-oauth3-refused']]).toEqual([403, 'method_not_approved'])
    expect(JSON.parse(body.toString()).error.rule).toBe('method_not_approved')
    session.close()
  })

  test('ends upstream when the code leaves', async () => {
    const left = Promise.withResolvers<void>()
    world.handler = (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write(message('on and on'))
      stream.once('close', () => left.resolve())
    }
    const run = await runWith()
    const session = await openSession(run)
    const stream = session.request(call(run, '/pkg.Service/Watch'))
    stream.on('error', () => {})
    await once(stream, 'data')
    stream.close(8)
    await left.promise
    session.close()
  })
})
