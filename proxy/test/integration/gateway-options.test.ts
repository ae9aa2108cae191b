/** `OPTIONS *` (RFC 9110, 9.3.7) is about the server as a whole: it was told as a host that cannot be reached. */
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sayRaw, tlsThrough } from '../support/gateway-client.ts'
import { createGatewayKit, type GatewayKit } from '../support/gateway-kit.ts'
import { createTestCa } from '../support/test-ca.ts'

const HOST = 'api.example.com'
const ca = createTestCa()
let kit: GatewayKit
const closes: (() => void)[] = []
beforeAll(async () => {
  kit = await createGatewayKit({ tls: { ca: ca.certificate } })
})
afterAll(async () => {
  await kit[Symbol.asyncDispose]()
  for (const close of closes) close()
})

const listening = async (server: {
  listen(port: number, host: string, then: () => void): unknown
  address(): unknown
}): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `${HOST}:${(server.address() as AddressInfo).port}`
}

const optionsOf = async (place: string, capability: string): Promise<string> => {
  const run = await kit.run([capability])
  const socket = await tlsThrough(run.endpoint, place)
  return await sayRaw(socket, `OPTIONS * HTTP/1.1\r\nHost: ${place}\r\nConnection: close\r\n\r\n`)
}

test.each([
  ['HTTP/1.1', () => createServer(ca.issue([HOST]))],
  ['HTTP/2 only', () => createSecureServer(ca.issue([HOST]))],
] as const)(
  'is refused for what it is, before a host that speaks %s is connected to',
  async (_what, make) => {
    let connections = 0
    const server = make()
    server.on('connection', () => {
      connections += 1
    })
    closes.push(() => server.close())
    const place = await listening(server)
    const answer = await optionsOf(place, place)
    expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*x-oauth3-refused: method_not_allowed/)
    expect(connections).toBe(0)
  },
)
