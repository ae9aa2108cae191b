/**
 * The daemon's end of a machine's `machine.sock`, at which the daemon listens and the machine dials: one connection for control, and
 * one for each stream into the machine, which the daemon asks for. Whoever connects is the machine.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError, oneLine, SecretValue } from '../../kernel/index.ts'
import {
  type Configuration,
  type Hello,
  MAX_LINE_BYTES,
  type MachineMessage,
  parseHello,
  parseMachineMessage,
} from './control-lines.ts'
import { cleanerOf } from './gateway-token.ts'
import { createMachineLog, type MachineLog } from './machine-log.ts'
import { createReadingPace, type ReadingPace } from './reading-pace.ts'

export interface ControlLink {
  /** A connection of the machine's own socket. */
  connection(socket: Socket): void
  /** Resolves when its gateway has answered this very question: true, or false when it says that it is not ready. */
  ready(signal: AbortSignal): Promise<boolean>
  /** A connection to its gateway, and what the gateway asks of whoever comes. Throws `sandbox_unavailable`. */
  stream(signal: AbortSignal): Promise<{ readonly stream: Duplex; readonly gatewayToken: string }>
  /** Tells it that something has happened: the status of its gateway's answer; 0 when that could not be reached. */
  wake(text: string, session: string | null, signal: AbortSignal): Promise<number>
  /** The newest of what it printed and this daemon heard: untrusted text, secrets in it. */
  log(): MachineLog
  /** What its gateway asks of whoever comes, or asked last: what the machine printed may hold it. Null: none was told. */
  gatewayToken(): SecretValue | null
  /** As it says itself; null: nothing, or nobody is there. */
  versions(): { readonly openclaw: string | null; readonly node: string | null }
  /** Ends every stream that was given. */
  cutStreams(): void
  close(): void
}

const HELLO_MS = 10_000
const MAX_PENDING = 256
/** Of why it failed, as it says itself. */
const SAID_CHARS = 300
const UNAVAILABLE = new AppError('sandbox_unavailable', 'The machine does not answer.', {
  retryAfterSeconds: 5,
})

type ControlHello = Extract<Hello, { role: 'control' }>

interface Answer<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

