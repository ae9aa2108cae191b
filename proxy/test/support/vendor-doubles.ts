import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createTestCa } from './test-ca.ts'
import { json, type VendorAnswer } from './vendor-answers.ts'
import { answerOf } from './vendor-routes.ts'
import {
  CREDENTIAL_HEADERS,
  ruleOfHost,
  VENDORS,
  type VendorName,
  type VendorRule,
  vendorError,
} from './vendor-rules.ts'

/**
 * All vendors on one TLS server, told apart by name, as strict as the real ones: 401 in the vendor's own shape unless exactly
 * a key that it knows arrives, once, in the vendor's place. What no vendor could see but must not happen is a fault: a
 * forbidden value (the agent's token) anywhere in a request, a key twice or at another vendor's, a name that
 * differs from the TLS name, a path that the vendor does not have.
 */
export interface Vendors extends AsyncDisposable {
  readonly port: number
  readonly ca: string
  /** The one address that plays a public one. */
  readonly address: string
  /** Every request whose head arrived, in order. */
  readonly calls: readonly VendorCall[]
  /** What must not happen; tests expect none. */
  readonly faults: string[]
  /** A key that the vendor knows; the first call makes it. */
  key(vendor: VendorName): string
  /** One more key that the vendor knows. */
  addKey(vendor: VendorName): string
  /** The vendor answers 401 to it from here on, without a fault. */
  endKey(vendor: VendorName, key: string): void
  /** Must never arrive at any vendor, in any part of a request. */
  forbid(value: string): void
  /** Plays for the next request to the vendor that is good; in order when called more than once. */
  next(vendor: VendorName, play: Play): void
  clearPlays(): void
  /** For a vendor's WebSocket; without it the upgrade is refused. */
  onSocket(vendor: VendorName, play: SocketPlay): void
  callsTo(vendor: VendorName): readonly VendorCall[]
  /** The next request to the vendor from here on, as soon as its head is there. */
  nextCall(vendor: VendorName): Promise<VendorCall>
}

/** An answer, or a function that answers itself. `early` plays before the body was read. */
type Play =
  | VendorAnswer
  | ((call: VendorCall, response: ServerResponse) => unknown)
  | { readonly early: (call: VendorCall, request: IncomingMessage, response: ServerResponse) => void }

type SocketPlay = (request: IncomingMessage, socket: Socket, head: Buffer, call: VendorCall) => void

export interface VendorCall {
  readonly vendor: VendorName
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  /** The first 4 MiB. */
  readonly body: Buffer
  readonly bodyBytes: number
  readonly bodySha256: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies are checked by the tests that read them
  readonly json: any
  /** The body arrived whole. */
  readonly whole: boolean
  /** The key that came, where the vendor looks for it. */
  readonly key: string | undefined
  readonly signal: AbortSignal
  /** The proxy's side of the connection closed before the answer was complete. */
  readonly gone: Promise<void>
  /** Everything that was written as the answer's body. */
  readonly sent: Buffer[]
  /** Status that was answered; 0 while there is none. */
  status: number
}

type Building = { -readonly [K in keyof VendorCall]: VendorCall[K] }

export const VENDOR_ADDRESS = '127.88.0.1'
const KEPT_BYTES = 4 * 1_048_576

