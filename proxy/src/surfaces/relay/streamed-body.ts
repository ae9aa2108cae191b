import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** Puts something else in place of what passes. */
export interface BodyRewriter {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
}

/**
 * The body of a request, sent on as it comes and not faster than it is taken. A stream of its own: when the upstream
 * fails, this is destroyed and not the connection that the answer goes to.
 */
export function streamed(
  request: IncomingMessage,
  options: {
    /** What was read of it already. */
    readonly begun?: Buffer | null
    readonly rewriter?: BodyRewriter | null
    readonly onBytes?: (bytes: number) => void
    /** How long nothing may come; for ever when left out. */
    readonly stallMs?: number
    /** How long the rest is still read once nobody takes it. */
    readonly drainMs?: number
  } = {},
): Readable {
  const { begun, rewriter, onBytes, stallMs, drainMs } = options
  const content = new Readable({ read: () => void request.resume() })
  if (begun) content.push(rewriter ? rewriter.push(begun) : begun)
  if (stallMs !== undefined) request.setTimeout(stallMs, () => request.destroy())
  request.on('data', (chunk: Buffer) => {
    onBytes?.(chunk.length)
    if (content.destroyed) return
    const out = rewriter ? rewriter.push(chunk) : chunk
    if (out.length > 0 && !content.push(out)) request.pause()
  })
  request.once('end', () => {
    if (stallMs !== undefined) request.setTimeout(0)
    if (content.destroyed) return
    const rest = rewriter?.end()
    if (rest !== undefined && rest.length > 0) content.push(rest)
    content.push(null)
  })
  request.once('close', () => {
    if (!request.complete) content.destroy(new Error('the client left in the middle of its request'))
  })
  content.on('error', () => {})
  content.once('close', () => drain(request, drainMs))
  return content
}

const DRAIN_MS = 10_000

/**
 * Reads and drops what is left of a request whose answer is there: a client comes to read it once its body is taken off
 * its hands. One that does not come to its end in time is ended.
 */
export function drain(request: IncomingMessage, forMs = DRAIN_MS): void {
  request.resume()
  if (request.complete || request.destroyed) return
  const end = setTimeout(() => {
    if (!request.complete) request.destroy()
  }, forMs).unref()
  const stop = (): void => clearTimeout(end)
  request.once('end', stop)
  request.once('close', stop)
}
