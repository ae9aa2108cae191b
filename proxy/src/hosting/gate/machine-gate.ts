/**
 * Where instances that stand elsewhere reach the daemon, over TLS with a key that they know by its fingerprint. An instance claims its
 * incarnation once, by the token of its user data and a secret of its own; from then on each stream that it opens with that secret is a
 * connection to one of the sockets in its machine's folder, at which the daemon listens as it does for a container's.
 */
import { readFile } from 'node:fs/promises'
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import { createServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { join as joinPath } from 'node:path'
import type { Duplex } from 'node:stream'
import { z } from 'zod'
import { writeError } from '../../http/index.ts'
import { AppError, type MachineId, passedOn, sha256Hex } from '../../kernel/index.ts'
import type { MachineHost, MachineRef } from '../machines/index.ts'
import { type GateKeys, parsePath } from './gate-keys.ts'
import { createStrangers } from './strangers.ts'

export interface MachineGate extends AsyncDisposable {
  readonly port: number
  /** Streams of other incarnations of this machine end. */
  keepOnly(ref: Pick<MachineRef, 'machine' | 'generation'>): void
}

export interface MachineGateDeps {
  readonly listen: { readonly host: string | undefined; readonly port: number }
  readonly keys: GateKeys
  /** Of the gate's key, in PEM. */
  readonly certificate: string
  readonly host: Pick<MachineHost, 'claim' | 'isIdentified'>
  /** Where the daemon listens for it. */
  readonly folderOf: (ref: MachineRef) => string
  readonly log: (message: string, error?: unknown) => void
}

/** Those of a machine's folder that a machine dials. */
const SOCKETS = ['machine.sock', 'model.sock', 'agent.sock', 'gateway.sock'] as const
const STREAM = new Map(SOCKETS.map((name) => [`streams/${name}`, name]))
const PROTOCOL = 'oauth3-machine'
const HEAD_MS = 10_000
const REQUEST_MS = 20_000
const KEEP_ALIVE_MS = 30_000
const MAX_BODY_BYTES = 4_096
const MAX_CONNECTIONS = 4_096
/** Of one address, that have shown no machine's secret: the places above are everybody's. Several machines may come by one address. */
const MAX_STRANGERS = 128
/** The daemon's own sockets of a machine take no more either. */
const MAX_STREAMS = 256

const claimBody = z.strictObject({
  token: z.string().max(100),
  secret: z.string().regex(/^[\w-]{43}$/),
  instance: z.string().regex(/^i-[0-9a-f]{8,17}$/),
})
const STATUS = { claimed: 200, again: 200, taken: 403, refused: 403, unsure: 503 } as const

export async function openMachineGate(deps: MachineGateDeps): Promise<MachineGate> {
  const { keys, host, folderOf, log } = deps
  const streams = new Map<MachineId, Map<Duplex, number>>()
  const strangers = createStrangers(MAX_STRANGERS)

  async function claim(ref: MachineRef, request: IncomingMessage): Promise<[status: number, body: object]> {
    const read = claimBody.safeParse(await jsonOf(request))
    if (!read.success || !keys.isTokenOf(ref, read.data.token)) return [401, {}]
    const { instance, secret } = read.data
    const outcome = await host.claim(ref, { instance, secretSha256: sha256Hex(secret) })
    if (STATUS[outcome] !== 200) return [STATUS[outcome], {}]
    // It may ask before the daemon listens for it: then it asks again.
    const ca = await readFile(joinPath(folderOf(ref), 'ca.pem'), 'utf8').catch(() => undefined)
    return ca === undefined ? [503, {}] : [200, { sockets: SOCKETS, ca }]
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const answer = (status: number, body: object): unknown =>
      response
        .writeHead(status, { 'content-type': 'application/json', connection: 'close' })
        .end(JSON.stringify(body))
    const found = parsePath(request.url ?? '')
    if (found?.rest !== 'claim' || request.method !== 'POST') return void answer(404, {})
    claim(found.ref, request).then(
      ([status, body]) => answer(status, body),
      (error: unknown) => {
        if (!(error instanceof AppError)) log('an instance could not claim its machine', error)
        answer(503, {})
      },
    )
  }

  function track({ machine, generation }: MachineRef, socket: Duplex): boolean {
    const own = streams.get(machine) ?? new Map<Duplex, number>()
    if (own.size >= MAX_STREAMS) return false
    streams.set(machine, own.set(socket, generation))
    socket.once('close', () => {
      own.delete(socket)
      if (own.size === 0 && streams.get(machine) === own) streams.delete(machine)
    })
    return true
  }

  function upgrade(request: IncomingMessage, near: Duplex, head: Buffer): void {
    near.on('error', () => {})
    const found = parsePath(request.url ?? '')
    const name = STREAM.get(`${found?.rest}` as never)
    if (found === undefined || name === undefined || request.headers.upgrade !== PROTOCOL)
      return void refuse(near, 404)
    const [, secret] = /^Bearer ([\w-]{43})$/.exec(request.headers.authorization ?? '') ?? []
    const isIdentified = secret !== undefined && host.isIdentified(found.ref, sha256Hex(secret))
    // The instance takes it for final.
    if (isIdentified === false) return void refuse(near, 401)
    if (isIdentified === undefined || !track(found.ref, near)) return void refuse(near, 503)
    strangers.known(near as Socket)
    const far = connect({ path: joinPath(folderOf(found.ref), name), allowHalfOpen: true })
    near.once('close', () => far.destroy())
    far.once('error', () => refuse(near, 503))
    far.once('connect', () => {
      ;(near as Socket).setKeepAlive(true, KEEP_ALIVE_MS).setNoDelay(true)
      near.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${PROTOCOL}\r\n\r\n`)
      if (head.length > 0) near.unshift(head)
      join(near, far)
    })
  }

  const server = createServer(
    {
      key: keys.tls.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: deps.certificate,
      minVersion: 'TLSv1.3',
      // An end that is sent is not the end of what comes.
      allowHalfOpen: true,
      ...{ handshakeTimeout: HEAD_MS, headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS },
    },
    serve,
  )
  server.maxConnections = MAX_CONNECTIONS
  server.on('upgrade', upgrade)
  server.on('connection', (socket) => {
    if (!strangers.admit(socket as Socket)) socket.destroy()
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(deps.listen.port, deps.listen.host, resolve),
  )
  server.on('error', (error) => log('the gate of machines', error))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : deps.listen.port,
    keepOnly({ machine, generation }) {
      for (const [socket, of] of streams.get(machine) ?? []) if (of !== generation) socket.destroy()
    },
    async [Symbol.asyncDispose]() {
      for (const own of streams.values()) for (const socket of own.keys()) socket.destroy()
      server.closeAllConnections()
      strangers[Symbol.dispose]()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function refuse(socket: Duplex, status: 401 | 404 | 503): void {
  // What is half open would stay so for as long as its other end likes.
  socket.once('finish', () => socket.destroy())
  writeError(socket, { status, phrase: STATUS_CODES[status] ?? '', headers: [], body: '' })
}

/** Undefined for what is none, or too much. */
async function jsonOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request) {
    length += (part as Buffer).length
    if (length > MAX_BODY_BYTES) return undefined
    parts.push(part as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Each carries what comes until its half ends; when one breaks off, so does the other. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const)
    from
      .on('error', () => to.destroy())
      .on('data', ({ length }: Buffer) => passedOn(length))
      .on('close', () => {
        // A half that ended in good order leaves the other its time.
        if (!from.readableEnded || !from.writableFinished) to.destroy()
      })
      .pipe(to)
}
