/** A machine of the image `openclaw` on a real engine, and the daemon's side of its sockets; see the head of sandbox-images/openclaw/control.mjs. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import type { Readable } from 'node:stream'
import { text as textOf } from 'node:stream/consumers'
import Docker from 'dockerode'
import { imageTag, OPENCLAW_IMAGE } from '../../src/sandbox/runtimes/index.ts'

const MIB = 1_048_576
const FIRST_LINE_BYTES = 4_096

type Told = Readonly<Record<string, unknown>>

export interface OpenclawMachine extends AsyncDisposable {
  /** Everything that it said on control connections, in order, each with a `role` first. */
  readonly told: readonly Told[]
  /** Of what comes from now on, or has come behind `from` of `told`. */
  until(matches: (message: Told) => boolean, from?: number): Promise<Told>
  tell(message: object): void
  /** Breaks the control connection, as a daemon does that ends. */
  hangUp(): void
  /** The engine's name of it. */
  readonly container: string
  /** Unpacks an archive at the root of its volume. */
  put(archive: Buffer | Readable): Promise<void>
  start(): Promise<void>
  stop(graceSeconds: number): Promise<number>
  pause(): Promise<void>
  unpause(): Promise<void>
  /** Runs a program in the container; resolves to its output. */
  exec(...command: string[]): Promise<string>
  /** A connection to OpenClaw's gateway. */
  connect(): Promise<Socket>
  /** A request to it, with its token. */
  http(
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<{ status: number; text: string }>
}

export const turnOf = (answer: { readonly text: string }): string =>
  (JSON.parse(answer.text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content ??
  ''

export async function createOpenclawMachine(
  sockets: Readonly<Record<'model' | 'agent', (socket: Socket) => void>>,
  /** A folder of this host in the place of a new volume. */
  state?: string,
): Promise<OpenclawMachine> {
  const docker = new Docker()
  const endpoint = mkdtempSync(joinPath(tmpdir(), 'oc-'))
  chmodSync(endpoint, 0o711)
  const told: Told[] = []
  const waiting = new Set<() => void>()
  const streams = new Map<string, (socket: Socket) => void>()
  let control: Socket | undefined
  let gatewayToken = ''
  let streamCount = 0

  const hear = (message: Told): void => {
    if (typeof message.gatewayToken === 'string') gatewayToken = message.gatewayToken
    told.push(message)
    for (const look of waiting) look()
  }
  const accept = (socket: Socket): void => {
    socket.on('error', () => {})
    let head = Buffer.alloc(0)
    const read = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes])
      const end = head.indexOf('\n')
      if (end === -1 && head.length < FIRST_LINE_BYTES) return
      socket.off('data', read).pause()
      const first = JSON.parse(head.toString('utf8', 0, end)) as Told
      socket.unshift(head.subarray(end + 1))
      if (first.role === 'stream') return void streams.get(String(first.stream))?.(socket)
      control = socket
      hear(first)
      let rest = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) hear(JSON.parse(line) as Told)
      })
      socket.resume()
    }
    socket.on('data', read)
  }
  const servers = await Promise.all([
    listen(joinPath(endpoint, 'machine.sock'), accept),
    listen(joinPath(endpoint, 'model.sock'), sockets.model),
    listen(joinPath(endpoint, 'agent.sock'), sockets.agent),
  ])
  const container = await createContainer(docker, endpoint, state)

  const machine: OpenclawMachine = {
    told,
    async until(matches, from = told.length) {
      for (;;) {
        const found = told.slice(from).find(matches)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => {
          const look = (): void => {
            waiting.delete(look)
            resolve()
          }
          waiting.add(look)
        })
      }
    },
    tell: (message) => void control?.write(`${JSON.stringify(message)}\n`),
    hangUp: () => void control?.destroy(),
    container: container.id,
    async put(archive) {
      await container.putArchive(archive, { path: '/state' })
    },
    start: () => container.start(),
    async stop(t) {
      await container.stop({ t })
      return ((await container.inspect()) as Docker.ContainerInspectInfo).State.ExitCode
    },
    pause: () => container.pause(),
    unpause: () => container.unpause(),
    async exec(...Cmd) {
      const exec = await container.exec({ Cmd, AttachStdout: true, AttachStderr: true, Tty: true })
      return textOf(await exec.start({ Tty: true }))
    },
    connect() {
      const stream = `s${++streamCount}`
      return new Promise((resolve) => {
        streams.set(stream, resolve)
        machine.tell({ do: 'open', stream })
      })
    },
    async http(path, body, headers = {}) {
      const socket = await machine.connect()
      return new Promise((resolve, reject) => {
        const sent = request(
          {
            createConnection: () => socket,
            method: body === undefined ? 'GET' : 'POST',
            path,
            headers: {
              host: '127.0.0.1:18789',
              authorization: `Bearer ${gatewayToken}`,
              ...(body === undefined ? {} : { 'content-type': 'application/json' }),
              ...headers,
            },
          },
          (answer) =>
            void textOf(answer).then((text) => resolve({ status: answer.statusCode ?? 0, text }), reject),
        )
        sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
        socket.resume()
      })
    },
    async [Symbol.asyncDispose]() {
      await container.remove({ force: true, v: true })
      for (const server of servers) server.close()
      rmSync(endpoint, { recursive: true, force: true })
    },
  }
  return machine
}

/** Two connections as one; when one breaks off, so does the other. */
export function join(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const)
    from.on('error', () => to.destroy()).pipe(to)
}

async function listen(path: string, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, accept)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  chmodSync(path, 0o666)
  return server
}

/** With the walls of a machine: no network but loopback, nothing of the image writable, files in a volume. */
async function createContainer(
  docker: Docker,
  endpoint: string,
  state: string | undefined,
): Promise<Docker.Container> {
  const container = await docker.createContainer({
    Image: imageTag(OPENCLAW_IMAGE),
    User: '65532:65532',
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      IpcMode: 'none',
      Memory: 2_048 * MIB,
      MemorySwap: 2_048 * MIB,
      PidsLimit: 256,
      Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,mode=1777,size=${256 * MIB}` },
      Mounts: [
        { Type: 'bind', Source: endpoint, Target: '/run/oauth3', ReadOnly: true },
        // An anonymous one, removed with the container.
        state === undefined
          ? { Type: 'volume', Source: '', Target: '/state' }
          : { Type: 'bind', Source: state, Target: '/state' },
      ],
    },
  })
  return container
}
