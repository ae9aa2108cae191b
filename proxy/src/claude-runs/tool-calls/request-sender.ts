import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import {
  bothAllow,
  createPolicy,
  type EgressEndpoints,
  type EgressPolicy,
  type EgressSessions,
  GATEWAY_CA,
  GATEWAY_SOCKET,
  type Surface,
} from '../../egress/index.ts'
import type { AppId, ReadTx, RunId, SecretValue, Storage } from '../../kernel/index.ts'
import { createScrubber, scrubText } from '../../scrub/index.ts'
import type { Vault } from '../../vault/index.ts'
import { type OwnRequest, withPlaces } from './own-request.ts'

/** Sends requests of runs that a person allowed: from the daemon, through a gateway endpoint that no container has. */
export interface RequestSender {
  /** Why these secrets cannot go to this host, for the model; null where they can. */
  problem(
    tx: ReadTx,
    of: { readonly host: string; readonly secrets: readonly string[] },
  ): Promise<string | null>
  /** The answer as text, with every value taken out of it. Rejects where there was none. */
  send(
    run: { readonly runId: RunId; readonly appId: AppId },
    request: OwnRequest,
    signal: AbortSignal,
  ): Promise<string>
}

interface SenderDeps {
  readonly endpoints: EgressEndpoints
  readonly egress: Pick<EgressSessions, 'begin'>
  readonly vault: Pick<Vault, 'open' | 'find'>
  readonly storage: Storage
}

const TIME_MS = 60_000
/** Of an answer's body; a model reads no more of it with profit. */
const MAX_BODY_BYTES = 64 * 1_024
/** Headers that say what to do next. */
const TOLD: readonly string[] = ['content-type', 'location', 'retry-after', 'link', 'etag']
const SURFACES: readonly Surface[] = ['header', 'body', 'form']

export function createRequestSender({ endpoints, egress, vault, storage }: SenderDeps): RequestSender {
  /** Opened for this one request, and said so in the audit. */
  const openAll = (runId: RunId, { secrets }: OwnRequest) =>
    storage.transaction(async (tx) => {
      const opened: { name: string; value: SecretValue; boundTo: readonly string[] | null }[] = []
      for (const name of secrets) {
        const value = await vault.open(tx, name, runId)
        opened.push({ name, value, boundTo: (await vault.find(tx, name))?.hosts ?? null })
      }
      return opened
    })

  return {
    async problem(tx, { host, secrets }) {
      for (const name of secrets) {
        const record = await vault.find(tx, name)
        if (record === undefined) return `There is no secret ${name}.`
        if (bothAllow([host], record.hosts).length === 0)
          return `The owner lets the secret ${name} go to other hosts than ${host}.`
      }
      return null
    },

    async send({ runId, appId }, request, signal) {
      const { host, method } = request
      const opened = await openAll(runId, request)
      const scrubber = createScrubber(new Map(opened.map(({ name, value }) => [name, value.open()])))
      // Approved was this request and not a kind of it: one, and only the daemon can make it.
      const entry = {
        host,
        methods: [method],
        paths: ['/**'],
        requests: 1,
        websocket: false,
        graphql: 'mutation' as const,
      }
      const secrets = opened.map((secret) => ({ ...secret, hosts: [host], surfaces: SURFACES }))
      const policy = createPolicy({ owner: appId, network: [entry], secrets }, () => scrubber)
      const session = egress.begin(runId, policy)
      const endpoint = await endpoints.open()
      try {
        endpoint.bindSession(session)
        const both = AbortSignal.any([signal, AbortSignal.timeout(TIME_MS)])
        const text = await exchange(endpoint.directory, request, policy, both)
        // What the gateway gave on is clean; nothing that is put together here may be less so.
        return scrubText(scrubber, text, { truncated: true })
      } finally {
        session.end()
        await endpoint.close()
        await session.written()
      }
    },
  }
}

async function exchange(
  directory: string,
  { url, method, headers, body }: OwnRequest,
  { secrets }: EgressPolicy,
  signal: AbortSignal,
): Promise<string> {
  const placeOf = (name: string): string => secrets.find((secret) => secret.name === name)?.placeholder ?? ''
  const content = body === null ? undefined : Buffer.from(withPlaces(body, placeOf))
  const socket = await openTunnel(directory, url, signal)
  try {
    const sent = httpRequest({
      createConnection: () => socket,
      ...{ method, path: url.pathname + url.search, setHost: false, signal },
      headers: {
        host: url.host,
        // Request smuggling: of GET and DELETE node:http sends a body without its length, which is read as a request of its own.
        ...(content && { 'content-length': content.length }),
        ...Object.fromEntries(headers.map(([name, value]) => [name, withPlaces(value, placeOf)])),
      },
    })
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve).once('error', reject)
    })
    sent.end(content)
    return await textOf(await answered)
  } finally {
    socket.destroy()
  }
}

async function openTunnel(
  directory: string,
  { hostname, port }: URL,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const authority = `${hostname}:${port || 443}`
  const socket = connect(join(directory, GATEWAY_SOCKET))
  const end = (): void => void socket.destroy(new Error('the time for the request is over'))
  signal.addEventListener('abort', end, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', end))
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  const head = await headOf(socket)
  if (!head.startsWith('HTTP/1.1 200')) {
    socket.destroy()
    throw new Error(head.split('\r\n', 1)[0])
  }
  const ca = await readFile(join(directory, GATEWAY_CA))
  const secured = connectTls({
    socket,
    host: hostname,
    servername: hostname,
    ca,
    ALPNProtocols: ['http/1.1'],
  })
  await new Promise<void>((resolve, reject) => {
    secured.once('secureConnect', resolve).once('error', reject)
    secured.once('close', () => reject(new Error('the connection was closed')))
  })
  return secured.on('error', () => {})
}

const MAX_HEAD_BYTES = 16_384

/** The gateway sends nothing behind it unasked. */
async function headOf(socket: Socket): Promise<string> {
  let head = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    head += (chunk as Buffer).toString('latin1')
    if (head.includes('\r\n\r\n') || head.length > MAX_HEAD_BYTES) break
  }
  return head
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of answer) {
    parts.push(part as Buffer)
    bytes += (part as Buffer).length
    if (bytes > MAX_BODY_BYTES) break
  }
  const body = Buffer.concat(parts).subarray(0, MAX_BODY_BYTES)
  const told = TOLD.flatMap((name) => {
    const value = answer.headers[name]
    return value === undefined ? [] : [`${name}: ${String(value)}`]
  })
  const content = body.includes(0) ? `[${body.length} bytes that are no text]` : body.toString('utf8')
  const cut = bytes > MAX_BODY_BYTES ? `\n[cut off after ${MAX_BODY_BYTES} bytes]` : ''
  return [`HTTP ${answer.statusCode}`, ...told, '', content].join('\n') + cut
}
