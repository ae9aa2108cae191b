import type { Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import { createAgentServer, type FrontSurface } from './daemon-servers.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A front that says who it is, over either way in. */
const front = (path: string): FrontSurface => ({
  takes: (url) => url.startsWith(path),
  request: (_request, response) => void response.end(`front ${path}`),
  upgrade: (_request, socket) => void socket.end(`upgraded ${path}`),
})

async function sent(head: string): Promise<string> {
  server = createAgentServer((_request, response) => void response.end('app'), front('/one/'), front('/two/'))
  const listening = server
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const socket = connect((listening.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`${head}\r\nHost: a\r\n\r\n`)
  return await text(socket)
}
const OPENING = 'HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade, close'

test('each front gets the requests and the WebSockets of its paths, the app the rest', async () => {
  expect(await sent('GET /two/x HTTP/1.1\r\nConnection: close')).toContain('front /two/')
  expect(await sent('GET /three HTTP/1.1\r\nConnection: close')).toMatch(/app$/)
  expect(await sent(`GET /two/x ${OPENING}`)).toBe('upgraded /two/')
  expect(await sent(`GET /one/x ${OPENING}`)).toBe('upgraded /one/')
})

test('what nobody serves as an upgrade is an ordinary request', async () => {
  expect(await sent(`GET /three ${OPENING}`)).toMatch(/^HTTP\/1\.1 200 .*app$/s)
  expect(await sent(`POST /one/x ${OPENING}\r\nContent-Length: 0`)).toMatch(
    /^HTTP\/1\.1 200 .*front \/one\/$/s,
  )
  const h2c = OPENING.replace('websocket', 'h2c')
  expect(await sent(`GET /one/x ${h2c}`)).toMatch(/^HTTP\/1\.1 200 .*front \/one\/$/s)
})
