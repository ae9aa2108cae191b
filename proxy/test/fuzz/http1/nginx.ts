import { once } from 'node:events'
import { chmodSync, existsSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { launchNginx } from '../../../bench/nginx.ts'
import type { Input, Role } from './inputs.ts'
import type { Reading, Readings } from './readings.ts'

/** nginx between two ends of ours: what it makes of messages is what it passes on. */
export interface NginxReader {
  /** Takes any number at once; each lane does one after another. */
  read(input: Input): Promise<Readings>
  stop(): Promise<void>
}

/** Connections are closed as soon as nginx is done. So long says that it hangs, on a busy machine too, and nothing of its reading. */
const GUARD_MS = 300_000
/** What nginx does not pass on, or makes itself. */
const OF_NGINX =
  /^(?:connection|content-length|transfer-encoding|te|keep-alive|expect|upgrade|date|server|x-pad|x-accel-.*|accept-ranges|x-header-time|trailer)$/i

export async function startNginxReader(folder: string, laneCount: number): Promise<NginxReader> {
  chmodSync(folder, 0o711)
  const lanes = Array.from({ length: laneCount }, (_, index) => new Lane(join(folder, `lane-${index}`)))
  for (const lane of lanes) await lane.listen()
  const nginx = await launchNginx({
    folder,
    name: 'fuzz',
    http: `
  error_log stderr emerg;
  ignore_invalid_headers off;
  underscores_in_headers on;
  client_header_buffer_size 64k;
  large_client_header_buffers 4 64k;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  proxy_http_version 1.1;
  proxy_ignore_client_abort on;
  proxy_redirect off;
  proxy_buffer_size 128k;
  proxy_buffers 4 128k;
  proxy_busy_buffers_size 256k;
  proxy_pass_header Date;
  proxy_pass_header Server;
  add_header X-Header-Time $upstream_header_time always;
  ${lanes.map((lane) => lane.config).join('\n')}
`,
    ready: () => lanes.every((lane) => existsSync(lane.front)),
  })
  return {
    async read(input) {
      const lane = lanes.reduce((least, one) => (one.waiting < least.waiting ? one : least))
      return await lane.read(input)
    },
    async stop() {
      await nginx.stop()
      for (const lane of lanes) lane.close()
    },
  }
}

/** A server of nginx's, and the one behind it, for one input at a time. */
class Lane {
  readonly front: string
  readonly config: string
  waiting = 0
  readonly #back: Server
  readonly #backPath: string
  #role: Role = 'request'
  #answer = ''
  #received: Reading[] = []
  #turn: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.front = `${path}.front`
    this.#backPath = `${path}.back`
    this.config = `
  server {
    listen unix:${this.front};
    location / { proxy_pass http://unix:${this.#backPath}:; proxy_set_header Host $http_host; proxy_set_header Connection ""; }
  }`
    this.#back = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket))
  }

  async listen(): Promise<void> {
    this.#back.listen(this.#backPath)
    await once(this.#back, 'listening')
    // Its worker is another user where its master is root.
    chmodSync(this.#backPath, 0o666)
  }

  close(): void {
    this.#back.close()
  }

  read(input: Input): Promise<Readings> {
    this.waiting += 1
    const turn = this.#turn.then(() =>
      input.role === 'request' ? this.#readRequests(input) : this.#readResponse(input),
    )
    this.#turn = turn
      .catch(() => {})
      .then(() => {
        this.waiting -= 1
      })
    return turn
  }

  async #readRequests({ text }: Input): Promise<Readings> {
    this.#role = 'request'
    this.#received = []
    const answers = await talk(this.front, text)
    return { messages: this.#received, interim: [], isWhole: !/HTTP\/1\.1 [45]0/.test(answers) }
  }

  /** The first message only: nginx closes a connection to a server that says more. */
  async #readResponse({ text, isBodyless }: Input): Promise<Readings> {
    this.#role = 'response'
    this.#answer = text
    const method = isBodyless ? 'HEAD' : 'GET'
    const answer = await talk(this.front, `${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    const reading = readPlain(answer, isBodyless)
    const isRead = reading !== undefined && !reading.headers.join('\n').endsWith('X-Header-Time\n-')
    return { messages: isRead ? [passedOn(reading)] : [], interim: [], isWhole: isRead }
  }

  /** nginx speaks plainly to what is behind it: one request with a length or none. */
  #serve(socket: Socket): void {
    let text = ''
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const reading = readPlain(text, false)
      if (reading?.isComplete !== true) return
      if (this.#role === 'request') this.#received.push(passedOn(reading))
      socket.end(
        Buffer.from(
          this.#role === 'request' ? 'HTTP/1.1 204 OK\r\nConnection: close\r\n\r\n' : this.#answer,
          'latin1',
        ),
      )
    })
  }
}

/** Sends it, ends, and gives what comes back till the other side ends. Throws when that does not. */
async function talk(path: string, text: string): Promise<string> {
  const socket = connect({ path, allowHalfOpen: true })
  let answer = ''
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1')
  })
  socket.on('error', () => {})
  let hangs = false
  const guard = setTimeout(() => {
    hangs = true
    socket.destroy()
  }, GUARD_MS)
  socket.end(Buffer.from(text, 'latin1'))
  socket.once('end', () => socket.destroy())
  await once(socket, 'close').catch(() => {})
  clearTimeout(guard)
  if (hangs) throw new Error('nginx hangs')
  return answer
}

/** A message as nginx writes it; undefined when its head is not there yet. */
function readPlain(text: string, isBodyless: boolean): Reading | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^ | +$/g, '')]
  })
  const value = (name: string): string | undefined =>
    headers[headers.findIndex((text, at) => at % 2 === 0 && text.toLowerCase() === name) + 1]
  const rest = text.slice(end + 4)
  const isResponse = first.startsWith('HTTP/')
  const status = first.slice(9, 12)
  const start = isResponse ? first.slice(9) : first.replace(/ HTTP\/1\.1$/, '')
  const reading = { start, headers, keepAlive: true, body: '', isComplete: true }
  if (isBodyless || status === '204' || status === '304') return reading
  if (headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'transfer-encoding'))
    return { ...reading, ...unchunked(rest) }
  const hasLength = headers.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'content-length')
  if (!hasLength) return isResponse ? { ...reading, body: rest } : reading
  const length = Number(value('content-length'))
  return { ...reading, body: rest.slice(0, length), isComplete: rest.length >= length }
}

function unchunked(text: string): { body: string; isComplete: boolean } {
  let body = ''
  let at = 0
  for (;;) {
    const end = text.indexOf('\r\n', at)
    if (end === -1) return { body, isComplete: false }
    const size = Number.parseInt(text.slice(at, end), 16)
    if (size === 0) return { body, isComplete: true }
    body += text.slice(end + 2, end + 2 + size)
    at = end + 4 + size
    if (at > text.length) return { body, isComplete: false }
  }
}

/** Without what nginx makes itself; what it moves stands at the end, in order. */
export function passedOn(reading: Reading): Reading {
  const headers: string[] = []
  const moved: string[] = []
  for (let at = 0; at < reading.headers.length; at += 2) {
    const [name = '', value = ''] = reading.headers.slice(at, at + 2)
    if (OF_NGINX.test(name) || (value === '' && MOVED.test(name))) continue
    ;(MOVED.test(name) ? moved : headers).push(MOVED.test(name) ? name.toLowerCase() : name, value)
  }
  const moves = Array.from(
    { length: moved.length / 2 },
    (_, index) => `${moved[2 * index]}: ${moved[2 * index + 1]}`,
  )
  return {
    ...reading,
    start: reading.start.trimEnd(),
    keepAlive: true,
    headers: [...headers, ...moves.toSorted()],
  }
}

/** These stand elsewhere behind nginx. */
const MOVED = /^(?:host|content-type|location|etag|last-modified|server|date)$/i
