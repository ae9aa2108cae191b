/** Vendors' APIs at the wire, as strict as they are: what is not exactly right is answered as an error and noted. */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { PUBLIC_ADDRESS } from './egress-upstream.ts'
import { signatureFault } from './sigv4.ts'
import { createTestCa } from './test-ca.ts'

export const TOKEN = 'demo-token-4f1c9a52b7'
export const S3_KEY_ID = 'DEMOKEYID000000000000'

export interface ClientDoubles extends AsyncDisposable {
  readonly ca: string
  readonly port: number
  /** `host METHOD path`, in order; what was wrong with it behind that. */
  readonly seen: string[]
}

export const VENDORS = {
  stripe: 'api.stripe.com',
  github: 'api.github.com',
  slack: 'slack.com',
  openai: 'api.openai.com',
  s3: 's3.us-east-1.amazonaws.com',
  plain: 'api.demo.test',
} as const

type Answer = { readonly type?: string; readonly body: string; readonly status?: number }
interface Asked {
  readonly method: string
  readonly path: string
  readonly request: IncomingMessage
  readonly body: Buffer
}

const json = (value: unknown): Answer => ({ body: JSON.stringify(value) })
const bearer = ({ request }: Asked, scheme = 'Bearer'): string | undefined =>
  request.headers.authorization === `${scheme} ${TOKEN}` ? undefined : 'the wrong Authorization header'
const typeOf = ({ request }: Asked, type: string): string | undefined =>
  request.headers['content-type']?.startsWith(type) ? undefined : `the body is no ${type}`
const endpoint = (asked: Asked, method: string, path: string): string | undefined =>
  asked.method === method && asked.path === path ? undefined : 'no such endpoint'

const objects = new Map<string, Buffer>()

/** What is wrong with a request, and the answer to one that is right. */
const APIS: Record<string, { fault(asked: Asked): string | undefined; answer(asked: Asked): Answer }> = {
  [VENDORS.stripe]: {
    fault: (asked) =>
      endpoint(asked, 'POST', '/v1/customers') ??
      bearer(asked) ??
      typeOf(asked, 'application/x-www-form-urlencoded') ??
      (asked.body.toString() === 'email=a%40b.test' ? undefined : `the body is ${asked.body}`) ??
      (asked.request.headers['stripe-version'] === undefined ? 'no Stripe-Version' : undefined),
    answer: () => json({ id: 'cus_demo', object: 'customer' }),
  },
  [VENDORS.github]: {
    fault: (asked) =>
      endpoint(asked, 'GET', '/repos/demo/demo') ??
      bearer(asked, 'token') ??
      (asked.request.headers['user-agent'] === undefined ? 'no User-Agent' : undefined),
    answer: () => json({ full_name: 'demo/demo' }),
  },
  [VENDORS.slack]: {
    fault: (asked) =>
      endpoint(asked, 'POST', '/api/chat.postMessage') ??
      bearer(asked) ??
      typeOf(asked, 'application/x-www-form-urlencoded') ??
      (asked.body.toString().includes('channel=C1') ? undefined : 'no channel'),
    answer: () => json({ ok: true, ts: '1.2' }),
  },
  [VENDORS.openai]: {
    fault: (asked) =>
      endpoint(asked, 'POST', '/v1/chat/completions') ?? bearer(asked) ?? typeOf(asked, 'application/json'),
    answer: () => ({
      type: 'text/event-stream',
      body: `${['hel', 'lo'].map((content) => `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta: { content } }] })}\n\n`).join('')}data: [DONE]\n\n`,
    }),
  },
  [VENDORS.s3]: {
    fault: (asked) =>
      /^\/demo\/a%20key\.txt$/.test(asked.path)
        ? signatureFault(
            {
              method: asked.method,
              url: asked.request.url ?? '',
              headers: asked.request.headers,
              body: asked.body,
            },
            S3_KEY_ID,
            TOKEN,
          )
        : 'no such bucket',
    answer(asked) {
      if (asked.method === 'PUT') objects.set(asked.path, asked.body)
      return { type: 'text/plain', body: asked.method === 'GET' ? String(objects.get(asked.path)) : '' }
    },
  },
  [VENDORS.plain]: {
    fault: (asked) => endpoint(asked, 'POST', '/echo') ?? bearer(asked),
    answer: (asked) => json({ echo: asked.body.toString() }),
  },
}

export async function startClientDoubles(): Promise<ClientDoubles> {
  const ca = createTestCa()
  const seen: string[] = []
  const hosts = Object.values(VENDORS)
  const server = createServer(ca.issue(hosts), (request, response) => {
    void answer(request, response, seen)
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => echoWebSocket(request, socket, seen))
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, PUBLIC_ADDRESS, resolve))
  return {
    ca: ca.certificate,
    port: (server.address() as AddressInfo).port,
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const whatFor = (request: IncomingMessage): string =>
  `${request.headers.host} ${request.method} ${request.url?.split('?')[0]}`

/** The certificate holds every name, so the name of the handshake is compared here. */
const nameFault = (request: IncomingMessage): string | undefined =>
  (request.socket as TLSSocket & { servername?: string }).servername === request.headers.host
    ? undefined
    : 'the handshake was for another name'

async function answer(request: IncomingMessage, response: ServerResponse, seen: string[]): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const path = request.url?.split('?')[0] ?? ''
  const asked: Asked = { method: request.method ?? '', path, request, body: Buffer.concat(chunks) }
  const api = APIS[request.headers.host ?? '']
  const fault = nameFault(request) ?? (api === undefined ? 'no such host' : api.fault(asked))
  seen.push(fault === undefined ? whatFor(request) : `${whatFor(request)}: ${fault}`)
  if (fault !== undefined || api === undefined) {
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: { message: fault } }))
    return
  }
  const { type = 'application/json', status = 200, body } = api.answer(asked)
  response.writeHead(status, { 'content-type': type })
  response.end(body)
}

/** The opcode of a closing frame (RFC 6455, section 5.5.1). */
const CLOSE = 8

/** One text message of fewer than 126 bytes comes back, then the connection is closed in good order. */
function echoWebSocket(request: IncomingMessage, socket: Socket, seen: string[]): void {
  const fault =
    nameFault(request) ??
    (request.headers.authorization === `Bearer ${TOKEN}` ? undefined : 'the wrong Authorization header')
  seen.push(fault === undefined ? whatFor(request) : `${whatFor(request)}: ${fault}`)
  socket.on('error', () => {})
  if (fault !== undefined) return void socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.on('data', (frame: Buffer) => {
    const length = (frame[1] ?? 0) & 127
    const mask = frame.subarray(2, 6)
    const payload = Buffer.from(frame.subarray(6, 6 + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0)))
    const back = Buffer.concat([Buffer.from([frame[0] ?? 0, payload.length]), payload])
    if (((frame[0] ?? 0) & 15) === CLOSE) socket.end(back)
    else socket.write(back)
  })
}
