import { isPublicAddress } from '../../src/kernel/index.ts'
import { ask } from './gateway-client.ts'
import { createRunTools } from './run-tools-kit.ts'
import { createTelegramKit } from './telegram-kit.ts'
import { startTlsUpstream } from './tls-upstream.ts'

/** Names that are there, names that lead to addresses which are not public, and a host that answers until it is left. */
export async function startRunNetwork(options: Parameters<typeof createTelegramKit>[0] = {}) {
  const seen: string[] = []
  const names = ['docs.example.com', 'evil.example', 'inside.example.com', 'meta.example.com']
  const upstream = await startTlsUpstream(names, (request, response) => {
    seen.push(`${request.method} ${request.headers.host}${request.url}`)
    if (request.url === '/endless') response.write('begun')
    else if (request.url === '/count') {
      let bytes = 0
      request.on('data', (part: Buffer) => (bytes += part.length)).on('end', () => response.end(`${bytes}`))
    } else response.end('hello')
  })
  const addresses: Record<string, string> = {
    'inside.example.com': '10.0.0.7',
    'meta.example.com': '169.254.169.254',
  }
  const kit = await createTelegramKit({
    ...options,
    egress: {
      resolve: async (host) => [addresses[host] ?? '127.0.0.1'],
      isPublic: (address) => address === '127.0.0.1' || isPublicAddress(address),
      portOf: ({ port }) => (port === 443 ? upstream.port : port),
      tls: { ca: upstream.ca },
    },
  })
  const tools = await createRunTools(kit, options.clock)
  kit.lockdown.onBegin(tools.toolCalls.halt)
  return {
    ...{ ...tools, kit, seen, upstream },
    /** A run whose commands ask, and the socket of its container. */
    async open(run: Parameters<typeof tools.begin>[0] = {}) {
      const begun = tools.begin({ asksForHosts: true, ...run })
      const endpoint = await kit.installation.endpoints.open()
      if (begun.session !== null) endpoint.bindSession(begun.session)
      return {
        ...{ ...begun, endpoint },
        get: (url: string, how: Parameters<typeof ask>[2] = {}) => ask(endpoint, url, how),
      }
    },
    waiting: async () =>
      (await kit.storage.read((tx) => kit.approvals.list(tx, { which: 'waiting' }))).length,
    rows: async () =>
      (await kit.audit.newest(200)).toReversed().map(({ event, requestId, data }) => ({
        ...{ event, requestId, data: JSON.parse(data) as Record<string, unknown> },
      })),
    async [Symbol.asyncDispose]() {
      await kit[Symbol.asyncDispose]()
      await upstream[Symbol.asyncDispose]()
    },
  }
}
