import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { Deadlines } from './deadlines.ts'
import { type ConnectionPool, KEEP_ALIVE_MARGIN_MS, UpstreamConnection } from './upstream-connection.ts'
import { type ExchangeHandler, type RequestToSend, UpstreamExchange } from './upstream-exchange.ts'

export interface Http1PoolOptions {
  /** For `host`: name, and port where it is not the scheme's own. */
  readonly host: string
  /** How long a connection is kept that nobody uses, where the host does not say or show that it keeps it for less. */
  readonly keepAliveMs: number
  /** Opens and verifies a connection. */
  readonly connect: () => Promise<Socket>
}

/** A host that ends connections sooner is starting anew, or has been given more of them than it wants. */
const LEAST_KEPT_MS = 4_000
/** As many as a busy hour leaves behind; of more the oldest go. */
const MAX_IDLE = 256

/** As undici's channel `undici:request:create`. */
const created = channel('oauth3.http1.request.create')

/** Connections to one place that speak HTTP/1.1, one request at a time on each. No request is ever sent twice. */
export class Http1Pool implements ConnectionPool {
  readonly host: string
  keepAliveMs: number
  readonly #connect: () => Promise<Socket>
  readonly #all = new Deadlines<UpstreamConnection>()
  /** The latest last: it is the most likely to be open still. */
  readonly #free: UpstreamConnection[] = []
  #isDestroyed = false

  constructor({ host, keepAliveMs, connect }: Http1PoolOptions) {
    this.host = host
    this.keepAliveMs = keepAliveMs
    this.#connect = connect
  }

  dispatch(request: RequestToSend, handler: ExchangeHandler): void {
    const exchange = new UpstreamExchange(request, handler)
    if (created.hasSubscribers) created.publish({ request })
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop()) {
      if (free.isUsable) {
        free.send(exchange)
        return
      }
      free.destroy()
    }
    this.#open().then(
      (connection) => connection.send(exchange),
      (error: Error) => exchange.failed(error),
    )
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true
    for (const connection of [...this.#all]) connection.end(closing())
  }

  free(connection: UpstreamConnection): void {
    this.#free.push(connection)
    if (this.#free.length > MAX_IDLE) this.#free.shift()?.destroy()
  }

  /** Servers differ in how long they keep a connection, and few say so (RFC 9112, 9.5): what one did is what it will do. */
  endedIdle(afterMs: number): void {
    this.keepAliveMs = Math.min(this.keepAliveMs, Math.max(LEAST_KEPT_MS, afterMs - KEEP_ALIVE_MARGIN_MS))
  }

  gone(connection: UpstreamConnection): void {
    this.#all.delete(connection)
    const at = this.#free.indexOf(connection)
    if (at !== -1) this.#free.splice(at, 1)
  }

  async #open(): Promise<UpstreamConnection> {
    if (this.#isDestroyed) throw closing()
    const socket = await this.#connect()
    if (this.#isDestroyed) {
      socket.destroy()
      throw closing()
    }
    const connection = new UpstreamConnection(socket, this)
    this.#all.add(connection)
    return connection
  }
}

const closing = (): Error => new Error('the connections are being closed')
