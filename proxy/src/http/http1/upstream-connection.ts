import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Timed } from './deadlines.ts'
import { readDirectly } from './direct-reads.ts'
import type { BodyExpectation, MessageHead, MessageProblem, MessageSink } from './message.ts'
import { MessageReader } from './reader.ts'
import type { ExchangeCarrier, UpstreamExchange } from './upstream-exchange.ts'
import { writeRequestHead } from './upstream-head.ts'

/** Whose connection it is. */
export interface ConnectionPool {
  readonly host: string
  readonly keepAliveMs: number
  free(connection: UpstreamConnection): void
  gone(connection: UpstreamConnection): void
  /** The host ended a connection that nobody had used for so long. */
  endedIdle(afterMs: number): void
}

/** The host answered, but not in HTTP/1.1 as it is read here. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer'
}

/** Of the host's own keep-alive timeout so much is left, for a request that is under way while it runs out. */
export const KEEP_ALIVE_MARGIN_MS = 1_000
const BROKEN_OFF = 'the upstream ended the connection in the middle of its answer'

/**
 * A connection to an upstream, for one request at a time. It serves another one only when both messages came to their end, nobody
 * said that it closes, and nothing came behind the answer or while nobody had asked.
 */
export class UpstreamConnection implements MessageSink, ExchangeCarrier, Timed {
  deadline = Number.POSITIVE_INFINITY
  readonly #socket: Socket
  readonly #pool: ConnectionPool
  readonly #reader = new MessageReader('response', this)
  #exchange: UpstreamExchange | null = null
  /** All of the request was given to the socket. */
  #isSent = false
  #keepAliveMs = 0
  /** Since when nobody uses it; null while somebody does, and before. */
  #restsSince: number | null = null
  #stopSending: (() => void) | undefined = undefined

  constructor(socket: Socket, pool: ConnectionPool) {
    this.#socket = socket
    this.#pool = pool
    socket.setNoDelay(true)
    const data = (bytes: Buffer): void => this.#data(bytes)
    socket.on('data', data)
    readDirectly(socket, data)
    socket.on('end', () => {
      this.#reader.finish()
      this.#fail(new Error(BROKEN_OFF))
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error(BROKEN_OFF)))
  }

  /** Whether another request may go out on it. */
  get isUsable(): boolean {
    return (
      !this.#socket.destroyed &&
      this.#socket.writable &&
      this.#socket.readable &&
      this.deadline > performance.now()
    )
  }

  send(exchange: UpstreamExchange): void {
    this.deadline = Number.POSITIVE_INFINITY
    this.#restsSince = null
    this.#exchange = exchange
    this.#isSent = false
    if (!exchange.start(this)) {
      this.#leave()
      return
    }
    const { request } = exchange
    const { body } = request
    let written: ReturnType<typeof writeRequestHead>
    try {
      const bodyLength = body === null ? 0 : Buffer.isBuffer(body) ? body.length : null
      written = writeRequestHead(this.#pool.host, request, bodyLength)
    } catch (error) {
      exchange.failed(error as Error)
      this.#leave()
      return
    }
    if (body === null || Buffer.isBuffer(body)) {
      this.#isSent = true
      this.#write(written.text, body)
    } else this.#sendStream(written.text, body, written.length, exchange)
  }

  /** Nothing was written for it: the connection is as good as before. */
  #leave(): void {
    this.#exchange = null
    this.#rest()
  }

  onHead(head: MessageHead): BodyExpectation {
    const exchange = this.#exchange
    if (exchange === null) return 'none'
    // After HEAD servers have been seen to send a body all the same: its connection is not used again.
    const isHead = exchange.request.method === 'HEAD'
    this.#keepAliveMs = head.keepAlive && !isHead ? this.#keepAliveOf(head.rawHeaders) : 0
    exchange.answerBegins(head)
    return isHead ? 'none' : 'framed'
  }

  onInformational(head: MessageHead): void {
    this.#exchange?.answerBegins(head)
  }

  onBody(bytes: Buffer): void {
    this.#exchange?.take(bytes)
  }

  onEnd(): void {
    this.#exchange?.takeEnd()
  }

