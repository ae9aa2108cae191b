import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import Docker from 'dockerode'
import { afterEach, expect, it } from 'vitest'
import { buildImages } from './image-build.ts'
import { contextDigest } from './image-context.ts'

let server: Server | undefined
afterEach(async () => {
  await server?.[Symbol.asyncDispose]()
  server = undefined
})

/** An engine that has no image, and answers a pull with these events, as the Engine API does: 200 first, the outcome in the stream. */
async function engine(events: readonly object[]): Promise<Docker> {
  const answers = (request: IncomingMessage, response: ServerResponse): [number, string] => {
    if (request.url?.endsWith('/version')) return [200, '{"Arch":"amd64"}']
    if (request.method === 'POST' && request.url?.includes('/images/create')) {
      response.setHeader('content-type', 'application/json')
      return [200, events.map((event) => `${JSON.stringify(event)}\r\n`).join('')]
    }
    return [404, '{"message":"No such image: base:latest"}']
  }
  server = createServer((request, response) => {
    request.resume()
    const [status, body] = answers(request, response)
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  })
  const { port } = await listening(server)
  return new Docker({ protocol: 'http', host: '127.0.0.1', port })
}

const listening = (of: Server): Promise<AddressInfo> =>
  new Promise((done) => of.listen(0, '127.0.0.1', () => done(of.address() as AddressInfo)))

it('says why a base image could not be pulled when the engine says it within its answer', async () => {
  const docker = await engine([
    { status: 'Pulling from library/base' },
    { errorDetail: { message: 'toomanyrequests: rate limit' }, error: 'toomanyrequests: rate limit' },
  ])
  const building = buildImages({ docker, log: () => {}, base: 'base:latest' })
  await expect(building).rejects.toThrow(
    'The base image base:latest is not here and cannot be pulled (toomanyrequests: rate limit). Name another one',
  )
})

it('reads the reason also where only its detail holds one', async () => {
  const docker = await engine([{ errorDetail: { message: 'no matching manifest for linux/amd64' } }])
  const building = buildImages({ docker, log: () => {}, base: 'base:latest' })
  await expect(building).rejects.toThrow('cannot be pulled (no matching manifest for linux/amd64)')
})

it('builds anew for other files, modes, locks and bases, and does not read what a lock file pins', async () => {
  const file = { name: 'supervisor.mjs', source: Buffer.from('one') }
  const fetched = { name: 'node_modules/a/index.js', source: '/not/there', pin: 'amd64 1' }
  const contexts = [
    [[file, fetched], 'base'],
    [[file, fetched], 'other base'],
    [[{ ...file, source: Buffer.from('two') }, fetched], 'base'],
    [[{ ...file, executable: true }, fetched], 'base'],
    [[file, { ...fetched, pin: 'amd64 2' }], 'base'],
    [[file, { ...fetched, executable: true }], 'base'],
    [[file, { ...fetched, name: 'node_modules/b/index.js' }], 'base'],
    [[file], 'base'],
  ] as const
  const digests = await Promise.all(contexts.map(([files, base]) => contextDigest(files, base)))
  expect(new Set(digests).size).toBe(contexts.length)
})
