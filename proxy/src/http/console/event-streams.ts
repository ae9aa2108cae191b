import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Session } from '../../identity/sessions/index.ts'
import { AppError, type Clock } from '../../kernel/index.ts'
import { isSomebodys } from './caller.ts'
import type { ConsoleTenant } from './tenant.ts'

const HEARTBEAT_MS = 15_000
const HEARTBEAT = Buffer.from(': alive\n')
/** A tab has one. */
const MAX_OF_SESSION = 10
const MAX_STREAMS = 1_024
/** Backpressure: whoever does not read is dropped, and reads again what the feed keeps. */
const MAX_UNREAD_BYTES = 256 * 1_024

interface Stream {
  readonly of: ConsoleTenant
  readonly session: Session
  send(piece: Buffer | string): void
}

export interface EventStreams extends Disposable {
  /** Answers with the one event stream of a tab; `rate_limited` where a session has too many. */
  open(request: IncomingMessage, response: ServerResponse, of: ConsoleTenant, session: Session): void
}

export function createEventStreams({ clock, version }: { clock: Clock; version: string }): EventStreams {
  const streams = new Set<Stream>()
  /** Of this turn: tabs of one session are asked about once. */
  const asked = new Map<Session, boolean>()
  const isGood = (of: ConsoleTenant, session: Session): boolean => {
    const known = asked.get(session) ?? isSomebodys(of, session)
    if (asked.size === 0) queueMicrotask(() => asked.clear())
    asked.set(session, known)
    return known
  }
  const beat = setInterval(() => {
    for (const stream of [...streams]) stream.send(HEARTBEAT)
  }, HEARTBEAT_MS).unref()

  return {
    open(request, response, of, session) {
      const own = [...streams].filter((stream) => stream.session.id === session.id).length
      if (own >= MAX_OF_SESSION || streams.size >= MAX_STREAMS)
        throw new AppError('rate_limited', `At most ${MAX_OF_SESSION} tabs of one session follow at once.`, {
          retryAfterSeconds: 15,
        })
      const { socket } = request
      const stream: Stream = {
        ...{ of, session },
        send(piece) {
          // What was not a session's any more gets nothing more, however it ended.
          if (socket.writableLength > MAX_UNREAD_BYTES || !isGood(of, session)) socket.destroy()
          else socket.write(piece)
        },
      }
      const lastEventId = request.headers['last-event-id']
      const following = of.feed.follow(typeof lastEventId === 'string' ? lastEventId : undefined, stream.send)
      streams.add(stream)
      response.once('close', () => {
        streams.delete(stream)
        following[Symbol.dispose]()
      })
      // The end of the connection ends it (RFC 9112, 6.3): without chunks a piece is one write of the same bytes for every console.
      response.useChunkedEncodingByDefault = false
      response.shouldKeepAlive = false
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' })
      response.flushHeaders()
      const { position, missed } = following
      const isNew = lastEventId === undefined
      const hello = eventText({ type: 'hello', now: clock.now(), version }, isNew ? position : undefined)
      const rest = missed ?? eventText({ type: 'reset' }, position)
      stream.send(`retry: 2000\n${hello}${rest}`)
    },
    [Symbol.dispose]() {
      clearInterval(beat)
      streams.clear()
    },
  }
}

const eventText = (event: object, id: string | undefined): string =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(event)}\n\n`
