import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { Timed } from './deadlines.ts'
import { readDirectly } from './direct-reads.ts'
import type { BodyExpectation, MessageHead, MessageProblem, MessageSink } from './message.ts'
import { MessageReader } from './reader.ts'
import { type RequestCarrier, ServedRequest } from './served-request.ts'
import { type ResponseCarrier, ServedResponse } from './served-response.ts'

/** What a server does with what comes on its connections. */
export interface ConnectionServer {
  readonly times: ServedTimes
  /** Whether a request is to be answered here; all others are handed over. Of one that cannot be read there are no fields. */
  takes(target: string, rawHeaders: readonly string[]): boolean
  request(request: ServedRequest, response: ServedResponse): void
  /** Answers what cannot be read, and ends the socket; what still comes on it is dropped. */
  unreadable(socket: Socket, problem: MessageProblem, status: number): void
  /** To a reader of everything else; the socket is its own from here on. */
  handOver(socket: Socket, bytes: Buffer): void
  closed(connection: ServedConnection): void
}

export interface ServedTimes {
  /** For a head to come, from its first byte or from the opening of the connection on. */
  readonly headMs: number
  readonly keepAliveMs: number
  /** For the rest of a request that is answered already. */
  readonly restMs: number
  /** For a client to take in why its connection ends, while it may still be sending. */
  readonly lingerMs: number
}

/** What may have come behind a request that is not answered yet, before no more is read. */
const MAX_AHEAD_BYTES = 64 * 1_024
/** Longer than any head. */
const MAX_SEARCHED_BYTES = 64 * 1_024
/** As node:http's channel `http.server.request.start`, for who watches the process from inside. */
const begun = channel('oauth3.http1.request.start')
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n'

/** A client's connection: its requests are answered one after the other (RFC 9112, 9.3.2). */
export class ServedConnection implements MessageSink, RequestCarrier, ResponseCarrier, Timed {
  readonly socket: Socket
  isLast = false
  deadline: number
  readonly #server: ConnectionServer
  readonly #reader = new MessageReader('request', this)
  #request: ServedRequest | null = null
  #response: ServedResponse | null = null
  /** Of the request under way. */
  #isTold = false
  #isWritten = false
  #isClosing = false
  readonly #readByStream: () => void

