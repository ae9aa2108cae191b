import type { ServerResponse } from 'node:http'
import { drained } from './drained.ts'

/** The id of the event that ends a stream; whoever comes back with it is told that nothing more will come. */
export const END_ID = 'end'

const HEARTBEAT_MS = 15_000
const RETRY_MS = 1_000

export interface SentEvent {
  readonly event: string
  readonly data: unknown
  /** What a client sends as Last-Event-ID when it comes back; left out where it may see it twice. */
  readonly id?: number | string | undefined
}

/** The number of the last event seen; 0 for none. Undefined: it has seen the end. */
export function lastSeen(header: string | undefined): number | undefined {
  if (header === END_ID) return undefined
  return header !== undefined && /^[0-9]{1,15}$/.test(header) ? Number(header) : 0
}

/**
 * Answers with server-sent events (text/event-stream). Backpressure: a client that reads slowly is waited for. Whatever `events` throws
 * once `signal` is aborted is nobody's.
 */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<SentEvent>,
  of: {
    /** The client is gone. */
    readonly signal: AbortSignal
    readonly heartbeatMs?: number | undefined
    /** In the place of a heartbeat that tells nothing. */
    readonly beat?: () => SentEvent | undefined
    /** Asked before anything more is told: throws where the client may hear no more, and its connection ends. */
    readonly assertAllowed?: () => void
  },
): Promise<void> {
  const { signal } = of
  response.statusCode = 200
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8')
  response.setHeader('X-Accel-Buffering', 'no')
  if (response.req.method === 'HEAD') return void response.end()
  response.flushHeaders()
  const isAllowed = (): boolean => {
    try {
      of.assertAllowed?.()
      return true
    } catch {
      response.destroy()
      return false
    }
  }
  const write = async (piece: string): Promise<void> => {
    response.write(piece)
    await drained(response)
  }
  const timer = setInterval(() => {
    if (response.writableNeedDrain || !isAllowed()) return
    const told = of.beat?.()
    // With a blank line behind it some readers take it for a message without data.
    response.write(told === undefined ? ': alive\n' : eventText(told))
  }, of.heartbeatMs ?? HEARTBEAT_MS)
  try {
    await write(`retry: ${RETRY_MS}\n`)
    for await (const event of events) {
      if (signal.aborted || !isAllowed()) return
      await write(eventText(event))
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearInterval(timer)
  }
  response.end()
}

/** JSON text holds no line feed, so one `data` line carries it whole. */
const eventText = ({ event, id, data }: SentEvent): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
