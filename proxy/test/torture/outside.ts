import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import Docker from 'dockerode'

/** The counter that code reports to, and the webhook that outcomes are told to. */
export async function startOutside(sandbox: 'docker' | 'embedded') {
  const runs = new Map<string, number>()
  const told = new Map<string, Set<string>>()
  let badSignatures = 0
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://outside')
    if (url.pathname === '/ran') {
      const mark = url.searchParams.get('mark') ?? ''
      runs.set(mark, (runs.get(mark) ?? 0) + 1)
    } else if (url.pathname === '/wake') {
      const body = await read(request)
      const expected = createHmac('sha256', WEBHOOK_SECRET)
        .update(`${request.headers['x-oauth3-timestamp']}.${body}`)
        .digest('hex')
      if (request.headers['x-oauth3-signature'] !== `v1=${expected}`) badSignatures++
      for (const { request_id, status } of (
        JSON.parse(body) as { requests: { request_id: string; status: string }[] }
      ).requests) {
        told.set(request_id, (told.get(request_id) ?? new Set()).add(status))
      }
    }
    response.end('ok')
  })
  // Containers reach the host on the engine's default bridge; a process of the host on loopback.
  const host = sandbox === 'docker' ? await dockerBridgeAddress() : '127.0.0.1'
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  return {
    host,
    port,
    runs,
    told,
    badSignatures: () => badSignatures,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

export type Outside = Awaited<ReturnType<typeof startOutside>>

export const WEBHOOK_SECRET = 'torture-webhook-not-a-real-one'

export async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

async function dockerBridgeAddress(): Promise<string> {
  const bridge = (await new Docker().getNetwork('bridge').inspect()) as {
    IPAM?: { Config?: { Gateway?: string }[] }
  }
  return bridge.IPAM?.Config?.[0]?.Gateway ?? '172.17.0.1'
}
