import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Dispatcher, Pool } from 'undici'
import { answerAsPeer } from './peers.ts'

/**
 * What Node's server and undici cost with nothing between them: the key is put in and the answer passed on, nobody is asked,
 * nothing is checked, counted or searched. What a proxy on these two takes more than this is its own.
 */
export interface BareStart {
  readonly port: number
  readonly authorization: string
}

const LOST: ReadonlySet<string> = new Set(['host', 'authorization', 'content-length', 'connection'])

async function playBare({ port, authorization }: BareStart): Promise<number> {
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: null })
  const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
    const parts: Buffer[] = []
    request.on('data', (chunk: Buffer) => parts.push(chunk))
    request.on('end', () => pass(pool, request, [Buffer.concat(parts), authorization], response))
  })
  server.listen(0, '127.0.0.1', 1_024)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function pass(
  pool: Pool,
  request: IncomingMessage,
  [body, authorization]: readonly [Buffer, string],
  response: ServerResponse,
): void {
  const headers = [...without(LOST, request.rawHeaders), 'authorization', authorization]
  const parts: Buffer[] = []
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart({ rawHeaders }, status) {
      response.sendDate = false
      response.writeHead(status, without(new Set(['connection']), (rawHeaders as Buffer[]).map(String)))
    },
    onResponseData: (_controller, chunk) => void parts.push(chunk),
    onResponseEnd: () => void response.end(Buffer.concat(parts)),
    onResponseError: () => void response.destroy(),
  }
  pool.dispatch({ path: request.url ?? '/', method: 'POST', headers, body }, handler)
}

function without(names: ReadonlySet<string>, raw: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [name, value] = [raw[at] as string, raw[at + 1] as string]
    if (!names.has(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}

if (import.meta.main) answerAsPeer(async (_role, message) => await playBare(message as BareStart))