  constructor(socket: Socket, server: ConnectionServer) {
    this.socket = socket
    this.#server = server
    this.deadline = performance.now() + server.times.headMs
    socket.on('data', this.#data)
    this.#readByStream = readDirectly(socket, this.#data)
    socket.on('end', this.#ended)
    socket.on('close', this.#closed)
    socket.on('drain', this.#drained)
    socket.on('timeout', this.#idled)
    socket.on('error', ignore)
  }

  /** No request is under way. */
  get isIdle(): boolean {
    return this.#request === null && !this.#isClosing
  }

  /** What is left to do is its client's: to ask, to send the rest of what is answered, to take its answer, to leave. */
  get isWaitingForClient(): boolean {
    return this.#request === null || this.#response?.writableEnded === true
  }

  expired(): void {
    this.socket.destroy()
  }

  onHead(head: MessageHead): BodyExpectation {
    if (head.isUpgrade || !this.#server.takes(head.target, head.rawHeaders)) return 'handover'
    this.deadline = Number.POSITIVE_INFINITY
    this.isLast = !head.keepAlive
    this.#isTold = this.#isWritten = false
    if (head.expectsContinue && head.framing !== 'none') this.socket.write(CONTINUE, 'latin1')
    const request = new ServedRequest(head, this)
    const response = new ServedResponse(request, this, this.#server.times.keepAliveMs / 1_000)
    this.#request = request
    this.#response = response
    if (begun.hasSubscribers) begun.publish({ request })
    this.#server.request(request, response)
    return 'framed'
  }

  onBody(bytes: Buffer): void {
    this.#request?.take(bytes)
  }

  onEnd(): void {
    this.#request?.takeEnd()
  }

  /**
   * A head that is not for this server is left to another reader, and so is one of HTTP/1.0, which nginx speaks to whom it proxies
   * unless it is told otherwise; a body that breaks off ends its request.
   */
  onError(problem: MessageProblem, status: number): void {
    const response = this.#response
    if (problem === 'truncated' || response?.headersSent === true) {
      if (response?.writableEnded === true) this.close()
      else this.expired()
      return
    }
    if (response === null) {
      const bytes = this.#reader.release()
      // What has no target that can be told could be for this server: no other reader is to find a request in it.
      const { target, isOld } = requestLineIn(bytes)
      if ((problem === 'version' && isOld) || (target !== '' && !this.#server.takes(target, []))) {
        this.#handOver(bytes)
        return
      }
    }
    this.#isClosing = true
    this.deadline = performance.now() + this.#server.times.lingerMs
    this.#server.unreadable(this.socket, problem, status)
    this.#lose()
  }

  requestTold(): void {
    this.#isTold = true
    if (this.#isWritten) this.#answered()
  }

  responseWritten(): void {
    this.#isWritten = true
    if (this.#isTold) {
      this.#answered()
      return
    }
    this.deadline = performance.now() + this.#server.times.restMs
    this.#request?.dropUnasked()
  }

  #answered(): void {
    this.#request = this.#response = null
    if (this.isLast) {
      this.close()
      return
    }
    this.deadline = performance.now() + this.#server.times.keepAliveMs
    if (this.socket.isPaused()) this.socket.resume()
    this.#reader.next()
    this.#afterReading(true)
  }

  /** Ends it once all that was written has left; for a moment what comes is still read, so that no answer is lost with a reset. */
  close(): void {
    this.#isClosing = true
    this.#reader.stop()
    this.deadline = performance.now() + this.#server.times.lingerMs
    this.socket.end()
  }

  #data = (bytes: Buffer): void => {
    if (this.#isClosing) return
    const wasIdle = this.#request === null && this.#reader.held === 0
    this.#reader.push(bytes)
    this.#afterReading(wasIdle)
  }

  #afterReading(isBeginning: boolean): void {
    if (this.#request !== null) {
      if (this.#reader.state === 'done' && this.#reader.held > MAX_AHEAD_BYTES) this.socket.pause()
    } else if (this.#reader.state === 'handover') this.#handOver(this.#reader.release())
    else if (isBeginning && this.#reader.held > 0)
      this.deadline = Math.min(this.deadline, performance.now() + this.#server.times.headMs)
  }

  #handOver(bytes: Buffer): void {
    const { socket } = this
    this.#readByStream()
    socket.off('data', this.#data).off('end', this.#ended).off('close', this.#closed)
    socket.off('drain', this.#drained).off('timeout', this.#idled)
    socket.setTimeout(0)
    this.#server.closed(this)
    this.#server.handOver(socket, bytes)
    socket.off('error', ignore)
  }

  /** A client that ends its side before it has its answer has left, as node:http and nginx see it. */
  #ended = (): void => {
    this.#reader.finish()
    if (this.#response?.writableEnded === true || this.#isClosing) this.isLast = true
    else this.socket.destroy()
  }

  #closed = (): void => {
    this.#server.closed(this)
    this.#reader.stop()
    this.#lose()
  }

  #lose(): void {
    const [request, response] = [this.#request, this.#response]
    this.#request = this.#response = null
    request?.lost()
    response?.lost()
  }

  #drained = (): void => this.#response?.drained()

  #idled = (): void => this.#request?.idle()
}

const ignore = (): void => {}

/** What a request line says that may be anything, empty lines before it included; the target is empty where there is none. */
function requestLineIn(bytes: Buffer): { readonly target: string; readonly isOld: boolean } {
  const text = bytes.toString('latin1', 0, MAX_SEARCHED_BYTES)
  const [, target = '', rest = ''] = /^\s*\S+\s+(\S+)([^\r\n]*)/.exec(text) ?? []
  return { target, isOld: rest === ' HTTP/1.0' }
}
