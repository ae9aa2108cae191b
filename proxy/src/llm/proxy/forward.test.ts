import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { Pool } from 'undici'
import { describe, expect, it } from 'vitest'
import { localServers } from '../../../test/support/local-servers.ts'
import { createTestProviders, found } from '../../../test/support/providers-kit.ts'
import { streamed } from '../../egress/relay/index.ts'
import { forward, type Outcome } from './forward.ts'
import type { IdleTimed, IdleTimeouts } from './idle-timeouts.ts'

const { ends, listening } = localServers()

interface Forwarded {
  /** What the clock for silence looks at. */
  readonly looked: IdleTimed[]
  readonly timed: IdleTimed
  readonly provider: Socket
  readonly client: ReturnType<typeof send>
  readonly answer: Promise<IncomingMessage>
  readonly unreachable: Promise<unknown>
  readonly over: Promise<Outcome>
}

/** A request that has arrived at a provider, of which every word is the test's. */
const PROVIDER = found(await createTestProviders(), 'openai')

async function forwarding(method = 'GET'): Promise<Forwarded> {
  const upstream = createTcpServer((socket) => socket.on('error', () => {}))
  const pool = new Pool(`http://127.0.0.1:${await listening(upstream)}`, { bodyTimeout: 0 })
  ends.push(() => pool.destroy())
  const arrived = once(upstream, 'connection') as Promise<[Socket]>
  const looked: IdleTimed[] = []
  const idleTimeouts: IdleTimeouts = {
    begin: (timed) => void looked.push(timed),
    end: (timed) => void looked.splice(looked.indexOf(timed), 1),
    [Symbol.dispose]() {},
  }
  const unreachable = Promise.withResolvers<unknown>()
  const over = Promise.withResolvers<Outcome>()
  const server = createServer((request: IncomingMessage, response: ServerResponse) =>
    forward({
      ...{ response, pool, method, path: '/', headers: [], scrubber: null, idleTimeouts, readingOn: null },
      body: method === 'GET' ? null : streamed(request),
      isAuthorized: () => true,
      dropUsageChunk: false,
      lastEvent: (why) => `data: stopped ${why}\n\n`,
      lastLine: (why) => `"stopped ${why}"\n`,
      plainer: null,
      wish: () => {},
      addresses: { provider: PROVIDER, base: () => null, open: () => '' },
      unreachable(error) {
        unreachable.resolve(error)
        response.writeHead(502).end()
      },
      over: over.resolve,
    }),
  )
  ends.push(() => server.closeAllConnections())
  const client = send({ host: '127.0.0.1', port: await listening(server), method })
  client.on('error', () => {})
  const answer = once(client, 'response').then(([first]) => first as IncomingMessage)
  answer.catch(() => {})
  if (method === 'GET') client.end()
  else client.write('begun')
  const [provider] = await arrived
  await once(provider, 'data')
  const [timed] = looked as [IdleTimed]
  return { looked, timed, provider, client, answer, unreachable: unreachable.promise, over: over.promise }
}

describe('a provider that says nothing for too long', () => {
  it('is given up before its answer', async () => {
    const { timed, provider, answer, unreachable, over, looked } = await forwarding()
    const closed = once(provider, 'close')
    timed.onIdle()
    expect(await unreachable).toMatchObject({ message: 'the provider has said nothing for too long' })
    await closed
    expect((await answer).resume().statusCode).toBe(502)
    expect(await over).toMatchObject({ status: null, left: false, whole: false })
    expect(looked).toEqual([])
  })

  it('is given up in the middle of its answer, which never looks whole', async () => {
    const { timed, provider, answer, over, looked } = await forwarding()
    provider.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n')
    const response = await answer
    await once(response, 'data')
    const broken = once(response, 'error')
    response.resume()
    timed.onIdle()
    expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' })
    expect(await over).toMatchObject({ status: 200, whole: false })
    expect(looked).toEqual([])
  })

  it('is waited for while its client still sends, and no longer', async () => {
    const { timed, provider, client, unreachable, over } = await forwarding('POST')
    timed.onIdle()
    const more = once(provider, 'data')
    client.write('more')
    await more
    const last = once(provider, 'data')
    client.end()
    await last
    timed.onIdle()
    expect(await unreachable).toBeInstanceOf(Error)
    expect(await over).toMatchObject({ status: null })
  })
})

it('is heard of with the head and every piece of an answer, until it is over', async () => {
  const { timed, provider, answer, over, looked } = await forwarding()
  timed.isAlive = false
  provider.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  const response = await answer
  expect(timed.isAlive).toBe(true)
  timed.isAlive = false
  provider.write('4\r\nmore\r\n')
  await once(response, 'data')
  expect(timed.isAlive).toBe(true)
  response.resume()
  provider.write('0\r\n\r\n')
  expect(await over).toMatchObject({ status: 200, whole: true, left: false })
  expect(looked).toEqual([])
})
