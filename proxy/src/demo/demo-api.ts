import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The service that the demo's secret is for: it knows the key, and tells every caller what it was sent. */
export interface DemoApi extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: on this machine, so that the demo needs no network. */
  readonly origin: string
  /** Calls that came with the real key. */
  readonly accepted: number
}

export async function startDemoApi(key: string): Promise<DemoApi> {
  let accepted = 0
  const server = createServer((request, response) => {
    const { authorization = '' } = request.headers
    const isRight = authorization === `Bearer ${key}`
    if (isRight) accepted += 1
    response.writeHead(isRight ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ you_sent: authorization }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    get accepted() {
      return accepted
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