/** `mayBegin`: whether its files are all there. Until then it is told nothing, and dials again. */
export function createControlLink(configuration: Configuration, mayBegin: () => boolean): ControlLink {
  const sockets = new Set<Socket>()
  const given = new Set<Socket>()
  const readers = new Set<() => void>()
  const streams = new Map<string, Answer<Duplex>>()
  const questions = new Map<number, Answer<MachineMessage>>()
  let control: Socket | undefined
  let gatewayToken: string | undefined
  let lastToken: string | undefined
  let failure: string | undefined
  let hello: ControlHello | undefined
  const log = createMachineLog()
  /** Of all its connections: one that comes anew is no other machine. */
  const pace = createReadingPace()
  let asked = 0
  let isClosed = false

  const told = (): void => {
    for (const reader of readers) reader()
  }
  const say = (message: object): void => {
    control?.write(`${JSON.stringify(message)}\n`)
  }
  /** Whoever waits for an answer of a connection that is gone gets none. */
  function lost(): void {
    control = undefined
    gatewayToken = undefined
    for (const waiting of [...streams.values(), ...questions.values()]) waiting.reject(UNAVAILABLE)
    streams.clear()
    questions.clear()
    told()
  }

  function hear(line: Buffer): void {
    const message = parseMachineMessage(line)
    if (message === undefined) return
    if ('log' in message) log.add(message.log)
    else if ('state' in message) {
      gatewayToken = message.state === 'ready' ? message.gatewayToken : undefined
      lastToken = gatewayToken ?? lastToken
      failure = message.state === 'failed' ? message.detail : undefined
      told()
    } else if ('refused' in message) {
      streams.get(message.refused)?.reject(UNAVAILABLE)
      streams.delete(message.refused)
    } else {
      const id = 'probe' in message ? message.probe : message.woke
      questions.get(id)?.resolve(message)
      questions.delete(id)
    }
  }

  function serveControl(socket: Socket, first: ControlHello): void {
    hello = first
    control?.destroy()
    if (control !== undefined) lost()
    control = socket
    failure = undefined
    socket.once('close', () => {
      if (control === socket) lost()
    })
    readLines(socket, pace, hear)
    say({ do: 'configure', ...configuration })
  }

  /** Waits for an answer as long as the asker does. */
  function answered<K, T>(
    waiting: Map<K, Answer<T>>,
    key: K,
    message: object,
    signal: AbortSignal,
  ): Promise<T> {
    signal.throwIfAborted()
    if (control === undefined || waiting.size >= MAX_PENDING) return Promise.reject(UNAVAILABLE)
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    waiting.set(key, { resolve, reject })
    const giveUp = (): void => {
      waiting.delete(key)
      reject(signal.reason)
    }
    signal.addEventListener('abort', giveUp, { once: true })
    say(message)
    return promise.finally(() => signal.removeEventListener('abort', giveUp))
  }

  async function untilTold(signal: AbortSignal): Promise<string> {
    while (gatewayToken === undefined) {
      if (isClosed) throw UNAVAILABLE
      if (failure !== undefined)
        throw new AppError('sandbox_unavailable', `The machine says that it failed: ${said(failure)}`)
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => {
          readers.delete(once)
          reject(signal.reason)
        }
        const once = (): void => {
          readers.delete(once)
          signal.removeEventListener('abort', abort)
          resolve()
        }
        if (signal.aborted) return abort()
        readers.add(once)
        signal.addEventListener('abort', abort, { once: true })
      })
    }
    return gatewayToken
  }

  const said = (detail: string): string =>
    oneLine(lastToken === undefined ? detail : cleanerOf(lastToken)(detail), SAID_CHARS)

  const nextId = (): number => {
    asked = (asked % 1_000_000_000) + 1
    return asked
  }

  return {
    connection(socket) {
      socket.on('error', () => {})
      if (isClosed || sockets.size >= MAX_PENDING * 2) return void socket.destroy()
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      firstLine(socket, (line) => {
        const first = parseHello(line)
        if (first === undefined || isClosed || !mayBegin()) return void socket.destroy()
        if (first.role === 'control') return serveControl(socket, first)
        const waiting = streams.get(first.stream)
        streams.delete(first.stream)
        // One that nobody asked for, or that came too late.
        if (waiting === undefined) return void socket.destroy()
        given.add(socket)
        socket.once('close', () => given.delete(socket))
        waiting.resolve(socket)
      })
    },
    async ready(signal) {
      await untilTold(signal)
      const id = nextId()
      const answer = await answered(questions, id, { do: 'probe', id }, signal)
      return 'ready' in answer && answer.ready
    },
    async stream(signal) {
      const token = await untilTold(signal)
      // Unguessable: a machine that answers one that nobody asked for is not heard.
      const id = randomBytes(16).toString('base64url')
      const stream = await answered(streams, id, { do: 'open', stream: id }, signal)
      return { stream, gatewayToken: token }
    },
    async wake(text, session, signal) {
      await untilTold(signal)
      const id = nextId()
      const answer = await answered(questions, id, { do: 'wake', id, text, session }, signal)
      return 'status' in answer ? answer.status : 0
    },
    log: () => log.kept(),
    gatewayToken: () => (lastToken === undefined ? null : new SecretValue(lastToken)),
    versions: () => ({ openclaw: hello?.openclaw ?? null, node: hello?.node ?? null }),
    cutStreams() {
      for (const socket of given) socket.destroy()
    },
    close() {
      isClosed = true
      for (const socket of sockets) socket.destroy()
      lost()
    },
  }
}

/** The line that a connection begins with; what comes behind it stays on the socket. */
function firstLine(socket: Socket, heard: (line: Buffer) => void): void {
  let head = Buffer.alloc(0)
  const timer = setTimeout(() => socket.destroy(), HELLO_MS).unref()
  socket.once('close', () => clearTimeout(timer))
  const read = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf(0x0a)
    if (end < 0 && head.length <= MAX_LINE_BYTES) return
    clearTimeout(timer)
    socket.off('data', read)
    if (end < 0) return void socket.destroy()
    socket.pause()
    const rest = head.subarray(end + 1)
    if (rest.length > 0) socket.unshift(rest)
    heard(head.subarray(0, end))
  }
  socket.on('data', read)
}

/**
 * Bounded memory: a line that is longer ends the connection. Bounded time: lines that say nothing come faster than they are found to, so that
 * after each turn others have theirs, and the machine waits.
 */
function readLines(socket: Socket, pace: ReadingPace, hear: (line: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  const read = (): void => {
    if (socket.destroyed) return
    let start = 0
    let pauseMs = 0
    pace.begin()
    while (pauseMs === 0) {
      const end = rest.indexOf(0x0a, start)
      if (end >= 0) hear(rest.subarray(start, end))
      pauseMs = pace.lap()
      if (end < 0) break
      start = end + 1
    }
    rest = rest.subarray(start)
    if (pauseMs > 0) {
      socket.pause()
      return void setTimeout(read, pauseMs).unref()
    }
    if (rest.length > MAX_LINE_BYTES) return void socket.destroy()
    socket.resume()
  }
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    read()
  })
  socket.resume()
}