export async function startVendors(
  options: { readonly moreNames?: readonly string[] } = {},
): Promise<Vendors> {
  const ca = createTestCa()
  const names = [...Object.values(VENDORS).map(({ host }) => host), ...(options.moreNames ?? [])]
  const calls: Building[] = []
  const faults: string[] = []
  const keys = new Map<VendorName, { known: string[]; ended: Set<string> }>()
  const forbidden: string[] = []
  const plays = new Map<VendorName, Play[]>()
  const socketPlays = new Map<VendorName, SocketPlay>()
  const waiting = new Map<VendorName, ((call: VendorCall) => void)[]>()
  const sockets = new Set<Socket>()
  let serial = 0

  const keysOf = (vendor: VendorName) => {
    const found = keys.get(vendor) ?? { known: [], ended: new Set<string>() }
    keys.set(vendor, found)
    return found
  }
  const allKeys = (): string[] => [...keys.values()].flatMap(({ known, ended }) => [...known, ...ended])

  const search = (what: string, bytes: Buffer): void => {
    for (const value of forbidden) {
      for (const form of [value, Buffer.from(value).toString('base64').replace(/=+$/, '')]) {
        if (bytes.includes(form)) faults.push(`a forbidden value arrived in ${what}`)
      }
    }
  }

  /** Evaluates the head as a vendor does, and as an owner of the key would. Undefined: refused. */
  const evaluate = (
    request: IncomingMessage,
  ): { call: Building; rule: VendorRule; allowed: boolean } | undefined => {
    const host = request.headers.host ?? ''
    const sni = (request.socket as TLSSocket & { servername?: string | false }).servername || ''
    const found = ruleOfHost(host)
    const what = `${request.method} ${host} ${request.url?.split('?')[0]}`
    if (sni !== host) faults.push(`${what}: TLS name ${sni}, Host ${host}`)
    if (
      request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length !==
      1
    )
      faults.push(`${what}: more than one Host`)
    const raw = Buffer.from(`${request.url}\n${request.rawHeaders.join('\n')}`, 'latin1')
    search(`the head of ${what}`, raw)
    search(`the decoded target of ${what}`, Buffer.from(decodeLoosely(request.url ?? '')))
    if (!found) {
      faults.push(`${what}: nobody has this name`)
      return undefined
    }
    const { name: vendor, rule } = found
    const presented = valueAt(request.headers, rule)
    const { known, ended } = keysOf(vendor)
    const closed = new AbortController()
    const gone = Promise.withResolvers<void>()
    const call: Building = {
      vendor,
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body: Buffer.alloc(0),
      bodyBytes: 0,
      bodySha256: '',
      json: undefined,
      whole: false,
      key: presented,
      signal: closed.signal,
      gone: gone.promise,
      sent: [],
      status: 0,
    }
    closed.signal.addEventListener('abort', () => gone.resolve())
    leave.set(call, () => closed.abort(new Error('the client has left')))
    calls.push(call)
    waiting.get(vendor)?.shift()?.(call)

    const times = allKeys().reduce((sum, key) => sum + occurrences(raw, key), 0)
    if (times !== 1) faults.push(`${what}: ${times} keys in the head`)
    for (const header of CREDENTIAL_HEADERS) {
      if (header === rule.place) continue
      if (request.headers[header] !== undefined) faults.push(`${what}: a credential in ${header} as well`)
    }
    const placed = request.rawHeaders.filter((n, index) => index % 2 === 0 && n.toLowerCase() === rule.place)
    if (placed.length > 1) faults.push(`${what}: ${rule.place} ${placed.length} times`)
    for (const header of ['keep-alive', 'proxy-connection', 'te', 'trailer']) {
      if (request.headers[header] !== undefined) faults.push(`${what}: hop-by-hop header ${header}`)
    }
    if (presented !== undefined && !known.includes(presented) && !ended.has(presented))
      faults.push(`${what}: an unknown key in ${rule.place}`)
    return {
      call,
      rule,
      allowed: presented !== undefined && known.includes(presented) && placed.length === 1 && times === 1,
    }
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const evaluated = evaluate(request)
    if (!evaluated) return void response.writeHead(421).end()
    const { call, rule, allowed } = evaluated
    response.once('close', () => {
      if (!response.writableFinished) leave.get(call)?.()
    })
    const play = allowed ? plays.get(call.vendor)?.shift() : undefined
    if (typeof play === 'object' && 'early' in play) {
      play.early(call, request, response)
      return
    }
    if (!(await readBody(call, request))) return
    if (!allowed) {
      return await send(call, response, json(vendorError(rule.style, 401, 'Incorrect API key provided'), 401))
    }
    let answer: VendorAnswer | undefined
    if (play === undefined) {
      answer = answerOf(call, rule)
      if (!answer) {
        faults.push(`${call.vendor} has no ${call.method} ${call.url}`)
        answer = json(vendorError(rule.style, 404, `Unknown request URL: ${call.method} ${call.url}`), 404)
      }
    } else
      answer =
        typeof play === 'function'
          ? ((await play(call, response)) as VendorAnswer | undefined)
          : (play as VendorAnswer)
    if (answer) await send(call, response, answer)
    else call.status ||= response.statusCode
  }

  /** Whether it came whole. */
  const readBody = async (call: Building, request: IncomingMessage): Promise<boolean> => {
    const hash = createHash('sha256')
    const kept: Buffer[] = []
    const longest = Math.max(0, ...[...forbidden, ...allKeys()].map((value) => value.length * 2))
    let tail = Buffer.alloc(0)
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        hash.update(chunk)
        if (call.bodyBytes < KEPT_BYTES) kept.push(chunk)
        call.bodyBytes += chunk.length
        const seen = Buffer.concat([tail, chunk])
        search(`the body of ${call.method} ${call.url}`, seen)
        if (allKeys().some((key) => seen.includes(key)))
          faults.push(`${call.method} ${call.url}: a key in the body`)
        tail = seen.subarray(Math.max(0, seen.length - longest))
      }
    } catch {
      leave.get(call)?.()
    }
    call.body = Buffer.concat(kept)
    call.bodySha256 = hash.digest('hex')
    try {
      call.json = JSON.parse(call.body.toString('utf8'))
    } catch {
      call.json = undefined
    }
    call.whole = request.complete
    return call.whole
  }

  const server = createServer(ca.issue([...names, VENDOR_ADDRESS]), (request, response) => {
    handle(request, response).catch((error: Error) => {
      faults.push(`the double failed: ${error.stack}`)
      response.destroy()
    })
  })
  server.requestTimeout = 0
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => {})
    const evaluated = evaluate(request)
    const play = evaluated && socketPlays.get(evaluated.call.vendor)
    if (!evaluated?.allowed || !play) {
      const status = evaluated?.allowed === false ? '401 Unauthorized' : '404 Not Found'
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    evaluated.call.status = 101
    socket.once('close', () => leave.get(evaluated.call)?.())
    socket.prependListener('data', (chunk: Buffer) => search('a WebSocket', chunk))
    play(request, socket, head, evaluated.call)
  })
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    // Whoever leaves in the middle of a body is no fault.
    if (error.code !== 'ECONNRESET' && error.code !== 'HPE_INVALID_EOF_STATE' && error.code !== 'EPIPE')
      faults.push(`no HTTP: ${error.code} ${error.message}`)
    socket.destroy()
  })
  server.on('tlsClientError', () => {})
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, VENDOR_ADDRESS, resolve))

  const addKey = (vendor: VendorName): string => {
    serial += 1
    const random = createHash('sha256').update(`${vendor} ${serial} ${process.hrtime.bigint()}`).digest('hex')
    const key = `demo-value-${vendor}-${random.slice(0, 32)}`
    keysOf(vendor).known.push(key)
    return key
  }

  return {
    port: (server.address() as AddressInfo).port,
    ca: ca.certificate,
    address: VENDOR_ADDRESS,
    calls,
    faults,
    key: (vendor) => keysOf(vendor).known[0] ?? addKey(vendor),
    addKey,
    endKey(vendor, key) {
      const { known, ended } = keysOf(vendor)
      known.splice(known.indexOf(key), 1)
      ended.add(key)
    },
    forbid: (value) => void forbidden.push(value),
    next(vendor, play) {
      plays.set(vendor, [...(plays.get(vendor) ?? []), play])
    },
    clearPlays: () => plays.clear(),
    onSocket: (vendor, play) => void socketPlays.set(vendor, play),
    callsTo: (vendor) => calls.filter((call) => call.vendor === vendor),
    nextCall: (vendor) =>
      new Promise((resolve) => waiting.set(vendor, [...(waiting.get(vendor) ?? []), resolve])),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Who is told that the proxy left. */
const leave = new WeakMap<VendorCall, () => void>()

/** Writes an answer piece by piece with back-pressure, until the proxy leaves. */
export async function send(call: VendorCall, response: ServerResponse, answer: VendorAnswer): Promise<void> {
  begin(call, response, answer)
  for (const piece of answer.pieces) if (!(await write(call, response, piece))) return
  response.end()
}

/** The head alone. */
export function begin(
  call: VendorCall,
  response: ServerResponse,
  answer: Pick<VendorAnswer, 'status' | 'headers'>,
): void {
  call.status = answer.status ?? 200
  response.writeHead(call.status, { ...answer.headers })
  response.flushHeaders()
}

/** One write; false when the proxy has left. What is counted in `call.sent` was produced. */
export async function write(
  call: VendorCall,
  response: ServerResponse,
  piece: string | Buffer,
): Promise<boolean> {
  if (call.signal.aborted || response.destroyed) return false
  const bytes = Buffer.from(piece)
  call.sent.push(bytes)
  if (!response.write(bytes)) {
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        response.off('drain', settle)
        call.signal.removeEventListener('abort', settle)
        resolve()
      }
      response.once('drain', settle)
      call.signal.addEventListener('abort', settle)
    })
  } else await new Promise((resolve) => setImmediate(resolve))
  return !call.signal.aborted
}

function valueAt(headers: IncomingHttpHeaders, rule: VendorRule): string | undefined {
  const value = headers[rule.place]
  if (typeof value !== 'string') return undefined
  if (rule.place !== 'authorization') return value
  return /^Bearer (\S+)$/.exec(value)?.[1]
}

function occurrences(bytes: Buffer, value: string): number {
  let count = 0
  for (let at = bytes.indexOf(value); at >= 0; at = bytes.indexOf(value, at + 1)) count += 1
  return count
}

function decodeLoosely(target: string): string {
  try {
    return decodeURIComponent(target)
  } catch {
    return target
  }
}
