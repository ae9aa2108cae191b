import { readFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type EgressEndpoint, GATEWAY_CA, GATEWAY_SOCKET } from '../../src/egress/index.ts'

/** What code in a sandbox can do with its endpoint: through the proxy protocol, or with bytes of its own. */
export interface GatewayAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** The rule in a refusal's body; undefined for any other answer. */
  readonly rule: string | undefined
}

export interface AskOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer | Readable
  /** TLS server name in place of the host; null sends none. */
  readonly servername?: string | null
  /** CONNECT to this in place of the URL's own host. */
  readonly authority?: string
}

type Endpoint = Pick<EgressEndpoint, 'directory'>

export async function openSocket(endpoint: Endpoint): Promise<Socket> {
  const socket = connect(join(endpoint.directory, GATEWAY_SOCKET))
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return socket.on('error', () => {})
}

/** A CONNECT that was accepted; the bytes inside are the caller's. Rejects with the head when it was not. */
export async function connectThrough(endpoint: Endpoint, authority: string): Promise<Socket> {
  const socket = await openSocket(endpoint)
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  const head = await readUntil(socket, '\r\n\r\n')
  if (!head.startsWith('HTTP/1.1 200')) {
    socket.destroy()
    throw new Error(head)
  }
  return socket
}

/** TLS inside a tunnel, as a client that trusts the endpoint's CA and nothing else. */
export async function tlsThrough(
  endpoint: Endpoint,
  authority: string,
  options: { readonly servername?: string | null; readonly anyName?: boolean } = {},
): Promise<TLSSocket> {
  const socket = await connectThrough(endpoint, authority)
  const host = authority.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  const servername = options.servername === undefined ? host : options.servername
  const secured = connectTls({
    socket,
    host,
    ca: readFileSync(join(endpoint.directory, GATEWAY_CA)),
    ALPNProtocols: ['http/1.1'],
    ...(servername === null || /^[\d.]+$|:/.test(servername) ? {} : { servername }),
    // The name in the certificate is that of the CONNECT; a client that named another one looks away.
    ...(options.anyName || servername !== host ? { checkServerIdentity: () => undefined } : {}),
  })
  await new Promise<void>((resolve, reject) => {
    secured.once('secureConnect', resolve).once('error', reject)
    secured.once('close', () => reject(new Error('closed in the handshake')))
  })
  return secured.on('error', () => {})
}

/** One request the way a runtime makes it: https through CONNECT, http in absolute form. The answer as it streams. */
export async function openRequest(
  endpoint: Endpoint,
  url: string,
  options: AskOptions = {},
): Promise<IncomingMessage> {
  const { protocol, host, hostname, port, pathname, search } = new URL(url)
  const secure = protocol === 'https:'
  const authority = options.authority ?? `${hostname}:${port || 443}`
  const named = options.servername === undefined ? {} : { servername: options.servername }
  const socket = secure ? await tlsThrough(endpoint, authority, named) : await openSocket(endpoint)
  const sent = httpRequest({
    createConnection: () => socket,
    method: options.method ?? 'GET',
    path: secure ? pathname + search : url,
    headers: { host, ...options.headers } as Record<string, string | string[]>,
    setHost: false,
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve).once('error', reject)
  })
  if (options.body === undefined) sent.end()
  else if (typeof options.body === 'string' || Buffer.isBuffer(options.body)) sent.end(options.body)
  else options.body.pipe(sent)
  return await answered
}

export async function ask(endpoint: Endpoint, url: string, options: AskOptions = {}): Promise<GatewayAnswer> {
  const answer = await openRequest(endpoint, url, options)
  const body = await text(answer)
  answer.socket.destroy()
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    rawHeaders: answer.rawHeaders,
    body,
    rule: ruleIn(body),
  }
}

/** Sends these bytes as they are and gives everything that came back until the gateway closed the connection. */
export async function sayRaw(socket: Socket, bytes: string): Promise<string> {
  socket.write(bytes, 'latin1')
  return await text(socket)
}

export async function readUntil(socket: Socket, mark: string): Promise<string> {
  let seen = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    seen += (chunk as Buffer).toString('latin1')
    if (seen.includes(mark)) break
  }
  return seen
}

export function ruleIn(answer: string): string | undefined {
  return /"code":"egress_refused","rule":"([a-z_]+)"/.exec(answer)?.[1]
}
