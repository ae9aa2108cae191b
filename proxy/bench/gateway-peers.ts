import { once } from 'node:events'
import { createServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Client } from 'undici'
import { answerAsPeer } from './peers.ts'

/**
 * The three processes around the proxies: a TLS upstream that serves from memory, the gateway, and the client. Each is
 * started by `fork` with its role as argument, takes one kind of message and answers each with one.
 */
export const HOST = 'bench.example'
const SMALL_BYTES = 300

export interface UpstreamStart {
  readonly cert: string
  readonly key: string
  /** Only requests with this Authorization are served, so that each one proves that the secret was put in. */
  readonly authorization: string
}

export interface GatewayStart {
  readonly ca: string
  readonly port: number
  readonly folder: string
  readonly value: string
}

/** An endpoint of the gateway that a run was let in at. */
export interface OpenedEndpoint {
  readonly socketPath: string
  readonly ca: string
  readonly placeholder: string
}

export interface ClientJob {
  readonly socketPath: string
  /** `host:port` of the upstream, for CONNECT and Host. */
  readonly authority: string
  /** Whether the proxy wants a CONNECT first; otherwise it speaks TLS at once. */
  readonly tunnel: boolean
  readonly ca: string
  readonly authorization: string
  readonly path: string
  readonly requests: number
  readonly concurrency: number
}

export interface ClientResult {
  readonly ms: number
  readonly bytes: number
  readonly latenciesMs: readonly number[]
}

const CHUNK = Buffer.alloc(1_048_576, 'benchmark of the gateway, one line after the other\n')
const SMALL = JSON.stringify({ ok: true, text: 'x'.repeat(SMALL_BYTES - 20) })

/** `/small` is a short JSON answer, `/large/N` an answer of N bytes. */
async function playUpstream({ cert, key, authorization }: UpstreamStart): Promise<number> {
  const server = createServer({ cert, key, keepAliveTimeout: 600_000 }, (request, response) => {
    if (request.headers.authorization !== authorization) {
      response.writeHead(401).end()
      return
    }
    const bytes = Number(/^\/large\/([0-9]+)$/.exec(request.url ?? '')?.[1] ?? '0')
    if (bytes === 0) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': SMALL.length })
      response.end(SMALL)
      return
    }
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes })
    let left = bytes
    const more = (): void => {
      while (left > 0) {
        const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
        left -= chunk.length
        if (!response.write(chunk)) {
          response.once('drain', more)
          return
        }
      }
      response.end()
    }
    more()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** The same client for both proxies: HTTP/1.1 over TLS over a unix socket, one connection a caller, kept alive. */
async function playClient(job: ClientJob): Promise<ClientResult> {
  const clients = Array.from({ length: job.concurrency }, () => openClient(job))
  const headers = { authorization: job.authorization }
  const latenciesMs: number[] = []
  let bytes = 0
  const ask = async (client: Client): Promise<void> => {
    const answer = await client.request({ method: 'GET', path: job.path, headers })
    if (answer.statusCode !== 200) {
      throw new Error(`the proxy answered ${answer.statusCode}: ${await answer.body.text()}`)
    }
    for await (const chunk of answer.body) bytes += (chunk as Buffer).length
  }
  try {
    // Connections and the proxy's connections to the upstream stand before the clock runs.
    await Promise.all(
      clients.map(async (client) => {
        for (let at = 0; at < 3 && job.requests > 1; at++) await ask(client)
      }),
    )
    bytes = 0
    let left = job.requests
    const began = performance.now()
    await Promise.all(
      clients.map(async (client) => {
        while (left-- > 0) {
          const from = performance.now()
          await ask(client)
          latenciesMs.push(performance.now() - from)
        }
      }),
    )
    return { ms: performance.now() - began, bytes, latenciesMs }
  } finally {
    await Promise.all(clients.map((client) => client.destroy()))
  }
}

function openClient(job: ClientJob): Client {
  return new Client(`https://${job.authority}`, {
    connect: (_options, callback) => {
      openTls(job).then(
        (socket) => callback(null, socket),
        (error: Error) => callback(error, null),
      )
    },
  })
}

async function openTls(job: ClientJob): Promise<TLSSocket> {
  const socket = connect(job.socketPath)
  await once(socket, 'connect')
  if (job.tunnel) await openTunnel(socket, job.authority)
  const tls = connectTls({ socket, servername: HOST, ca: job.ca, ALPNProtocols: ['http/1.1'] })
  await once(tls, 'secureConnect')
  return tls
}

async function openTunnel(socket: Socket, target: string): Promise<void> {
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`)
  const [head] = (await once(socket, 'data')) as [Buffer]
  if (!/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n$/.test(head.toString('latin1'))) {
    throw new Error(`the gateway opened no tunnel: ${head.toString('latin1')}`)
  }
}

if (import.meta.main) {
  let open: (() => Promise<OpenedEndpoint>) | undefined
  answerAsPeer(async (role, message) => {
    if (role === 'upstream') return await playUpstream(message as UpstreamStart)
    if (role === 'client') return await playClient(message as ClientJob)
    if (open === undefined) {
      const { playGateway } = await import('./gateway-process.ts')
      open = await playGateway(message as GatewayStart)
      return null
    }
    return await open()
  })
}