  onError(problem: MessageProblem): void {
    this.#fail(
      problem === 'truncated'
        ? new Error(BROKEN_OFF)
        : new MalformedAnswer(`the upstream's answer cannot be read: ${problem}`),
    )
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  answered(): void {
    this.#exchange = null
    // An answer before the end of its request: what is still sent would be taken for the next one.
    const isWhole = this.#isSent && this.#socket.writableLength === 0 && !this.#socket.destroyed
    if (isWhole && this.#keepAliveMs > 0 && this.#reader.held === 0) this.#rest()
    else this.destroy()
  }

  expired(): void {
    this.destroy()
  }

  destroy(): void {
    this.#restsSince = null
    this.#reader.stop()
    this.#socket.destroy()
    this.#stopSending?.()
    this.#stopSending = undefined
    this.#pool.gone(this)
  }

  /** As its pool is closed: whoever waits for an answer is told. */
  end(reason: Error): void {
    this.#fail(reason)
  }

  #rest(): void {
    this.resume()
    if (this.#reader.state === 'done') this.#reader.next()
    if (this.#reader.state !== 'idle') this.destroy()
    else {
      this.#restsSince = performance.now()
      this.deadline = this.#restsSince + (this.#keepAliveMs || this.#pool.keepAliveMs)
      this.#pool.free(this)
    }
  }

  #data(bytes: Buffer): void {
    // Nobody asked: whoever asks next would take it for the answer.
    if (this.#exchange === null) this.destroy()
    else this.#reader.push(bytes)
  }

  #fail(error: Error): void {
    const exchange = this.#exchange
    this.#exchange = null
    if (this.#restsSince !== null) this.#pool.endedIdle(performance.now() - this.#restsSince)
    this.destroy()
    // Of an answer that came whole the rest is told all the same.
    if (exchange?.hasCome === false) exchange.failed(error)
  }

  #keepAliveOf(rawHeaders: readonly string[]): number {
    const { keepAliveMs } = this.#pool
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      const name = rawHeaders[at] as string
      if (name.length !== 10 || name.toLowerCase() !== 'keep-alive') continue
      const seconds = /\btimeout=([0-9]{1,9})\b/i.exec(rawHeaders[at + 1] as string)?.[1]
      if (seconds !== undefined)
        return Math.max(0, Math.min(keepAliveMs, Number(seconds) * 1_000 - KEEP_ALIVE_MARGIN_MS))
    }
    return keepAliveMs
  }

  #write(text: string, body: Buffer | null): void {
    if (body === null || body.length === 0) {
      this.#socket.write(text, 'latin1')
      return
    }
    const all = Buffer.allocUnsafe(text.length + body.length)
    all.write(text, 0, 'latin1')
    body.copy(all, text.length)
    this.#socket.write(all)
  }

  /** As fast as it is taken; exactly as many bytes as its head says. */
  #sendStream(head: string, body: Readable, length: number, exchange: UpstreamExchange): void {
    const socket = this.#socket
    let left = length
    const fail = (why: string): void => exchange.abort(new Error(why))
    const drained = (): void => void body.resume()
    socket.on('drain', drained)
    this.#stopSending = () => socket.off('drain', drained)
    socket.write(head, 'latin1')
    body.on('data', (bytes: Buffer) => {
      if (exchange.isOver || bytes.length === 0) return
      left -= bytes.length
      if (length !== -1 && left < 0) return fail('the body is longer than its head says')
      socket.cork()
      if (length === -1) socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1')
      let isRoom = socket.write(bytes)
      if (length === -1) isRoom = socket.write('\r\n', 'latin1')
      socket.uncork()
      if (!isRoom) body.pause()
    })
    body.once('end', () => {
      if (exchange.isOver) return
      if (length !== -1 && left > 0) return fail('the body is shorter than its head says')
      if (length === -1) socket.write('0\r\n\r\n', 'latin1')
      this.#isSent = true
      this.#stopSending?.()
      this.#stopSending = undefined
    })
    body.once('error', (error) => exchange.abort(error))
    body.once('close', () => {
      if (!body.readableEnded) fail('the request was broken off')
    })
    if (body.destroyed) fail('the request was broken off')
  }
}
