import { Readable } from 'node:stream'
import type { ClientRequest } from './client-request.ts'

/** Puts something else in place of what passes. */
export interface BodyRewriter {
  push(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
}

/**
 * The body of a request, sent on as it comes and not faster than it is taken (backpressure). A stream of its own: when the upstream
 * fails, this is destroyed and not the connection that the answer goes to.
 */
export function streamed(
  request: ClientRequest,
  options: {
    /** What was read of it already. */
    readonly begun?: readonly Buffer[] | null
    readonly rewriter?: BodyRewriter | null
    readonly onBytes?: (bytes: number) => void
    /** False once nothing more of it may go out: what waits is not sent, and what was sent never looks whole. */
    readonly isAuthorized?: () => boolean
    /** Idle timeout: how long nothing may come; for ever when left out. */
    readonly idleMs?: number
    /** How long the rest is still read once nobody takes it; see `drain`. */
    readonly drainMs?: number
  } = {},
): Readable {
  const { begun, rewriter, onBytes, isAuthorized, idleMs, drainMs } = options
  const content = new Readable({ read: () => void request.resume() })
  const mayPass = (): boolean => {
    const may = isAuthorized?.() !== false
    if (!may) content.destroy(new Error('it may not be sent any more'))
    return may
  }
  for (const part of begun ?? []) content.push(rewriter ? rewriter.push(part) : part)
  if (idleMs !== undefined) request.setTimeout(idleMs, () => request.destroy())
  request.on('data', (chunk: Buffer) => {
    onBytes?.(chunk.length)
    if (content.destroyed || !mayPass()) return
    const out = rewriter ? rewriter.push(chunk) : chunk
    if (out.length > 0 && !content.push(out)) request.pause()
  })
  request.once('end', () => {
    if (idleMs !== undefined) request.setTimeout(0)
    if (content.destroyed || !mayPass()) return
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
/** For the answer to arrive before the connection is closed on a client that still sends. */
const LINGER_MS = 1_000
/** Each piece costs as much as so many bytes. */
const PIECE_COST = 64

/**
 * Reads and drops what is left of a request whose answer is there: a client comes to read it once its body is taken off
 * its hands. One that does not come to its end in time, or within so many bytes, is ended; without a time, it is for the
 * caller to end it.
 */
export function drain(request: ClientRequest, forMs = DRAIN_MS, maxBytes = Number.POSITIVE_INFINITY): void {
  request.resume()
  if (request.complete || request.destroyed || forMs === Number.POSITIVE_INFINITY) return
  const give = (ms: number): NodeJS.Timeout =>
    setTimeout(() => {
      if (!request.complete) request.destroy()
    }, ms).unref()
  let end = give(forMs)
  let left = maxBytes
  if (Number.isFinite(maxBytes)) {
    request.on('data', (chunk: Buffer) => {
      if (left <= 0) return
      left -= chunk.length + PIECE_COST
      if (left > 0) return
      request.pause()
      clearTimeout(end)
      end = give(Math.min(forMs, LINGER_MS))
    })
  }
  const stop = (): void => clearTimeout(end)
  request.once('end', stop)
  request.once('close', stop)
}
