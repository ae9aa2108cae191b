import type { RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createTestCa, type TestCa } from './test-ca.ts'

/** A web server on loopback that plays public hosts over TLS, and the connections it saw. */
export interface TlsUpstream extends AsyncDisposable {
  readonly port: number
  readonly ca: string
  /** SNI and Host of each request, in order. */
  readonly seen: { readonly sni: string; readonly host: string; readonly path: string }[]
  connections: number
  readonly server: Server
}

export async function startTlsUpstream(
  names: readonly string[],
  listener: RequestListener,
  options: { readonly ca?: TestCa; readonly expired?: boolean } = {},
): Promise<TlsUpstream> {
  const ca = options.ca ?? createTestCa()
  const seen: TlsUpstream['seen'] = []
  const server: Server = createServer(
    ca.issue(names, { expired: options.expired ?? false }),
    (request, response) => {
      const sni = (request.socket as { servername?: string | false }).servername
      seen.push({ sni: sni || '', host: request.headers.host ?? '', path: request.url ?? '' })
      listener(request, response)
    },
  )
  const upstream = { connections: 0 }
  server.on('connection', () => {
    upstream.connections += 1
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(upstream, {
    port: (server.address() as AddressInfo).port,
    ca: ca.certificate,
    seen,
    server,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}
